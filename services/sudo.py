"""Acts that open doors ask who is there once more when the last proof is too long ago."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database.types import now
from models.permissions import Permission, Role
from models.session_log import SessionLog
from models.user import User
from services import passwords, sessions, throttling
from services.errors import AppError, Invalid, NotFound, TooManyAttempts
from services.sessions import SignedIn, Visitor
from services.throttling import Bucket

LASTS, LASTS_FOR_ADMINS = timedelta(minutes=30), timedelta(minutes=15)
REFUSED = "wrong when asked again"  # as the history of sign-ins tells it
_ADMINS = {Role.ADMIN.value, Role.SUPER_ADMIN.value}


class FactorNeeded(AppError):
    """Signed in, but the last proof of who this is was too long ago."""

    status_code = 403
    code = "factor_needed"

    def __init__(self) -> None:
        super().__init__("Confirm that it is you, then this goes on.")


class WrongFactor(Invalid):
    """What a signed-in person was asked for once more is not right."""

    def __init__(self, message: str, field: str, method: str = "password") -> None:
        super().__init__(message, field)
        self.method = method


@dataclass(frozen=True, slots=True)
class PasswordGuess:
    """A password that was given; `stored` is the hash that it must fit."""

    stored: str
    buckets: tuple[Bucket, ...]


def is_fresh(signed_in: SignedIn) -> bool:
    """Whether the last factor is young enough for acts that open doors."""
    lasts = LASTS_FOR_ADMINS if signed_in.actor.role in _ADMINS else LASTS
    proved = signed_in.authenticated_at
    return proved is not None and timedelta(0) <= now() - proved < lasts


def require(signed_in: SignedIn) -> None:
    """Refuse until a factor was given; the page then asks for one and goes on with what was being done."""
    if not is_fresh(signed_in):
        raise FactorNeeded


def begin_password(session: Session, signed_in: SignedIn, visitor: Visitor) -> PasswordGuess:
    """Count the guess and look the stored password up."""
    actor = signed_in.actor
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    buckets = (
        throttling.password_bucket(actor.user_id or 0),
        throttling.address_bucket(visitor.address),
        throttling.ALL,
    )
    wait = throttling.reserve(session, *buckets)
    if wait:
        raise TooManyAttempts(wait)
    stored = session.scalar(select(User.password_hash).where(User.id == actor.user_id, User.is_active))
    if stored is None:
        raise NotFound("account")
    return PasswordGuess(stored, buckets)


def check_password(guess: PasswordGuess, password: str) -> None:
    """Compare; it takes time, so no transaction is open."""
    if not passwords.verify(guess.stored, password):
        raise WrongFactor("That is not your password.", field="password")


def accept_password(session: Session, guess: PasswordGuess) -> None:
    """The password was right: it was no guess."""
    throttling.release(session, *guess.buckets)


def note_refused(session: Session, signed_in: SignedIn, visitor: Visitor, error: WrongFactor) -> None:
    """Write it into the history of the account, where its owner sees that somebody at their desk has guessed."""
    sessions.note(session, signed_in.actor.user_id, visitor, REFUSED, error.method)


def confirm(session: Session, signed_in: SignedIn, factor: str) -> None:
    """A factor was given in this session: acts that open doors are free for a while."""
    # The account before its session, as everywhere: whoever deletes it would else wait for this, and this for them.
    owner = select(User.id).where(User.id == signed_in.actor.user_id)
    session.execute(owner.with_for_update(read=True, key_share=True))
    mine = select(SessionLog).where(SessionLog.id == signed_in.session_id, SessionLog.is_active)
    row = session.scalar(mine.with_for_update())
    if row is None:
        raise NotFound("open session")
    given = (row.factors or "password").split("+")
    row.factors = "+".join(given if factor in given else [*given, factor])
    row.authenticated_at = now()


def renew_token(session: Session, signed_in: SignedIn) -> str:
    """A new token for the same session; whoever has seen the old one has nothing."""
    token = secrets.token_urlsafe(32)
    session.execute(
        update(SessionLog)
        .where(SessionLog.id == signed_in.session_id, SessionLog.is_active)
        .values(session_token=sessions.token_hash(token))
    )
    return token
