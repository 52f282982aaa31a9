"""How a page is declared: its permission once, and layout and callbacks bound to it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import dash
from dash import dcc
from dash.development.base_component import Component
from flask_login import current_user

from components.feedback import empty_state, error_state
from components.still import still
from models.permissions import Permission, PermissionDenied, has_permission
from services.limits import quotas
from web.callbacks import announce, path_variables, told
from web.guard import ENROLMENT
from web.identity import current_actor, current_session
from web.tracing import request_id

P = ParamSpec("P")
R = TypeVar("R")


def requires(permission: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Ask for the permission before the function runs, and leave a mark that the start-up check reads."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            current_actor().require(permission)
            return function(*args, **kwargs)

        return guarded

    return decorate


@dataclass(frozen=True)
class Page:
    """One page of the dashboard."""

    module: str
    permission: Permission
    for_enrolment: bool = False  # open to who needs a second factor and has none yet

    def layout(self, function: Callable[..., Component]) -> Callable[..., Component]:
        """Bind the layout: without the permission it is a page that says so, and a refusal is told in words."""

        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Component:
            if not has_permission(current_user, self.permission):
                return _said("Not allowed", told(PermissionDenied(self.permission.value)))
            if current_session().must_enrol and not self.for_enrolment:
                return _to_enrolment()
            try:
                return _light(function)(*args, **{**kwargs, **path_variables()})
            except Exception as error:  # the last stop before a blank page: told in words, the bug goes to the log
                return _page_of(error)

        dash.page_registry[self.module]["layout"] = guarded
        return guarded

    def callback(
        self,
        *dependencies: Any,
        permission: Permission | None = None,
        failure: Any = None,
        sudo: bool = False,
        export: bool = False,
        for_enrolment: bool | None = None,
        **options: Any,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Bind a callback to the page's permission, or to a stricter one; `failure` is its output after an error.

        With `sudo` the dispatcher asks for a fresh factor first, whenever an input has a value, such as clicks; such
        a callback does nothing when none has. An `export` counts against what a person may take along in an hour. Who
        has yet to set up a second factor may call what the page lets them, unless `for_enrolment` says otherwise.
        """
        needed = permission or self.permission
        is_open = self.for_enrolment if for_enrolment is None else for_enrolment

        def register(function: Callable[P, R]) -> Callable[P, R]:
            if failure is not None:

                def fail(error: Exception) -> Any:
                    announce(error)
                    return failure

                options["on_error"] = fail
            counted = _counted(function) if export else function
            marked = _marked(requires(needed)(_light(counted)), needed, sudo=sudo, for_enrolment=is_open, export=export)
            dash.callback(*dependencies, **options)(marked)
            return function

        return register


def _counted(function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def counted(*args: P.args, **kwargs: P.kwargs) -> R:
        if any(args):  # else nobody has asked for anything
            quotas.count_of_person(current_actor().user_id, "exports")
        return function(*args, **kwargs)

    return counted


def _light(function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def light(*args: P.args, **kwargs: P.kwargs) -> R:
        answer: R = still(function(*args, **kwargs))
        return answer

    return light


def _page_of(error: Exception) -> Component:
    title = {403: "Not allowed", 404: "Not found"}.get(getattr(error, "status_code", 500), "Something went wrong")
    return _said(title, told(error))


def _said(title: str, words: str) -> Component:
    """What went wrong, and the way home."""
    home = dcc.Link("Home", href="/", className="btn btn-primary")
    return error_state(title, words, request_id=request_id(), action=home)


def _to_enrolment() -> Component:
    action = dcc.Link("Set it up", href=ENROLMENT, className="btn btn-primary")
    text = "Your role needs one; it takes a minute."
    return empty_state("Set up a second factor first", text, action=action, icon_name="shield-lock")


def _marked(function: Any, permission: Permission, **marks: bool) -> Any:
    # functools.wraps copies attributes, so that Dash's own wrapper around the callback carries the marks too.
    function.permission = permission
    vars(function).update(marks)
    return function


def register_page(
    module: str, *, title: str, permission: Permission, for_enrolment: bool = False, **options: Any
) -> Page:
    """Declare a page with the one permission that its layout and callbacks share.

    Pass `path` or `path_template`; with `exists`, a function of the template's variables, what it denies answers 404.
    """
    dash.register_page(  # type: ignore[no-untyped-call]
        module, title=f"{title} · PFD", permission=permission, **options
    )
    return Page(module, permission, for_enrolment)
