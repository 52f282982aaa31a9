"""Which route of the API an address means: below /api/ there are no pages, and the method is told from the address."""

import threading
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect
from werkzeug.wrappers import Response as AnyResponse

from services.limits.quotas import QuotaExceeded
from web import api_limits
from web.errors import API_PAGES, refusal

PREFIX = "/api/"
UNKNOWN = "(unknown address)"


def is_api() -> bool:
    """Whether this request is for the API."""
    return request.path.startswith(PREFIX) and request.path not in API_PAGES


def template() -> str:
    """The route of this request as it is declared, never the address itself, whose parts may be private."""
    rule = request.url_rule
    if rule is not None and rule.rule.startswith(PREFIX):
        return rule.rule
    return str(g.get("api_route", UNKNOWN))


def register(server: Flask) -> None:
    """Answer what is not there before Dash takes it for a page."""
    known: dict[str, Map] = {}
    making = threading.Lock()

    def routes() -> Map:
        with making:  # by one thread: those that compile rules at once trip over each other in Python's parser
            if "map" not in known:
                rules = [rule.empty() for rule in server.url_map.iter_rules() if rule.rule.startswith(PREFIX)]
                known["map"] = Map(rules, strict_slashes=server.url_map.strict_slashes, merge_slashes=False)
            return known["map"]

    @server.before_request
    def _not_there() -> AnyResponse | None:
        if not is_api():
            return None
        rule = request.url_rule
        is_there = rule is not None and rule.rule.startswith(PREFIX)
        if is_there and request.method != "OPTIONS":
            return None  # and no process makes the map below before it is needed
        address = routes().bind("")
        if request.method == "OPTIONS" and (offered := sorted(address.allowed_methods(request.path))):
            return Response(headers={"Allow": ", ".join(offered)})  # Flask would tell of the pages' route as well
        if is_there:
            return None
        allowed: list[str] | None = None
        try:
            address.match(request.path, method=request.method)
        except NotFound:
            pass
        except RequestRedirect:
            return None
        except MethodNotAllowed as error:
            allowed = sorted(error.valid_methods or ())
            found: Any = address.match(request.path, method=allowed[0], return_rule=True)
            g.api_route = found[0].rule
        try:
            api_limits.count_stranger()
        except QuotaExceeded as error:
            return server.make_response(server.handle_user_exception(error))
        if allowed is None:
            return refusal(404)
        answer = refusal(405)
        answer.headers["Allow"] = ", ".join(allowed)
        return answer
