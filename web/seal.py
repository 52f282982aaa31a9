"""The last step of building the app: everything declared, or it does not start."""

import inspect
from typing import Any

import dash
from dash import Dash
from dash._callback import GLOBAL_API_PATHS
from flask import Flask

from web import dispatch, guard
from web.dispatch import Marks, Needs
from web.guard import Undeclared


def seal(server: Flask, app: Dash) -> dict[str, Needs]:
    """Run Dash's lazy set-up, check that every route, page and callback is declared, and bind the checks."""
    # The first request makes Dash register its router and assets; afterwards Flask refuses new routes.
    dispatch_needs: dict[str, Needs] = {}
    marks = Marks()
    dispatch.register(server, app, dispatch_needs, marks)
    guarded = server.before_request_funcs[None]
    # Dash's own set-up runs in a before_request hook behind ours, so the warm-up must get past ours.
    with server.test_request_context("/healthz"):
        for function in guarded:
            if getattr(function, "__module__", "").startswith("dash"):
                function()
    refuse_undeclared(app)
    dispatch_needs.update(callback_needs(app))
    marks.sudo |= sudo_callbacks(app)
    marks.for_enrolment |= _marked(app, "for_enrolment") | {out for out, need in dispatch_needs.items() if need is None}
    guard.declared(server)
    server.config["SCRIPT_HASHES"] = tuple(f"'{value}'" for value in _hashes(app))
    return dispatch_needs


def refuse_undeclared(app: Dash) -> None:
    """Raise at a page without a permission, and at a callback that is a route of its own."""
    if GLOBAL_API_PATHS or app.callback_api_paths:
        raise Undeclared("A callback with api_endpoint= would bypass every check.")
    undeclared = [page["path"] for page in dash.page_registry.values() if "permission" not in page]
    if undeclared:
        raise Undeclared(f"The page {undeclared[0]} declares no permission.")


def _hashes(app: Dash) -> list[str]:
    return [value.strip("'") for value in app.csp_hashes()]


def callback_needs(app: Dash) -> dict[str, Needs]:
    """Each server-side callback and the permission it declares."""
    needs: dict[str, Needs] = {}
    for output, spec in app.callback_map.items():
        function: Any = spec.get("callback")
        if function is None:
            continue
        original = inspect.unwrap(function)
        if original.__module__ == "dash.dash":
            needs[output] = None  # the router of the pages, whose layouts check for themselves
        elif hasattr(function, "permission"):
            needs[output] = function.permission
        else:
            raise Undeclared(f"The callback of {output} in {original.__module__} declares no permission.")
    return needs


def sudo_callbacks(app: Dash) -> set[str]:
    """The callbacks that ask for a fresh factor."""
    return _marked(app, "sudo")


def _marked(app: Dash, mark: str) -> set[str]:
    return {output for output, spec in app.callback_map.items() if getattr(spec.get("callback"), mark, False)}
