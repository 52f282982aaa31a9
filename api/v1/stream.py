"""`/api/v1/experiments/{id}/stream`: Server-Sent Events of an experiment that runs.

A stream holds a thread of the web server, so a process has few of them and each is short: a client goes on with
Last-Event-ID, as every browser does by itself, and misses nothing.
"""

import threading
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import orjson
from flask import Blueprint, Response, request
from pydantic import Field

from api.v1.experiments import ONE
from api.v1.metrics import MetricName, columns_of
from database.engine import snapshot
from models.permissions import Permission
from services.actor import Actor
from services.curves import following
from services.curves.following import News
from services.errors import AppError
from web.rest.asked import Query
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_stream", __name__, url_prefix=PREFIX)
LASTS, EVERY, SIGN_OF_LIFE = 25.0, 1.0, 5.0  # seconds; shorter than a graceful stop of the server takes
AT_ONCE = 2  # in one process, which has eight threads unless it is told otherwise
_places = threading.BoundedSemaphore(AT_ONCE)


class Busy(AppError):
    """All places for streams are taken."""

    status_code = 503
    code = "busy"


class StreamQuery(Query):
    """What is followed, and from where on."""

    metric: list[MetricName] = Field([], max_length=50, description="These metrics; without any, the first 200.")
    since: Annotated[
        Literal["start", "now"],
        Field(description="From the first point on, or what comes from now on. Last-Event-ID goes before it."),
    ] = "now"


@operation(
    blueprint,
    "GET",
    f"{ONE}/stream",
    permission=Permission.VIEW_EXPERIMENTS,
    query=StreamQuery,
    answer=None,
    streams=True,
    description=(
        "Events of the kind `news` hold status, epochs and the new points of each metric; the last one is `end`, after "
        "which there is no more. A stream ends by itself after 25 s; ask again with the last id. Two at once in a "
        "process; a 503 says that both are taken."
    ),
)
def follow_experiment(actor: Actor, experiment_id: int, query: StreamQuery) -> Response:
    """Follow an experiment while it runs, as Server-Sent Events"""
    word = request.headers.get("Last-Event-ID")
    known = following.known_at(experiment_id, word) if word else None if query.since == "now" else {}
    with snapshot() as session:
        first = following.news(session, actor, experiment_id, known, query.metric)
    if not _places.acquire(blocking=False):
        raise Busy("As many streams as this server has room for are open. Try again in a few seconds.")
    told = Response(_events(actor, experiment_id, query.metric, first), mimetype="text/event-stream")
    told.headers["X-Accel-Buffering"] = "no"  # a proxy that gathers an answer would hold events back
    told.call_on_close(_places.release)
    return told


def _events(actor: Actor, experiment_id: int, metrics: list[str], found: News) -> Iterator[bytes]:
    until = time.monotonic() + LASTS
    yield b"retry: 1000\n\n" + _event("news", experiment_id, found)
    state, spoke = (found.status, found.epochs), time.monotonic()
    while found.is_active or not found.is_all:
        if time.monotonic() >= until:
            return
        if found.is_all:
            time.sleep(EVERY)
        with snapshot() as session:
            found = following.news(session, actor, experiment_id, found.known, metrics)
        if found.series or state != (found.status, found.epochs):
            state, spoke = (found.status, found.epochs), time.monotonic()
            yield _event("news", experiment_id, found)
        elif time.monotonic() - spoke >= SIGN_OF_LIFE:
            spoke = time.monotonic()
            yield b": nothing new\n\n"  # a client that is gone is noticed only when something is sent
    yield _event("end", experiment_id, found, with_points=False)


def _event(kind: str, experiment_id: int, found: News, *, with_points: bool = True) -> bytes:
    series: list[dict[str, Any]] = []
    if with_points:
        series = [{"metric": name, "points": columns_of(points).model_dump()} for name, points in found.series]
    data = orjson.dumps({"status": found.status, "epochs": found.epochs, "series": series})
    word = following.place(experiment_id, found.known).encode()
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (word, kind.encode(), data)
