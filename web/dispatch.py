"""The check in front of Dash's dispatcher: a body that no page of ours sends never reaches it."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from dash import Dash
from dash.exceptions import DependencyException, InvalidResourceError
from flask import Flask, request
from flask_login import current_user
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from models.permissions import AuthenticationRequired, Permission, PermissionDenied, has_permission
from services import sudo
from services.errors import AppError
from web.errors import problem, refusal
from web.identity import current_session, touch_session

logger = logging.getLogger(__name__)

DISPATCH = "/_dash-update-component"
SUITES = "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"
DEEPEST, MOST_ITEMS, LONGEST_TEXT = 64, 10_000, 100_000
# What a page changes by itself, with nobody touching it; such a request does not keep a session alive.
PASSIVE = (".n_intervals", "page-visible.data", "-visible.data", "-shown.data", "-again.data")

Needs = Permission | None  # None: anybody who is signed in


@dataclass
class Marks:
    """The callbacks that ask for a fresh factor, and those that are open while a second factor is being set up."""

    sudo: set[str] = field(default_factory=set)
    for_enrolment: set[str] = field(default_factory=set)


def register(server: Flask, app: Dash, needs: Mapping[str, Needs], marks: Marks) -> None:
    """Check every dispatch body against what the callbacks declare."""
    specs: dict[str, dict[str, Any]] = app.callback_map

    @server.before_request
    def _check() -> AnyResponse | None:
        if request.endpoint != DISPATCH or request.method != "POST":
            return None
        if not request.is_json:
            return problem(415, "This address takes application/json only.")
        try:
            body = orjson.loads(request.get_data())
        except (orjson.JSONDecodeError, RecursionError):
            return problem(400, "The body is not valid JSON.")
        fault = fault_of(body, specs)
        if fault is not None:
            return problem(400, fault)
        output = body["output"]
        permission = needs.get(output)
        if output not in needs:
            return problem(404, "There is no such callback.")
        if permission is not None and not has_permission(current_user, permission):
            return problem(403, str(PermissionDenied(permission.value)))
        signed_in = current_session()
        if signed_in.must_enrol and output not in marks.for_enrolment:
            return problem(403, "Your role needs a second factor. Set one up first.", code="second_factor_required")
        if output in marks.sudo and is_act(body):
            sudo.require(signed_in)
        if not is_passive(body):
            touch_session()
        return None

    server.view_functions[SUITES] = _found(server.view_functions[SUITES])
    server.view_functions[DISPATCH] = _told_apart(server.view_functions[DISPATCH])


def fault_of(body: Any, specs: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What is wrong with a dispatch body, or None."""
    if not isinstance(body, dict):
        return "The body is not an object."
    output = body.get("output")
    if not isinstance(output, str) or output not in specs:
        return "“output” names no callback."
    if _too_large(body):
        return "The body is nested too deeply or holds too much."
    spec = specs[output]
    for part, declared in (("inputs", spec.get("inputs", [])), ("state", spec.get("state", []))):
        given = body.get(part, [])
        if not isinstance(given, list) or len(given) != len(declared):
            return f"“{part}” is not what this callback declares."
        for item, expected in zip(given, declared, strict=True):
            if not _matches(item, expected):
                return f"“{part}” is not what this callback declares."
    for item in body.get("inputs", []):
        if isinstance(item, dict) and item.get("id") == "_pages_location" and not _is_of_an_address(item):
            return "An address is text, and a path begins with “/”."
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(_is_property(name) for name in changed):
        return "“changedPropIds” is not a list of names."
    if not _outputs_match(body.get("outputs"), output):
        return "“outputs” is not what this callback declares."
    return None


def _is_of_an_address(item: Mapping[str, Any]) -> bool:
    value = item.get("value")
    return isinstance(value, str) and (value.startswith("/") or item.get("property") != "pathname")


def _is_property(name: Any) -> bool:
    """Whether it is `id.property` as the renderer writes it: Dash reads what looks like a pattern as one."""
    if not isinstance(name, str) or not name.startswith("{"):
        return isinstance(name, str)
    try:
        return isinstance(orjson.loads(name.rpartition(".")[0]), dict)
    except orjson.JSONDecodeError:
        return False


def _matches(item: Any, expected: Mapping[str, Any]) -> bool:
    if _is_of_several(str(expected["id"])):
        return isinstance(item, list) and all(_is_one(entry, expected) for entry in item)
    return _is_one(item, expected)


def _is_one(item: Any, expected: Mapping[str, Any]) -> bool:
    if not isinstance(item, dict) or item.get("property") != expected["property"]:
        return False
    return _is_named(item.get("id"), str(expected["id"]))


def _is_named(identity: Any, wanted: str) -> bool:
    """Whether it is the component that is meant, or one of those that a pattern means."""
    if not wanted.startswith("{"):
        return bool(identity == wanted)
    parts = orjson.loads(wanted)
    return (
        isinstance(identity, dict)
        and identity.keys() == parts.keys()
        and all(
            isinstance(identity[key], str | int | float) if isinstance(part, list) else identity[key] == part
            for key, part in parts.items()
        )
    )


def _is_of_several(identity: str) -> bool:
    """Whether a pattern stands for a list of components; a MATCH alone is one of them."""
    return identity.startswith("{") and '["ALL' in identity


def _outputs_match(given: Any, output: str) -> bool:
    if "." not in output:
        return given in (None, [])  # a callback without outputs
    if given is None:
        return False
    names = output[2:-2].split("...") if output.startswith("..") else [output]
    items = given if output.startswith("..") else [given]
    if not isinstance(items, list) or len(items) != len(names):
        return False
    for item, name in zip(items, names, strict=True):
        entries = item if isinstance(item, list) and _is_of_several(name) else [item]
        identity, _, prop = name.rpartition(".")
        for entry in entries:
            # Where several callbacks share an output, Dash adds “@” and a digest to the property.
            if not isinstance(entry, dict) or str(entry.get("property")).split("@")[0] != prop.split("@")[0]:
                return False
            if not _is_named(entry.get("id"), identity):
                return False
    return True


def _too_large(body: Any) -> bool:
    items, stack = 0, [(body, 1)]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            return True
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            return True  # no column holds it
        if not isinstance(value, dict | list):
            continue
        items += len(value)
        if depth > DEEPEST or items > MOST_ITEMS:
            return True
        children = value.values() if isinstance(value, dict) else value
        stack.extend((child, depth + 1) for child in children)
    return False


def is_passive(body: Mapping[str, Any]) -> bool:
    """Whether the page asked by itself: a tick, or panels that scrolled into view."""
    changed = body.get("changedPropIds", [])
    return bool(changed) and all(str(name).endswith(PASSIVE) for name in changed)


def is_act(body: Mapping[str, Any]) -> bool:
    """Whether anything was pressed; a callback that a page calls while it draws its buttons does nothing."""
    stack = list(body.get("inputs", []))
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict) and item.get("value"):
            return True
    return False


def _told_apart(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    """Turn what Dash itself cannot digest into a 400; a callback's own errors have become toasts before."""

    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            return dispatch(*args, **kwargs)
        except (HTTPException, AppError, PermissionDenied, AuthenticationRequired, OperationalError, InterfaceError):
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            logger.warning("dispatch refused: %s", type(error).__name__, exc_info=error)
            return problem(400, "The request does not fit this callback.")

    return checked


def _found(serve: Callable[..., Any]) -> Callable[..., Any]:
    """A bundle that is not there is a 404; Dash alone answers 500."""

    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            return serve(*args, **kwargs)
        except (DependencyException, InvalidResourceError, OSError):
            return refusal(404)

    return checked
