"""How refusals and bugs are told: a page for people, problem+json for programs, never a trace."""

import logging
import sqlite3
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from models.permissions import AuthenticationRequired, PermissionDenied
from services.errors import AppError, Invalid, TooManyAttempts
from web import mlflow_errors
from web.tracing import request_id

logger = logging.getLogger(__name__)

DISK_FULL = "53100"  # as PostgreSQL says it

_SENTENCES = {
    400: "The request could not be understood.",
    401: "Please sign in.",
    403: "You may not open this.",
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    413: "That is more than this address takes at once.",
    415: "This address takes application/json only.",
    429: "Too many requests.",
    500: "Something went wrong on our side.",
    503: "The database does not answer at the moment.",
    507: "The disk of the server is full: nothing can be saved until somebody makes room on it.",
}


def problem(status: int, detail: str, *, code: str | None = None, **more: Any) -> Response:
    """An RFC 9457 answer, or what stands for it in MLflow's protocol."""
    if mlflow_errors.is_asked():
        return mlflow_errors.answer(status, detail, code)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request_id(),
        **({"code": code} if code else {}),
        **more,
    }
    answer = jsonify(body)
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return answer


# Pages that stand below the addresses of the API, where everything else is for programs.
API_PAGES = frozenset({"/api/docs"})


def wants_html() -> bool:
    """Whether a person in a browser asked for a page."""
    if request.path in API_PAGES:
        return not request.is_json
    if request.path.startswith(("/_dash", "/api/", "/search/")) or request.is_json:
        return False
    return request.accept_mimetypes.accept_html


def refusal(status: int, detail: str | None = None, **more: Any) -> AnyResponse:
    """The page or the problem+json of a refusal."""
    text = detail or _SENTENCES.get(status, HTTPStatus(status).phrase)
    if status == 401 and wants_html() and request.method == "GET":
        return redirect(url_for("forms.login", next=request.full_path.rstrip("?")))
    if not wants_html():
        return problem(status, text, **more)
    page = render_template("error.html", status=status, sentence=text, request_id=request_id())
    return Response(page, status=status, mimetype="text/html")


def sentence_of(error: Exception) -> str | None:
    """What a person may read of an error; None for a bug, whose text stays in the log."""
    if isinstance(error, AppError | PermissionDenied | AuthenticationRequired):
        return str(error)
    if isinstance(error, OperationalError | InterfaceError):
        return _SENTENCES[_status_of(error)]
    return None


def _status_of(error: OperationalError | InterfaceError) -> int:
    code = getattr(error.orig, "sqlite_errorcode", None) or getattr(error.orig, "pgcode", None)
    return 507 if code in {sqlite3.SQLITE_FULL, DISK_FULL} else 503


def register(server: Flask) -> None:
    """Bind the answers to the errors."""

    @server.errorhandler(AuthenticationRequired)
    def _unauthenticated(error: AuthenticationRequired) -> AnyResponse:
        return refusal(401, str(error))

    @server.errorhandler(PermissionDenied)
    def _forbidden(error: PermissionDenied) -> AnyResponse:
        g.refused_by = error
        return refusal(403, str(error))

    @server.errorhandler(AppError)
    def _refused(error: AppError) -> AnyResponse:
        g.refused_by = error
        more: dict[str, Any] = {"code": error.code}
        faults = getattr(error, "faults", None)  # several at once, as programs send them
        if faults:
            more["errors"] = faults
        elif isinstance(error, Invalid) and error.field:
            more["errors"] = [{"field": error.field, "detail": str(error)}]
        answer = refusal(error.status_code, str(error), **more)
        if isinstance(error, TooManyAttempts):
            answer.headers["Retry-After"] = str(error.retry_after)
        if error.status_code == 503:
            answer.headers["Retry-After"] = "5"
        if error.status_code == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @server.errorhandler(OperationalError)
    @server.errorhandler(InterfaceError)
    def _database_away(error: OperationalError | InterfaceError) -> AnyResponse:
        logger.error("database error", exc_info=error)
        answer = refusal(_status_of(error))
        if answer.status_code == 503:
            answer.headers["Retry-After"] = "5"
        return answer

    @server.errorhandler(HTTPException)
    def _http(error: HTTPException) -> AnyResponse:
        if error.response is not None or error.code is None or error.code < 400:
            return error.get_response()
        answer = refusal(error.code, _SENTENCES.get(error.code, error.name))
        for name, value in error.get_headers(request.environ):
            if name.lower() in {"allow", "retry-after"}:
                answer.headers[name] = value
        return answer

    @server.errorhandler(Exception)
    def _bug(error: Exception) -> AnyResponse:
        logger.error("unhandled error", exc_info=error)
        return refusal(500)
