"""What becomes of a person's keys when their account may have been in other hands.

A link for a forgotten password ends no key, as programs would stop with nobody at fault; its owner is told which keys
work. An admin who asks for a new password says that somebody else may have known the old one: then all of them end.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from database.types import now
from models.api_key import APIKey
from services import audit
from services.actor import Actor

MOST_NAMED = 5


def works() -> ColumnElement[bool]:
    """Whether a key opens something, as far as the key itself goes."""
    return APIKey.is_active & (APIKey.expires_at.is_(None) | (APIKey.expires_at > now()))


def those_that_work(session: Session, user_id: int) -> str:
    """Which keys of somebody go on working, as their owner is told it."""
    named = _named(session.scalars(_of(user_id)).all())
    if not named:
        return "You have no API key that works."
    return f"These API keys go on working: {named}. Revoke any that you do not know."


def revoke_all(session: Session, actor: Actor, user_id: int, reason: str) -> str:
    """End every key of somebody, and say which, as their owner is told it."""
    ended = session.scalars(_of(user_id).with_for_update()).all()
    for key in ended:
        key.is_active, key.revoked_reason = False, reason
        audit.record(session, actor, "api_key.revoke", key=key.prefix, owner=user_id, reason=reason)
    return f"These API keys were revoked: {_named(ended)}." if ended else "There was no API key that worked."


def _of(user_id: int) -> Select[APIKey]:
    return select(APIKey).where(APIKey.user_id == user_id, works()).order_by(APIKey.id)


def _named(keys: Sequence[APIKey]) -> str:
    named = ", ".join(f"“{key.name[:40]}” ({key.prefix})" for key in keys[:MOST_NAMED])
    return f"{named} and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else named
