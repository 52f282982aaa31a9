"""The owner of an account is told once when attempts at it begin to be slowed down."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.user import User
from services import job_queue, notices, throttling
from services.throttling import Bucket

KIND = "lock_out"  # of the job that tells the owner, if there is one


def note(session: Session, name: str, counted: Sequence[Bucket], visitor: notices.Visitor) -> None:
    """Called for each counted attempt; with the one that closes the door, a job looks whether somebody owns it.

    The job is made for names that nobody has as well, so that the answer takes as long for them.
    """
    account = throttling.account_bucket(name)
    if account in counted and throttling.has_just_closed(session, account):  # a device of the owner counts by itself
        found = session.scalar(select(User.id).where(or_(User.username == name, User.email == name)))
        job_queue.enqueue(session, KIND, {"user_id": found, "told": notices.circumstances(visitor)})


def tell(session: Session, user_id: int | None, told: dict[str, Any]) -> None:
    """Tell the owner, who has nothing to fear for their own device."""
    if user_id is not None:
        notices.tell_owner(session, user_id, "locked_out", told=told)
