"""A forgotten password: a link by mail, with which its owner chooses another; it never signs anybody in.

Whether there is an account is found out by a job, so that the answer takes as long for a name that nobody has.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from database.types import now
from models.email_log import EmailLog
from models.user import User
from services import audit, job_queue, notices, one_time_tokens, people, sessions, throttling
from services.actor import Actor, actor_of
from services.api_keys import after_reset
from services.errors import Forbidden, NotFound, TooManyAttempts
from services.mail import orders
from services.networks import network_of
from services.sessions import Visitor
from services.throttling import Bucket

KIND = "forgotten_password"  # of the job that looks whether there is somebody to send a link to
LINK_LASTS = timedelta(hours=1)
MOST_A_DAY = 5
EVENT = "account.reset_link"


def ask(session: Session, name: str, visitor: Visitor) -> None:
    """Note that somebody asks for a link; the same happens whether or not there is such an account."""
    wait = throttling.reserve(
        session,
        Bucket("forgotten:address:" + network_of(visitor.address), throttling.PER_ADDRESS),
        Bucket("forgotten:all", throttling.OVERALL),
    )
    if wait:
        raise TooManyAttempts(wait)
    wanted = name.strip().casefold()[:255]
    # The number and not the name goes into the job: people type passwords into the name field.
    found = session.scalar(select(User.id).where(or_(User.username == wanted, User.email == wanted)))
    job_queue.enqueue(session, KIND, {"user_id": found, "told": notices.circumstances(visitor)})


def send_link(session: Session, user_id: int | None, told: dict[str, Any]) -> None:
    """Send a link to somebody who may sign in, a few times a day at most; the earlier ones end."""
    if user_id is None:
        return
    user = session.scalar(select(User).where(User.id == user_id).with_for_update(key_share=True))
    if user is None or not _may_reset(user) or _sent_today(session, user.id) >= MOST_A_DAY:
        return
    start_reset(session, actor_of(user), user, told)


def start_reset(session: Session, actor: Actor, user: User, told: dict[str, Any]) -> None:
    """Send the link in the name of its owner, or of an admin, who never sees it."""
    if not _may_reset(user):
        raise Forbidden(f"{user.username} cannot sign in, so there is no password to reset.")
    token = one_time_tokens.issue(session, "reset", LINK_LASTS, user.id)
    orders.order(
        session,
        user_id=user.id,
        to=user.email,
        event=EVENT,
        subject="Choose a new password",
        template="reset",
        told=told,
        link=f"/reset/{token}",
        link_ends=now() + LINK_LASTS,
    )
    audit.record(session, actor, "user.send_reset_link", user=user.username)


def _may_reset(user: User) -> bool:
    return user.is_active and user.password_hash != people.NO_PASSWORD


def _sent_today(session: Session, user_id: int) -> int:
    sent = select(func.count()).where(
        EmailLog.user_id == user_id, EmailLog.event_type == EVENT, EmailLog.created_at > now() - timedelta(days=1)
    )
    return session.scalar(sent) or 0


def resetting(session: Session, token: str) -> User | None:
    """Whose password an open link resets."""
    found = one_time_tokens.find(session, "reset", token)
    user = None if found is None or found.user_id is None else session.get(User, found.user_id)
    return user if user is not None and _may_reset(user) else None


def complete(session: Session, token: str, password_hash: str, visitor: Visitor) -> User:
    """Store the password that its owner chose and sign them out everywhere; of two at once, one wins."""
    used = one_time_tokens.use(session, "reset", token)
    user = None if used is None else one_time_tokens.owner(session, used)
    if user is None or not _may_reset(user):
        raise NotFound("link")
    user.password_hash, user.password_reset_required = password_hash, False
    one_time_tokens.end_all(session, user.id)
    ended = sessions.end_all(session, user.id, "password reset")
    audit.record(session, actor_of(user), "user.reset_password", user=user.username, sessions_ended=ended)
    left = after_reset.those_that_work(session, user.id)
    notices.tell_owner(session, user.id, "password_reset", visitor=visitor, keys=left)
    return user
