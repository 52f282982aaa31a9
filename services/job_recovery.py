"""How jobs go wrong: failed, handed back, lost with their worker; job and experiment always tell the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.experiment import Experiment
from models.job import Job, JobStatus
from services.experiments import lifecycle

WORKER_LOST = "The worker stopped in the middle of this job."


def fail(
    session: Session, job_id: int, worker: str, reason: str, *, retry: bool = False, after: timedelta = timedelta()
) -> None:
    """End the job with its reason, or put it back when it may be tried again, at once or after a pause."""
    job = _held(session, job_id, worker)
    if job is None:
        return
    if retry and job.attempts < job.max_attempts:
        _put_back(session, job, reason)
        job.not_before = now() + after
    else:
        _give_up(session, job, reason)
    session.flush()


def hand_back(session: Session, job_id: int, worker: str) -> None:
    """Leave the job to another worker because this one shuts down, which is no failed attempt."""
    job = _held(session, job_id, worker)
    if job is None:
        return
    _put_back(session, job, None)
    job.attempts -= 1
    session.flush()


def sweep(session: Session, limit: int = 200) -> list[int]:
    """Find lost work: jobs whose worker died go back or end as failed; jobs whose message was lost are named again."""
    moment = now()
    lost_before = moment - settings().job_lost_after
    silent = session.scalars(
        select(Job.id)
        .where(Job.status == JobStatus.RUNNING, Job.heartbeat_at < lost_before)
        .order_by(Job.id)
        .limit(limit)
    ).all()
    for job_id in silent:
        _recover(session, job_id, lost_before)
    session.flush()
    return _to_announce(session, moment, limit)


def _recover(session: Session, job_id: int, lost_before: datetime) -> None:
    # What another sweep, or the worker itself, holds just now is left to it.
    job = _locked(session, job_id, skip_locked=True)
    if job is None or job.status != JobStatus.RUNNING or (job.heartbeat_at or lost_before) >= lost_before:
        return
    if job.attempts < job.max_attempts:
        _put_back(session, job, WORKER_LOST)
    else:
        _give_up(session, job, WORKER_LOST)


def _to_announce(session: Session, moment: datetime, limit: int) -> list[int]:
    again_before = moment - settings().job_lost_after * (2 / 3)
    waiting: Sequence[Job] = session.scalars(
        select(Job)
        .where(
            Job.status == JobStatus.PENDING,
            Job.not_before <= moment,
            or_(Job.announced_at.is_(None), Job.announced_at < again_before),
        )
        .order_by(Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for job in waiting:
        job.announced_at = moment
    session.flush()
    return [job.id for job in waiting]


def _held(session: Session, job_id: int, worker: str) -> Job | None:
    job = _locked(session, job_id)
    return job if job is not None and job.status == JobStatus.RUNNING and job.claimed_by == worker else None


def _locked(session: Session, job_id: int, *, skip_locked: bool = False) -> Job | None:
    # The experiment before its job, as cancelling does, or the two would wait for each other.
    experiment_id = session.scalar(select(Job.experiment_id).where(Job.id == job_id))
    if experiment_id is not None:
        owner = select(Experiment.id).where(Experiment.id == experiment_id).with_for_update(skip_locked=skip_locked)
        if session.scalar(owner) is None:
            return None
    return session.scalar(
        select(Job)
        .where(Job.id == job_id)
        .with_for_update(skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    )


def _put_back(session: Session, job: Job, reason: str | None) -> None:
    job.status = JobStatus.PENDING
    job.claimed_by = None
    job.heartbeat_at = None
    job.announced_at = None
    job.error_message = reason
    if job.experiment_id is not None:
        lifecycle.wait_again(session, job.experiment_id)


def _give_up(session: Session, job: Job, reason: str) -> None:
    job.status = JobStatus.FAILED
    job.ended_at = now()
    job.error_message = reason
    if job.experiment_id is not None:
        lifecycle.fail(session, job.experiment_id, reason)
