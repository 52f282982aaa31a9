"""Signing in and staying signed in: a row per session, found by the hash of its token."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.login_history import LoginHistory
from models.permissions import permissions_of
from models.session_log import SessionLog
from models.user import User
from services import devices, known_devices, lock_outs, places, throttling
from services.actor import Actor
from services.errors import NotFound
from services.second_factor import policy
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
        SESSIONS.c.authenticated_at,
        policy.has_one(),
        policy.STORED,
    )
    .join_from(SESSIONS, USERS, USERS.c.id == SESSIONS.c.user_id)
    .where(SESSIONS.c.session_token == bindparam("token"), SESSIONS.c.second_factor_pending.is_(False))
)
TOUCH_EVERY = timedelta(minutes=1)
LEEWAY = timedelta(minutes=1)  # by which the clocks of two machines may differ
SECOND_STEP_LASTS = timedelta(minutes=10)
KEPT_WAITING, REPEATED_WITHIN = "too many attempts", timedelta(minutes=1)
NOT_GIVEN = "second factor not given"  # the reason until it is
CHOOSE_ANEW = (
    "Your password has to be chosen anew before you can sign in. Use “Forgotten your password?” to get a link for that."
)


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
    must_choose_anew: bool = False  # an admin has asked for a new password


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The session behind a request."""

    actor: Actor
    email: str
    session_id: int
    last_active: datetime
    authenticated_at: datetime | None = None
    must_enrol: bool = False  # the role needs a second factor and there is none


@dataclass(frozen=True, slots=True)
class Opened:
    """What a right password opened: a session, or only the second step."""

    token: str
    second_step: bool = False


def begin_sign_in(session: Session, name: str, visitor: Visitor) -> Attempt:
    """Count the attempt and look the account up; checking the password costs time, so no transaction is open then."""
    name = name.strip().casefold()[:255]
    user = session.execute(
        select(User.id, User.password_hash, User.is_active, User.password_reset_required).where(
            or_(User.username == name, User.email == name)
        )
    ).first()
    buckets = _buckets(name, visitor, None if user is None else user.id, None if user is None else user.password_hash)
    wait = throttling.reserve(session, *buckets)
    if wait:
        note(session, None if user is None else user.id, visitor, KEPT_WAITING)
    else:
        lock_outs.note(session, name, buckets, visitor)
    if user is None or not user.is_active:
        return Attempt(name, None if user is None else user.id, None, wait, buckets)
    return Attempt(name, user.id, user.password_hash, wait, buckets, user.password_reset_required)


def _buckets(name: str, visitor: Visitor, user_id: int | None, password_hash: str | None) -> tuple[Bucket, ...]:
    """What an attempt counts against; an owner's own device has a counter of its own, which no stranger can fill."""
    device = known_devices.device_of(visitor.device, user_id, password_hash)
    if device is not None:
        return (throttling.device_bucket(device),)
    return throttling.account_bucket(name), throttling.address_bucket(visitor.address), throttling.ALL


def complete_sign_in(
    session: Session, attempt: Attempt, verified: bool, renewed: str | None, visitor: Visitor
) -> Opened | None:
    """Open a session, or the second step for who has a second factor; record a failure and return None."""
    user = None
    if attempt.user_id is not None:  # locked, so that what ends all sessions of an account sees this one or comes first
        lock = {"key_share": True} if verified else None
        user = session.get(User, attempt.user_id, with_for_update=lock, populate_existing=True)
    if user is None or not verified or not user.is_active or user.password_hash != attempt.password_hash:
        reason = "no such account" if user is None else "account disabled" if not user.is_active else "wrong password"
        note(session, attempt.user_id, visitor, reason)
        return None
    throttling.release(session, *attempt.buckets)
    if user.password_reset_required:
        note(session, user.id, visitor, "new password required")
        return None
    if renewed is not None:
        user.password_hash = renewed
    return let_in(session, user, visitor)


def let_in(session: Session, user: User, visitor: Visitor, method: str = "password") -> Opened:
    """What a first factor opens: a session, or the second step for who has a second factor."""
    if not session.scalar(select(policy.has_one()).where(User.id == user.id)):
        note(session, user.id, visitor, None, method)
        return Opened(open_session(session, user, visitor, method))
    moment = now()
    note(session, user.id, visitor, NOT_GIVEN, method, moment)
    return Opened(_add(session, user, visitor, moment, SECOND_STEP_LASTS, pending=True), second_step=True)


