"""Deny by default: every route declares who may call it, and nothing is served before somebody signed in."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Flask, redirect, request
from flask_login import current_user
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as AnyResponse

from web.errors import refusal, wants_html
from web.identity import current_session, touch_session

P = ParamSpec("P")
R = TypeVar("R")

PUBLIC = "everybody"
API_KEY = "an API key"  # asked for by the route itself: a session does not do
KEY_OR_SESSION = "an API key, or signed in"  # asked for by the route itself, as each operation has its permission
SCRAPER = "who knows the word of /metrics"  # asked for by the route itself as well
# Dash's and Flask's own endpoints, which carry no decorator of ours.
STATIC_ENDPOINTS = {
    "static": PUBLIC,
    "_dash_assets.static": PUBLIC,
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": PUBLIC,
    "/_favicon.ico": PUBLIC,
}
SIGNED_IN_ENDPOINTS = {
    "/_dash-layout": "signed in",
    "/_dash-dependencies": "signed in",
    "/_dash-update-component": "signed in, then by callback",
    "/_reload-hash": "signed in",
    "/": "signed in, then by page",
    "/<path:path>": "signed in, then by page",
}


# Where who needs a second factor and has none sets one up; the callbacks and pages check for themselves.
ENROLMENT = "/account/security"
ENROLMENT_ENDPOINTS = {"/_dash-layout", "/_dash-dependencies", "/_dash-update-component", "/_reload-hash"}


class Undeclared(RuntimeError):
    """A route or callback without a permission: the app does not start."""


def public(function: Callable[P, R]) -> Callable[P, R]:
    """Declare that a route is for everybody, signed in or not."""
    marked: Any = function
    marked.needs = PUBLIC
    return function


def for_enrolment(function: Callable[P, R]) -> Callable[P, R]:
    """Declare that a route is open to who needs a second factor and has none yet."""
    marked: Any = function
    marked.for_enrolment = True
    return function


def declared(server: Flask) -> dict[str, str]:
    """Each endpoint and who may call it; raises when one does not say."""
    table: dict[str, str] = {}
    for rule in server.url_map.iter_rules():
        endpoint = rule.endpoint
        known = STATIC_ENDPOINTS.get(endpoint) or SIGNED_IN_ENDPOINTS.get(endpoint)
        needs = known or getattr(server.view_functions[endpoint], "needs", None)
        if needs is None:
            raise Undeclared(f"The route {rule.rule} ({endpoint}) declares no permission.")
        table[endpoint] = needs
    return table


def is_same_origin() -> bool:
    """Whether the request comes from a page of ours; a program that is no browser sends neither header."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.host
    except ValueError:  # such as “http://[”, which no browser sends
        return False


def register(server: Flask) -> None:
    """Stand in front of every request."""

    @server.before_request
    def _guard() -> AnyResponse | None:
        if request.method not in {"GET", "HEAD", "OPTIONS"} and not is_same_origin():
            return refusal(403, "This request came from another site.")
        if isinstance(request.routing_exception, BadRequest):
            return refusal(400)  # without a host no address can be made, not even that of the sign-in form
        if request.endpoint is None:
            return None if current_user.is_authenticated else refusal(401)
        if _needs(server, request.endpoint) in {PUBLIC, API_KEY, KEY_OR_SESSION, SCRAPER}:
            return None
        if not current_user.is_authenticated:
            return refusal(401)
        if current_session().must_enrol and not _is_for_enrolment(server, request.endpoint):
            return _to_enrolment()
        if request.endpoint != "/_dash-update-component":
            touch_session()
        return None


def _needs(server: Flask, endpoint: str) -> str:
    known = STATIC_ENDPOINTS.get(endpoint) or SIGNED_IN_ENDPOINTS.get(endpoint)
    return str(known or getattr(server.view_functions.get(endpoint), "needs", "nobody"))


def _is_for_enrolment(server: Flask, endpoint: str) -> bool:
    if endpoint == "/<path:path>":
        return request.path == ENROLMENT
    return endpoint in ENROLMENT_ENDPOINTS or hasattr(server.view_functions[endpoint], "for_enrolment")


def _to_enrolment() -> AnyResponse:
    if request.method == "GET" and wants_html():
        return redirect(ENROLMENT)
    return refusal(403, "Your role needs a second factor. Set one up first.", code="second_factor_required")
