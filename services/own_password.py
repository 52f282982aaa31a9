"""A person's change of their own password: counted, checked, then stored, so that no transaction waits for a hash."""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.permissions import Permission
from models.user import User
from services import audit, notices, one_time_tokens, passwords, sessions, throttling
from services.actor import Actor
from services.errors import Conflict, Invalid, NotFound, TooManyAttempts
from services.sessions import Visitor
from services.sudo import WrongFactor
from services.throttling import Bucket


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was asked for; `stored` is the hash that the current password must fit."""

    stored: str


def check_new(actor: Actor, email: str, new: str, again: str) -> None:
    """Refuse a new password that is no good, before the attempt counts as a guess at the current one."""
    passwords.check_policy(new, username=actor.username, email=email)
    if new != again:
        raise Invalid("The two passwords differ.", field="again")


def begin(session: Session, actor: Actor, visitor: Visitor) -> Change:
    """Count the attempt and look the stored password up."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    wait = throttling.reserve(session, *_buckets(actor, visitor))
    if wait:
        raise TooManyAttempts(wait)
    stored = session.scalar(select(User.password_hash).where(User.id == actor.user_id, User.is_active))
    if stored is None:
        raise NotFound("account")
    return Change(stored)


def forget_attempts(session: Session, actor: Actor, visitor: Visitor) -> None:
    """The current password fitted, so earlier attempts were no guesses."""
    throttling.release(session, *_buckets(actor, visitor))


def _buckets(actor: Actor, visitor: Visitor) -> tuple[Bucket, ...]:
    return Bucket(f"password:account:{actor.user_id}"), throttling.address_bucket(visitor.address), throttling.ALL


def hashed(change: Change, current: str, new: str) -> str:
    """The hash of the new password, once the current one fits."""
    if not passwords.verify(change.stored, current):
        raise WrongFactor("That is not your current password.", field="current")
    if passwords.normalise(new) == passwords.normalise(current):
        raise Invalid("That is your current password; choose another.", field="password")
    return passwords.hash_password(new)


def complete(session: Session, actor: Actor, this: int, visitor: Visitor, change: Change, new_hash: str) -> int:
    """Store the new password, end every other session and return how many there were.

    Of two changes at once the second finds that the password which it checked is no longer the current one.
    """
    changed = session.scalar(
        update(User)
        .where(User.id == actor.user_id, User.is_active, User.password_hash == change.stored)
        .values(password_hash=new_hash, password_reset_required=False)
        .returning(User.id)
    )
    if changed is None:
        raise Conflict("The password was changed elsewhere a moment ago.")
    forget_attempts(session, actor, visitor)
    one_time_tokens.end_all(session, changed)
    ended = sessions.end_all(session, changed, "password changed", but=this)
    audit.record(session, actor, "user.change_password", sessions_ended=ended)
    notices.tell_owner(session, changed, "password_changed", visitor=visitor)
    return ended
