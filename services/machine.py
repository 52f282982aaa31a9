"""The machine over time: a sample a minute, kept for thirty days."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psutil
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.health_sample import HealthSample
from models.job import Job, JobStatus

KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Reading:
    """The machine at one moment; bytes, and the share of all cores that was busy just now."""

    cpu_percent: float
    memory_used: int
    memory_total: int
    disk_used: int
    disk_total: int


def look(seconds: float) -> Reading:
    """Look at the machine for this long; no transaction may be open meanwhile."""
    cpu = psutil.cpu_percent(interval=seconds)
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(str(settings().data_dir))
    # What is used and what may still be: a part kept back for others is neither, as in the per cent of psutil and df.
    return Reading(cpu, memory.total - memory.available, memory.total, disk.used, disk.used + disk.free)


def keep(session: Session, reading: Reading) -> None:
    """Write a sample, with how much work there is."""
    counts: dict[Any, int] = dict(
        session.execute(
            select(Job.status, func.count())
            .where(Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING)))
            .group_by(Job.status)
        ).all()
    )
    session.add(
        HealthSample(
            cpu_percent=reading.cpu_percent,
            memory_used=reading.memory_used,
            memory_total=reading.memory_total,
            disk_used=reading.disk_used,
            disk_total=reading.disk_total,
            jobs_waiting=counts.get(JobStatus.PENDING, 0),
            jobs_running=counts.get(JobStatus.RUNNING, 0),
        )
    )


def purge(session: Session, limit: int) -> int:
    """Remove some of the samples that are old enough; returns how many went."""
    old = session.scalars(
        select(HealthSample.id).where(HealthSample.taken_at < now() - KEPT).order_by(HealthSample.id).limit(limit)
    ).all()
    if old:
        session.execute(delete(HealthSample).where(HealthSample.id.in_(old)))
    return len(old)


def last_sample(session: Session) -> Any:
    """When the worker took a sample last: its sign of life."""
    return session.scalar(select(func.max(HealthSample.taken_at)))


def was_sampled_within(session: Session, seconds: float) -> bool:
    """Whether anybody has taken a sample lately."""
    taken_at = last_sample(session)
    return taken_at is not None and taken_at > now() - timedelta(seconds=seconds)
