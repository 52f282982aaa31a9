"""One id per request: in the answer's header, in every log line, on error pages and in toasts."""

import logging
import secrets
import time

from flask import Flask, Response, g, has_request_context, request

from services import context, redaction


def request_id() -> str:
    """The id of the present request."""
    if not has_request_context():
        return "-"
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    return str(g.request_id)


class _RequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id()
        return True


class _Formatter(logging.Formatter):
    """No secret stands in the log, not even where an error tells what it was given, and no event looks like two.

    An event begins at the beginning of a line and nothing else does, so what a client sent never looks like another.
    """

    def format(self, record: logging.LogRecord) -> str:
        return redaction.text(super().format(record)).replace("\r", "\\r").replace("\n", "\n    ")


def configure_logging() -> None:
    """Log to standard error in UTC, each line with its request id."""
    handler = logging.StreamHandler()
    handler.addFilter(_RequestId())
    formatter = _Formatter(
        "%(asctime)sZ %(levelname)s %(name)s [%(request_id)s] %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def register(server: Flask) -> None:
    """Name the request in each answer and in what is recorded meanwhile."""

    @server.before_request
    def _enter() -> None:
        g.origin = context.enter(request.remote_addr, request_id())

    @server.teardown_request
    def _leave(_error: BaseException | None) -> None:
        token = g.pop("origin", None)
        if token is not None:
            context.leave(token)

    @server.after_request
    def _name(answer: Response) -> Response:
        answer.headers["X-Request-ID"] = request_id()
        return answer