def open_session(session: Session, user: User, visitor: Visitor, factors: str = "password") -> str:
    """Make a session for somebody who has just proved who they are."""
    return _add(session, user, visitor, now(), settings().session_absolute, factors=factors)


def _add(
    session: Session,
    user: User,
    visitor: Visitor,
    moment: datetime,
    lasts: timedelta,
    *,
    factors: str = "password",
    pending: bool = False,
) -> str:
    token, device = secrets.token_urlsafe(32), devices.describe(visitor.agent)
    session.add(
        SessionLog(
            user_id=user.id,
            session_token=token_hash(token),
            ip_address=visitor.address[:45],
            location=places.place_of(visitor.address),
            user_agent=visitor.agent[:500],
            device_type=device.kind,
            browser=device.browser[:100],
            created_at=moment,
            last_active=moment,
            expires_at=moment + lasts,
            authenticated_at=moment,
            factors=factors,
            second_factor_pending=pending,
        )
    )
    session.flush()
    return token


def resolve(session: Session | Connection, token: str) -> SignedIn | None:
    """Who this token belongs to now; None once the session is idle, over, ended, or its owner disabled.

    A session that waits for its second factor belongs to nobody yet.
    """
    moment = now()
    row = session.execute(_SESSION, {"token": token_hash(token)}).first()
    if row is None:
        return None
    session_id, is_open, last_active, expires_at, user_id, username, email, role, is_enabled, *proof = row
    authenticated_at, has_second_factor, decided = proof
    idle_until = last_active + settings().session_idle
    is_ahead = last_active > moment + LEEWAY  # opened or used when the clock ran ahead: it would last as much longer
    if not is_open or not is_enabled or moment >= expires_at or moment >= idle_until or is_ahead:
        return None
    must_enrol = not has_second_factor and role in policy.roles_of(decided)
    actor = Actor(user_id, username, role, permissions_of(role))
    return SignedIn(actor, email, session_id, last_active, authenticated_at, must_enrol)


def is_stale(signed_in: SignedIn) -> bool:
    """Whether activity should be written again; at most once a minute."""
    return now() - signed_in.last_active >= TOUCH_EVERY


def touch(session: Session, session_id: int) -> None:
    """Somebody did something: the idle time starts anew."""
    session.execute(
        update(SessionLog).where(SessionLog.id == session_id, SessionLog.is_active).values(last_active=now())
    )


def require_open(session: Session, session_id: int) -> None:
    """Refuse where the session was ended since its request began; it stays open until this transaction ends."""
    mine = select(SessionLog.id).where(SessionLog.id == session_id, SessionLog.is_active)
    if session.scalar(mine.with_for_update()) is None:
        raise NotFound("open session")


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


def previous_visit(session: Session, user_id: int | None, session_id: int) -> datetime | None:
    """When this person was last here before the present session; nobody never was."""
    return session.scalar(
        select(func.max(SessionLog.last_active)).where(
            SessionLog.user_id == user_id, SessionLog.id != session_id, SessionLog.second_factor_pending.is_(False)
        )
    )


def note(
    session: Session,
    user_id: int | None,
    visitor: Visitor,
    failure: str | None,
    method: str = "password",
    moment: datetime | None = None,
) -> None:
    """Write one attempt to sign in down, whether it failed or not; of what costs a stranger nothing, one a minute."""
    if failure is not None and (failure == KEPT_WAITING or method == "oidc"):
        same = select(LoginHistory.id).where(
            LoginHistory.user_id.is_not_distinct_from(user_id),
            LoginHistory.failure_reason == failure,
            LoginHistory.timestamp > now() - REPEATED_WITHIN,
        )
        if session.scalar(same.limit(1)) is not None:
            return
    session.add(
        LoginHistory(
            user_id=user_id,
            ip_address=visitor.address[:45],
            location=places.place_of(visitor.address),
            user_agent=visitor.agent[:500],
            login_method=method,
            success=failure is None,
            failure_reason=failure,
            timestamp=moment or now(),
        )
    )


def token_hash(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
