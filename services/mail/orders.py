"""A mail is ordered in the caller's transaction: it leaves with the act or not at all."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from config.settings import settings
from models.email_log import EmailLog
from services import job_queue, vault

KIND = "mail"  # of the job that sends a row of email_logs
PURPOSE = "mail"  # of the key that a link is encrypted with until it is sent
LINK, ENDS = "sealed_link", "link_ends"
MOST_CLAIMS = 40  # more than a mail is tried, so that workers that die do not use its tries up


def order(
    session: Session,
    *,
    user_id: int | None,
    to: str,
    event: str,
    subject: str,
    template: str,
    told: dict[str, Any],
    link: str | None = None,
    link_ends: datetime | None = None,
) -> EmailLog:
    """Write the mail and the job that sends it; the path of a link that works once is encrypted until it has left."""
    data = dict(told)
    if link is not None:
        data[LINK] = vault.encrypt(PURPOSE, link)
    if link_ends is not None:
        data[ENDS] = link_ends.isoformat()
    row = EmailLog(
        user_id=user_id,
        recipient_email=to,
        event_type=event,
        subject=subject,
        template_name=template,
        event_data=data,
        # Made once, so that a mail which leaves twice, because a worker died in between, is the same message.
        message_id=f"<{uuid.uuid4().hex}@{settings().mail_sender.domain}>",
    )
    session.add(row)
    session.flush()
    job_queue.enqueue(session, KIND, {"email_id": row.id}, max_attempts=MOST_CLAIMS)
    return row
