"""Background work as rows: queued, claimed once, kept alive by a heartbeat, finished or withdrawn, at last removed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.job import Job, JobStatus
from services.errors import AppError

ENDED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class UnknownKind(AppError):
    """A job that another version of the product has queued."""

    code = "unknown_job"

    def __init__(self, kind: str) -> None:
        super().__init__(f"The worker's version of PFD knows no job “{kind}”; give all machines the same version.")


def enqueue(
    session: Session,
    kind: str,
    payload: dict[str, Any] | None = None,
    *,
    experiment_id: int | None = None,
    created_by: int | None = None,
    max_attempts: int = 3,
) -> Job:
    """Write the job in the caller's transaction; its message leaves only after the commit."""
    job = Job(
        kind=kind,
        payload=payload or {},
        experiment_id=experiment_id,
        created_by=created_by,
        max_attempts=max_attempts,
        announced_at=now(),
    )
    session.add(job)
    session.flush()
    session.info.setdefault("queued_jobs", []).append(job.id)
    return job


def waiting(session: Session, kinds: Sequence[str], limit: int = 20) -> list[int]:
    """The jobs of these kinds that may be claimed now, the oldest first."""
    due = select(Job.id).where(Job.kind.in_(kinds), Job.status == JobStatus.PENDING, Job.not_before <= now())
    return list(session.scalars(due.order_by(Job.id).limit(limit)))


def claim(session: Session, job_id: int, worker: str) -> Job | None:
    """Take a waiting job; only one of several workers that try gets it."""
    moment = now()
    taken = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.status == JobStatus.PENDING, Job.not_before <= moment)
        .values(status=JobStatus.RUNNING, claimed_by=worker, heartbeat_at=moment, attempts=Job.attempts + 1)
    )
    assert isinstance(taken, CursorResult)
    return session.get(Job, job_id) if taken.rowcount == 1 else None


def forget_message(session: Session, job_id: int) -> None:
    """Have the next sweep name the job at once: its message came to a worker that did not take it up."""
    session.execute(update(Job).where(Job.id == job_id, Job.status == JobStatus.PENDING).values(announced_at=None))


def beat(session: Session, job_id: int, worker: str) -> bool:
    """Say that the job is alive; False tells its worker that it is no longer its job."""
    beaten = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.status == JobStatus.RUNNING, Job.claimed_by == worker)
        .values(heartbeat_at=now())
    )
    assert isinstance(beaten, CursorResult)
    return beaten.rowcount == 1


def finish(session: Session, job_id: int, worker: str) -> bool:
    """Mark the job as done, unless another worker has taken it over meanwhile."""
    moment = now()
    done = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.status == JobStatus.RUNNING, Job.claimed_by == worker)
        .values(status=JobStatus.COMPLETED, ended_at=moment, heartbeat_at=moment, error_message=None)
    )
    assert isinstance(done, CursorResult)
    return done.rowcount == 1


def cancel_for(session: Session, experiment_id: int) -> None:
    """Withdraw the work of an experiment that nobody wants any more; a running job notices by its heartbeat."""
    session.execute(
        update(Job)
        .where(Job.experiment_id == experiment_id, Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING)))
        .values(status=JobStatus.CANCELLED, ended_at=now())
    )


def purge(session: Session, limit: int = 1000) -> int:
    """Remove some of the jobs that ended long enough ago; returns how many went.

    The last of each kind stays: it tells that such work was done at all, as the demo's, which is loaded only once.
    """
    newest = select(func.max(Job.id)).group_by(Job.kind)
    old = session.scalars(
        select(Job.id)
        .where(Job.status.in_(ENDED), Job.ended_at < now() - settings().jobs_kept, Job.id.not_in(newest))
        .order_by(Job.id)
        .limit(limit)
    ).all()
    if old:
        session.execute(delete(Job).where(Job.id.in_(old)))
    return len(old)
