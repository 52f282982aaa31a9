"""The second step of a sign-in: the password was right, and nothing is open until a second factor is given too."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database.types import now
from models.login_history import LoginHistory
from models.passkey import Passkey
from models.session_log import SessionLog
from models.user import User
from services import sessions
from services.second_factor.guesses import Method
from services.sessions import NOT_GIVEN, Visitor


@dataclass(frozen=True, slots=True)
class HalfSignedIn:
    """A session that opens the second step and nothing else."""

    user_id: int
    session_id: int
    began: datetime
    app: bool
    passkeys: bool


def find(session: Session, token: str) -> HalfSignedIn | None:
    """Who stands at the second step with this token."""
    passkeys = select(Passkey.id).where(Passkey.user_id == User.id).correlate(User).exists()
    row = session.execute(
        select(User.id, SessionLog.id, SessionLog.created_at, User.totp_enabled, passkeys)
        .join_from(SessionLog, User, User.id == SessionLog.user_id)
        .where(
            SessionLog.session_token == sessions.token_hash(token),
            SessionLog.is_active,
            SessionLog.second_factor_pending,
            SessionLog.expires_at > now(),
            User.is_active,
        )
    ).first()
    return None if row is None else HalfSignedIn(*row)


def fail(session: Session, half: HalfSignedIn, method: Method, reason: str | None, visitor: Visitor) -> None:
    """A wrong code is an attempt in the history like a wrong password."""
    _settle(session, half, method, reason or "refused", visitor)


def hold(session: Session, half: HalfSignedIn) -> User | None:
    """The account, locked before anything else of it: whatever ends all its sessions comes before or after, never amid.

    Else a session could be opened that somebody who has just reset a factor or chosen a password did not see.
    """
    return session.get(User, half.user_id, with_for_update={"key_share": True}, populate_existing=True)


def complete(session: Session, half: HalfSignedIn, method: Method, visitor: Visitor) -> str | None:
    """Open the session under a new token; of two factors given at once, one opens it."""
    user = hold(session, half)
    waiting = update(SessionLog).where(SessionLog.id == half.session_id, SessionLog.is_active)
    ended = {"is_active": False, "logged_out_at": now(), "end_reason": "second factor given"}
    if session.scalar(waiting.values(**ended).returning(SessionLog.id)) is None:
        return None
    if user is None or not user.is_active:
        return None
    _settle(session, half, method, None, visitor)
    return sessions.open_session(session, user, visitor, factors=f"password+{method}")


def _settle(session: Session, half: HalfSignedIn, method: Method, failure: str | None, visitor: Visitor) -> None:
    """Complete the row that the password left open; each further try is an attempt of its own."""
    opened = (
        update(LoginHistory)
        .where(
            LoginHistory.user_id == half.user_id,
            LoginHistory.timestamp == half.began,
            LoginHistory.failure_reason == NOT_GIVEN,
        )
        .values(login_method=method, success=failure is None, failure_reason=failure)
        .returning(LoginHistory.id)
    )
    if session.scalar(opened) is None:
        sessions.note(session, half.user_id, visitor, failure, method)
