"""The way of one mail: waiting, sent, or failed with its reason; never back again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.types import now
from models.email_log import EmailLog, EmailStatus
from models.user import User
from services import vault
from services.errors import AppError
from services.mail import message, orders, sending
from services.mail.letters import Letter, Reader, written

MOST_TRIES = 16  # in about a day
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is to be sent now."""

    email_id: int
    recipient: str
    message_id: str
    written_at: datetime
    event: str
    letter: Letter = field(repr=False)  # may hold a link that works once


class LinkEnded(AppError):
    """The mail waited so long that its link opens nothing any more."""

    code = "link_ended"

    def __init__(self) -> None:
        super().__init__("The link in this mail ended before it could be sent.")


def begin(session: Session, email_id: int) -> Outgoing | None:
    """The mail behind a row, unless it has left already."""
    row = session.get(EmailLog, email_id)
    if row is None or row.status != EmailStatus.PENDING or row.message_id is None:
        return None
    told = row.event_data or {}
    ends = told.get(orders.ENDS)
    if ends is not None and datetime.fromisoformat(ends) <= now():
        raise LinkEnded
    found = session.execute(
        select(User.username, User.display_name, User.time_zone).where(User.id == row.user_id)
    ).first()
    reader = Reader("", None) if found is None else Reader(found[1] or found[0], found[2])
    sealed = told.get(orders.LINK)
    link = "" if sealed is None else vault.decrypt(orders.PURPOSE, sealed)
    letter = written(row.template_name or "", row.event_type, row.subject, told, reader, link)
    return Outgoing(row.id, row.recipient_email, row.message_id, row.created_at, row.event_type, letter)


def send(mail: Outgoing) -> str:
    """Send it and return by which way; no transaction is open meanwhile."""
    made = message.composed(
        mail.letter, recipient=mail.recipient, message_id=mail.message_id, written_at=mail.written_at
    )
    return sending.send(made, mail.recipient, sending.file_name(mail.email_id, mail.event))


def note_sent(session: Session, email_id: int, way: str) -> None:
    """It was taken by the server, or lies in the outbox."""
    row = _waiting(session, email_id)
    if row is not None:
        row.status, row.sent_at, row.provider, row.error_message = EmailStatus.SENT, now(), way, None
        _forget_link(row)


def note_failed(session: Session, email_id: int, reason: str) -> None:
    """It will not be tried again."""
    row = _waiting(session, email_id)
    if row is not None:
        row.status, row.error_message = EmailStatus.FAILED, reason
        _forget_link(row)


def note_delay(session: Session, email_id: int, reason: str) -> timedelta | None:
    """How long to wait before the next try; None once there were enough."""
    row = _waiting(session, email_id)
    if row is None:
        return None
    row.retry_count += 1
    if row.retry_count >= MOST_TRIES:
        note_failed(session, email_id, reason)
        return None
    row.error_message = reason
    pause: timedelta = FIRST_PAUSE * 2 ** (row.retry_count - 1)
    return min(pause, LONGEST_PAUSE)


def _waiting(session: Session, email_id: int) -> EmailLog | None:
    return session.scalar(
        select(EmailLog).where(EmailLog.id == email_id, EmailLog.status == EmailStatus.PENDING).with_for_update()
    )


def _forget_link(row: EmailLog) -> None:
    row.event_data = {name: value for name, value in (row.event_data or {}).items() if name != orders.LINK}
