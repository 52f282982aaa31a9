"""How the installation is: database, migrations, queue, machine."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

import psutil
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.settings import settings
from database import revisions
from database.types import now
from models.job import Job, JobStatus
from models.permissions import Permission
from services import machine
from services.actor import Actor
from services.storage import chosen

QUEUE_STUCK_AFTER = timedelta(minutes=10)
SILENT_AFTER = timedelta(minutes=5)  # without a sign of life from a worker


@dataclass(frozen=True, slots=True)
class Health:
    """What one line on Home tells."""

    load: float  # processes that compute or wait for a core, over the last minute
    cores: int
    memory_percent: float
    disk_percent: float
    database: str
    jobs_running: int
    jobs_waiting: int
    oldest_wait: timedelta | None
    level: str  # healthy, degraded, unhealthy


def is_ready(session: Session) -> bool:
    """Whether work can be taken: migrated to head, and no job that could run has waited for ten minutes."""
    revision = revisions.current(session)
    return revision == revisions.head() and (oldest_wait(session) or timedelta()) < QUEUE_STUCK_AFTER


def oldest_wait(session: Session) -> timedelta | None:
    """How long the oldest job has waited with no worker busy; waiting behind a busy one is normal."""
    oldest = session.scalar(
        select(func.min(Job.not_before)).where(Job.status == JobStatus.PENDING, Job.not_before <= now())
    )
    running = session.scalar(select(Job.id).where(Job.status == JobStatus.RUNNING).limit(1))
    return None if oldest is None or running is not None else now() - oldest


@dataclass(frozen=True, slots=True)
class Queue:
    """The work there is and who does it; `last_sign` is when a worker last showed that it lives."""

    waiting: int
    running: int
    later: int  # not to be begun before a moment that is still to come
    oldest: timedelta | None
    workers: int
    last_sign: datetime | None
    is_silent: bool


@dataclass(frozen=True, slots=True)
class About:
    """What is installed, where it keeps files, and since when it runs."""

    version: str
    revision: str | None
    head: str
    database: str
    python: str
    artifacts: str  # where the files of runs lie
    web_since: datetime
    machine_since: datetime


def queue(session: Session, actor: Actor) -> Queue:
    """What waits, what runs, and whether anybody is there to do it."""
    actor.require(Permission.VIEW_SYSTEM_HEALTH)
    moment = now()
    waits = (Job.status == JobStatus.PENDING) & (Job.not_before <= moment)
    runs = Job.status == JobStatus.RUNNING
    counted = select(
        func.count().filter(waits),
        func.count().filter(runs),
        func.count().filter((Job.status == JobStatus.PENDING) & (Job.not_before > moment)),
        func.min(Job.not_before).filter(waits),
        func.count(func.distinct(Job.claimed_by)).filter(runs),
        func.max(Job.heartbeat_at).filter(runs),
    ).where(Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING)))
    waiting, running, later, oldest, workers, heartbeat = session.execute(counted).one()
    signs = [sign for sign in (heartbeat, machine.last_sample(session)) if sign is not None]
    age = None if oldest is None else moment - oldest
    sign = max(signs, default=None)
    return Queue(waiting, running, later, age, workers, sign, sign is None or moment - sign > SILENT_AFTER)


def about(session: Session, actor: Actor) -> About:
    """Versions, places and times."""
    actor.require(Permission.VIEW_SYSTEM_HEALTH)
    try:
        installed = version("pfd-dashboard")
    except PackageNotFoundError:
        installed = "unknown"
    server = session.connection().dialect.server_version_info or ()
    name = "PostgreSQL" if session.get_bind().dialect.name == "postgresql" else "SQLite"
    return About(
        version=installed,
        revision=revisions.current(session),
        head=revisions.head(),
        database=f"{name} {'.'.join(map(str, server))}",
        python=platform.python_version(),
        artifacts=chosen.place(),
        web_since=datetime.fromtimestamp(psutil.Process().create_time(), UTC),
        machine_since=datetime.fromtimestamp(psutil.boot_time(), UTC),
    )


def overview(session: Session) -> Health:
    """Load of the machine and state of the queue."""
    counts = dict(
        session.execute(
            select(Job.status, func.count())
            .where(Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING)))
            .group_by(Job.status)
        ).all()
    )
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    memory = psutil.virtual_memory().percent
    disk = psutil.disk_usage(str(settings().data_dir)).percent
    wait = oldest_wait(session)
    # A busy processor is what training looks like, here or in another program, so by itself it is no alarm.
    level = "healthy"
    if max(memory, disk) > 75:
        level = "degraded"
    if memory > 90 or disk > 95 or (wait or timedelta()) > QUEUE_STUCK_AFTER:
        level = "unhealthy"
    return Health(
        load=load,
        cores=cores,
        memory_percent=memory,
        disk_percent=disk,
        database=session.get_bind().dialect.name,
        jobs_running=counts.get(JobStatus.RUNNING, 0),
        jobs_waiting=counts.get(JobStatus.PENDING, 0),
        oldest_wait=wait,
        level=level,
    )
