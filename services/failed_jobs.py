"""Jobs that failed: why, and trying one again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database.types import now
from models.email_log import EmailLog, EmailStatus
from models.job import Job, JobStatus
from models.permissions import Permission
from services import audit, notices
from services.actor import Actor
from services.errors import Conflict, NotFound

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class FailedJob:
    """One job that ended with a reason."""

    id: int
    kind: str
    reason: str
    attempts: int
    ended: datetime | None
    experiment_id: int | None
    may_retry: bool


def failed(session: Session, actor: Actor) -> list[FailedJob]:
    """Those that failed last."""
    return page(session, actor)[0]


def page(
    session: Session, actor: Actor, *, before: int | None = None, limit: int = MOST_SHOWN
) -> tuple[list[FailedJob], int | None]:
    """Those that failed last, or those before one, and where the next page begins if there is one."""
    actor.require(Permission.VIEW_SYSTEM_HEALTH)
    query = select(Job).where(Job.status == JobStatus.FAILED)
    if before is not None:
        query = query.where(Job.id < before)
    rows = session.scalars(query.order_by(Job.id.desc()).limit(limit + 1)).all()
    may = actor.may(Permission.RUN_EXPERIMENTS)
    shown = [
        FailedJob(
            id=job.id,
            kind=job.kind,
            reason=job.error_message or "No reason was given.",
            attempts=job.attempts,
            ended=job.ended_at,
            experiment_id=job.experiment_id,
            may_retry=may and job.experiment_id is None,
        )
        for job in rows[:limit]
    ]
    return shown, rows[limit - 1].id if len(rows) > limit else None


def retry(session: Session, actor: Actor, job_id: int) -> str:
    """Queue a failed job once more, as often tried as a new one, and return its kind; of two at once one does."""
    for permission in (Permission.VIEW_SYSTEM_HEALTH, Permission.RUN_EXPERIMENTS):
        actor.require(permission)
    job = session.scalar(select(Job).where(Job.id == job_id).with_for_update())
    if job is None:
        raise NotFound("job")
    if job.status != JobStatus.FAILED:
        raise Conflict("This job has been queued again already.")
    if job.experiment_id is not None:
        raise Conflict("An experiment that has ended is never restarted; start a new one.")
    if job.kind == notices.KIND:
        _reopen_mail(session, job)
    reason, moment = job.error_message, now()
    job.status, job.attempts, job.error_message = JobStatus.PENDING, 0, None
    job.claimed_by = job.heartbeat_at = job.ended_at = None
    job.not_before = job.announced_at = moment
    session.flush()
    session.info.setdefault("queued_jobs", []).append(job.id)
    sides = {"before": JobStatus.FAILED.value, "after": JobStatus.PENDING.value}
    audit.record(session, actor, "job.retry", job=job.id, kind=job.kind, reason=reason, **sides)
    return job.kind


def _reopen_mail(session: Session, job: Job) -> None:
    """A notice that was given up waits again, or its job would find nothing to do; a link is gone with its mail."""
    opened = session.scalar(
        update(EmailLog)
        .where(
            EmailLog.id == job.payload.get("email_id"),
            EmailLog.template_name == "notice",
            EmailLog.status.in_((EmailStatus.FAILED, EmailStatus.PENDING)),
            EmailLog.recipient_email.not_like("%@invalid"),
        )
        .values(status=EmailStatus.PENDING, error_message=None, retry_count=0)
        .returning(EmailLog.id)
    )
    if opened is None:
        raise Conflict("This mail cannot be sent any more: it has left, its link is over, or its account was deleted.")
