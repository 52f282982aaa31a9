"""Each request to the API is noted before its answer leaves, refused ones too."""

import logging
import random
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, Response, current_app, g, request

from config.settings import settings
from services import redaction
from services.api_requests.journal import FOLDER, Journal
from web import api_paths
from web.tracing import request_id

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
LONGEST_AGENT, LONGEST_REASON, LARGEST = 300, 500, 2**63 - 1
SAID_EVERY = 60.0  # seconds
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_left_out, _said = 0, float("-inf")


def never_sampled(function: Callable[P, R]) -> Callable[P, R]:
    """Declare that of this route no sample is kept, such as where keys and passwords are the matter itself."""
    marked: Any = function
    marked.never_sampled = True
    return function


def journal() -> Journal:
    """The journal of this process."""
    return _journal(settings().data_dir)


@lru_cache(maxsize=8)
def _journal(data_dir: Path) -> Journal:
    return Journal(data_dir / FOLDER)


def folder() -> Path:
    """Where the journals of all processes lie."""
    return settings().data_dir / FOLDER


def register_first(server: Flask) -> None:
    """Begin before and end after everything else."""

    @server.before_request
    def _begin() -> None:
        g.began = time.perf_counter_ns()

    @server.after_request
    def _note(answer: Response) -> Response:
        if api_paths.is_api():
            _append(_record(answer))
        return answer


def register_last(server: Flask) -> None:
    """Look at an answer before it is compressed."""

    @server.after_request
    def _look(answer: Response) -> Response:
        if api_paths.is_api():
            if answer.status_code >= 400 and answer.is_json:
                said = answer.get_json(silent=True)
                g.api_error = said.get("detail", said.get("message")) if isinstance(said, dict) else None
            if random.random() < settings().api_samples and _may_be_sampled():  # noqa: S311 - which ones is no secret
                g.api_samples = _asked(), _answered(answer)
        return answer


def _may_be_sampled() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return not getattr(view, "never_sampled", False)


def _record(answer: Response) -> dict[str, Any]:
    known = vars(g._get_current_object())  # each look through the proxies costs half a microsecond
    its: Any = cast(Any, request)._get_current_object()
    speaker, error = known.get("speaker"), known.get("api_error")
    asked, answered = known.get("api_samples", (None, None))
    taken = time.perf_counter_ns() - known["began"]
    return {
        "time": time.time_ns() // 1000 - taken // 1000,
        "endpoint": api_paths.template()[:255],
        "method": its.method if its.method in METHODS else "_OTHER",
        "status_code": answer.status_code,
        "response_time_ms": taken / 1e6,
        "request_size_bytes": min(its.content_length or 0, LARGEST),
        "response_size_bytes": None if answer.is_streamed else answer.calculate_content_length(),
        "ip_address": (its.remote_addr or "")[:45] or None,
        "user_agent": _agent(its.headers.get("User-Agent", "")[:2000]),
        "key": None if speaker is None else speaker.prefix,
        "error_message": None if error is None else redaction.text(str(error))[:LONGEST_REASON],
        "request_id": request_id(),
        "request_payload_sample": asked,
        "response_payload_sample": answered,
    }


@lru_cache(maxsize=500)
def _agent(text: str) -> str | None:
    return redaction.text(text)[:LONGEST_AGENT] or None


def _asked() -> dict[str, Any]:
    """What was asked, as far as it was read: a body that the route left alone is not read for this."""
    sample: dict[str, Any] = {}
    if request.query_string:
        sample["query"] = redaction.pairs(request.args.items())
    body, form = vars(request).get("_cached_data"), vars(request).get("form")
    if request.is_json and body:
        sample["body"] = redaction.of_json(body)
    elif request.mimetype in FORMS and form:
        sample["body"] = redaction.pairs(form.items())
    elif request.content_length:
        sample["body"] = f"[{request.content_length:,} bytes]"
    return redaction.fitted(sample)


def _answered(answer: Response) -> dict[str, Any]:
    if answer.is_streamed:
        return {"body": "[streamed]"}
    body = answer.get_data()
    if answer.is_json:
        return redaction.fitted({"body": redaction.of_json(body)})
    return {"body": f"[{len(body):,} bytes]"} if body else {}


def _append(record: dict[str, Any]) -> None:
    """A record that cannot be written keeps nobody from getting an answer; how many it were is told."""
    global _left_out, _said
    try:
        journal().append(record)
    except OSError as error:
        _left_out += 1
        if time.monotonic() - _said > SAID_EVERY:
            _said = time.monotonic()
            logger.error("requests are not recorded (%s); %d so far", error.strerror, _left_out)
        return
    if _left_out:
        logger.warning("requests are recorded again; %d were not", _left_out)
        _left_out = 0
