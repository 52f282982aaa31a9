"""How the installation is: database, migrations, queue, machine."""

import os
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import psutil
from alembic.migration import MigrationContext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.settings import settings
from database import migrations
from database.types import now
from models.job import Job, JobStatus

QUEUE_STUCK_AFTER = timedelta(minutes=10)


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


@lru_cache(maxsize=1)
def _head() -> str:
    return migrations.head()


def is_ready(session: Session) -> bool:
    """Whether work can be taken: migrated to head, and no job that could run has waited for ten minutes."""
    revision = MigrationContext.configure(session.connection()).get_current_revision()
    return revision == _head() and (oldest_wait(session) or timedelta()) < QUEUE_STUCK_AFTER


def oldest_wait(session: Session) -> timedelta | None:
    """How long the oldest job has waited with no worker busy; waiting behind a busy one is normal."""
    oldest = session.scalar(
        select(func.min(Job.not_before)).where(Job.status == JobStatus.PENDING, Job.not_before <= now())
    )
    running = session.scalar(select(Job.id).where(Job.status == JobStatus.RUNNING).limit(1))
    return None if oldest is None or running is not None else now() - oldest


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
