"""Signing in and staying signed in: a row per session, found by the hash of its token."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.login_history import LoginHistory
from models.permissions import permissions_of
from models.session_log import SessionLog
from models.user import User
from services import devices, known_devices, passwords, throttling
from services.actor import Actor
from services.throttling import Bucket

# Asked at every request, so built once and read as plain columns.
SESSIONS, USERS = SessionLog.__table__, User.__table__
_SESSION = (
    select(
        SESSIONS.c.id,
        SESSIONS.c.is_active,
        SESSIONS.c.last_active,
        SESSIONS.c.expires_at,
        USERS.c.id,
        USERS.c.username,
        USERS.c.email,
        USERS.c.role,
        USERS.c.is_active,
    )
    .join_from(SESSIONS, USERS, USERS.c.id == SESSIONS.c.user_id)
    .where(SESSIONS.c.session_token == bindparam("token"))
)
TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a request comes from."""

    address: str
    agent: str
    device: str = ""  # what a browser tells in which an owner has signed in before


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in whose password has not been checked yet."""

    name: str
    user_id: int | None
    password_hash: str | None
    wait: int
    buckets: tuple[Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The session behind a request."""

    actor: Actor
    email: str
    session_id: int
    last_active: datetime


def begin_sign_in(session: Session, name: str, visitor: Visitor) -> Attempt:
    """Count the attempt and look the account up; checking the password costs time, so no transaction is open then."""
    name = name.strip().casefold()[:255]
    user = session.execute(
        select(User.id, User.password_hash, User.is_active).where(or_(User.username == name, User.email == name))
    ).first()
    buckets = _buckets(name, visitor, None if user is None else user.id, None if user is None else user.password_hash)
    wait = throttling.reserve(session, *buckets)
    if wait:
        _note(session, None if user is None else user.id, visitor, "too many attempts")
    if user is None or not user.is_active:
        return Attempt(name, None if user is None else user.id, None, wait, buckets)
    return Attempt(name, user.id, user.password_hash, wait, buckets)


def _buckets(name: str, visitor: Visitor, user_id: int | None, password_hash: str | None) -> tuple[Bucket, ...]:
    """What an attempt counts against; an owner's own device has a counter of its own, which no stranger can fill."""
    device = known_devices.device_of(visitor.device, user_id, password_hash)
    if device is not None:
        return (throttling.device_bucket(device),)
    return throttling.account_bucket(name), throttling.address_bucket(visitor.address), throttling.ALL


def complete_sign_in(session: Session, attempt: Attempt, verified: bool, password: str, visitor: Visitor) -> str | None:
    """Open a session and return its token, or record the failure and return None."""
    user = session.get(User, attempt.user_id) if attempt.user_id is not None else None
    if user is None or not verified or not user.is_active:
        reason = "no such account" if user is None else "account disabled" if not user.is_active else "wrong password"
        _note(session, attempt.user_id, visitor, reason)
        return None
    throttling.release(session, *attempt.buckets)
    if passwords.needs_rehash(user.password_hash):
        user.password_hash = passwords.hash_password(password)
    _note(session, user.id, visitor, None)
    return open_session(session, user, visitor)


def open_session(session: Session, user: User, visitor: Visitor) -> str:
    """Make a session for somebody who has just proved who they are."""
    token = secrets.token_urlsafe(32)
    moment, device = now(), devices.describe(visitor.agent)
    session.add(
        SessionLog(
            user_id=user.id,
            session_token=_hash(token),
            ip_address=visitor.address[:45],
            user_agent=visitor.agent[:500],
            device_type=device.kind,
            browser=device.browser[:100],
            last_active=moment,
            expires_at=moment + settings().session_absolute,
        )
    )
    session.flush()
    return token


def resolve(session: Session, token: str) -> SignedIn | None:
    """Who this token belongs to now; None once the session is idle, over, ended, or its owner disabled."""
    moment = now()
    row = session.execute(_SESSION, {"token": _hash(token)}).first()
    if row is None:
        return None
    session_id, is_open, last_active, expires_at, user_id, username, email, role, is_enabled = row
    idle_until = last_active + settings().session_idle
    if not is_open or not is_enabled or moment >= expires_at or moment >= idle_until:
        return None
    return SignedIn(Actor(user_id, username, role, permissions_of(role)), email, session_id, last_active)


def is_stale(signed_in: SignedIn) -> bool:
    """Whether activity should be written again; at most once a minute."""
    return now() - signed_in.last_active >= TOUCH_EVERY


def touch(session: Session, session_id: int) -> None:
    """Somebody did something: the idle time starts anew."""
    session.execute(
        update(SessionLog).where(SessionLog.id == session_id, SessionLog.is_active).values(last_active=now())
    )


def end(session: Session, session_id: int, reason: str) -> None:
    """End one session; its token is refused from the next request on, in every worker."""
    session.execute(
        update(SessionLog)
        .where(SessionLog.id == session_id, SessionLog.is_active)
        .values(is_active=False, logged_out_at=now(), end_reason=reason)
    )


def end_all(session: Session, user_id: int, reason: str, *, but: int | None = None) -> int:
    """End every session of one person, except the one given, and return how many."""
    statement = update(SessionLog).where(SessionLog.user_id == user_id, SessionLog.is_active)
    if but is not None:
        statement = statement.where(SessionLog.id != but)
    ended = session.scalars(
        statement.values(is_active=False, logged_out_at=now(), end_reason=reason).returning(SessionLog.id)
    )
    return len(ended.all())


def previous_visit(session: Session, user_id: int, session_id: int) -> datetime | None:
    """When this person was last here before the present session."""
    return session.scalar(
        select(func.max(SessionLog.last_active)).where(SessionLog.user_id == user_id, SessionLog.id != session_id)
    )


def _note(session: Session, user_id: int | None, visitor: Visitor, failure: str | None) -> None:
    session.add(
        LoginHistory(
            user_id=user_id,
            ip_address=visitor.address[:45],
            user_agent=visitor.agent[:500],
            login_method="password",
            success=failure is None,
            failure_reason=failure,
        )
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
