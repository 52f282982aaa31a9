"""`/api/v1/health` and `/api/v1/failed-jobs`: how the installation is, for those who may see it."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import cursors, database_size, failed_jobs, machine, machine_courses
from services import health as installation
from services.actor import Actor
from web.rest.answers import Answer, Listed, Reply, listed
from web.rest.asked import Query
from web.rest.kinds import Paged
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_health", __name__, url_prefix=PREFIX)
HEALTH, JOBS = "/health", "/failed-jobs"
LOOKED_AT = 0.1  # seconds over which the load of the processor is measured
SPANS = {"24h": machine_courses.SPANS["24 h"], "7d": machine_courses.SPANS["7 d"]}


class Machine(Answer):
    """The machine just now: the share of all its cores that was busy, and bytes."""

    cpu_percent: float
    memory_used: int
    memory_total: int
    disk_used: int
    disk_total: int


class Queue(Answer):
    """The work there is; `silent` says that no worker has shown lately that it lives, `oldest` is in seconds."""

    waiting: int
    running: int
    later: int
    oldest: float | None
    workers: int
    last_sign: datetime | None
    silent: bool


class Table(Answer):
    """One table; `about` says that its rows are estimated."""

    name: str
    rows: int
    about: bool
    bytes: int | None


class Database(Answer):
    """The size of the database and of its tables, the largest first."""

    bytes: int
    tables: list[Table]


class Installed(Answer):
    """What is installed, where the files of runs lie, and since when it runs."""

    version: str
    revision: str | None
    head: str
    database: str
    python: str
    artifacts: str
    web_since: datetime
    machine_since: datetime


class Health(Answer):
    """How the installation is."""

    machine: Machine
    queue: Queue
    database: Database
    about: Installed


class Sample(Answer):
    """A value at a moment."""

    moment: datetime
    value: float


class FailedJob(Answer):
    """A job that ended with a reason."""

    id: int
    kind: str
    reason: str
    attempts: int
    ended: datetime | None
    experiment_id: int | None
    may_retry: bool


class HistoryQuery(Query):
    """Of what, and over which time."""

    quantity: Literal["cpu", "memory", "disk", "running", "waiting"] = Field(
        description="`cpu`, `memory` and `disk` in per cent; `running` and `waiting` jobs."
    )
    range: Literal["24h", "7d"] = "24h"


@operation(
    blueprint,
    "GET",
    HEALTH,
    permission=Permission.VIEW_SYSTEM_HEALTH,
    answer=Health,
    look=partial(machine.look, LOOKED_AT),
)
def get_health(session: Session, actor: Actor, looked: machine.Reading, **_: Any) -> Health:
    """Machine, workers and queue, database, versions"""
    queue, size = installation.queue(session, actor), database_size.size(session, actor)
    tables = [Table.from_row(one) for one in size.tables]
    return Health(
        machine=Machine.from_row(looked),
        queue=Queue.from_row(queue, oldest=_seconds(queue.oldest), silent=queue.is_silent),
        database=Database(bytes=size.bytes, tables=tables),
        about=Installed.from_row(installation.about(session, actor)),
    )


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


@operation(
    blueprint,
    "GET",
    f"{HEALTH}/history",
    permission=Permission.VIEW_SYSTEM_HEALTH,
    query=HistoryQuery,
    answer=Listed[Sample],
    table=Sample,
    description="As many samples as draw the same curve, every spike among them; at most 600 or so.",
)
def list_health_history(session: Session, actor: Actor, query: HistoryQuery) -> Reply:
    """One quantity of the machine or its queue over a day or a week"""
    course = machine_courses.courses(session, actor, SPANS[query.range])[query.quantity]
    items = [
        Sample(moment=datetime.fromtimestamp(milliseconds / 1000, UTC), value=value)
        for milliseconds, value in zip(course.times.tolist(), course.values.tolist(), strict=True)
    ]
    return listed(Listed[Sample](items=items))


@operation(
    blueprint,
    "GET",
    JOBS,
    permission=Permission.VIEW_SYSTEM_HEALTH,
    query=Paged,
    answer=Listed[FailedJob],
    table=FailedJob,
)
def list_failed_jobs(session: Session, actor: Actor, query: Paged) -> Reply:
    """The jobs that failed, the newest first"""
    about = ["failed-jobs"]
    before = cursors.read(query.cursor, about)[0] if query.cursor else None
    found, following = failed_jobs.page(session, actor, before=before, limit=query.limit)
    cursor = None if following is None else cursors.write(about, [following])
    return listed(Listed[FailedJob](items=[FailedJob.from_row(one) for one in found], next=cursor))


@operation(
    blueprint,
    "POST",
    f"{JOBS}/<int:number>/retry",
    permission=Permission.RUN_EXPERIMENTS,
    answer=None,
    status=204,
    refusals=(409,),
    description="Needs the permission “view system health” as well.",
)
def retry_failed_job(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """Queue a failed job once more"""
    failed_jobs.retry(session, actor, number)
