"""Everybody's API keys, as those see them who manage keys: searched, turned through, revoked with a reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Select, case, or_
from sqlalchemy.orm import Session

from database.types import now
from models.api_key import APIKey
from models.permissions import Permission
from models.user import User
from services.actor import Actor
from services.api_keys import keys
from services.api_keys.keys import State
from services.errors import Invalid
from services.owners import shown_name
from services.text import clean

PAGE = 50
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key with its owner; never its secret, never its hash."""

    id: int
    name: str
    prefix: str
    owner: str
    scopes: tuple[str, ...]
    rate_limit: int
    state: State
    reason: str | None
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    last_address: str | None
    may_revoke: bool


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of this list starts here: all keys with owner and state, for those who manage keys."""
    actor.require(Permission.MANAGE_API_KEYS)
    return keys.visible_to(actor).add_columns(shown_name(), User.role, _state()).join(User, User.id == APIKey.user_id)


def _state() -> Any:
    return case(
        (APIKey.is_active.is_(False), "revoked"),
        (APIKey.expires_at <= now(), "expired"),
        (APIKey.replaced_at.is_not(None), "replaced"),
        else_="active",
    )


def page(
    session: Session,
    actor: Actor,
    *,
    text: str = "",
    state: str | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> tuple[list[ListedKey], int | None]:
    """The newest keys that match, or those before one, and where the next page begins if there is one."""
    query = visible_to(actor)
    wanted = clean(text, field="text", longest=100)
    if wanted:
        searched = (APIKey.name, APIKey.prefix, User.username, User.email)
        query = query.where(or_(*(column.icontains(wanted, autoescape=True) for column in searched)))
    if state is not None:
        if state not in STATES:
            raise Invalid("There is no such state.", field="state")
        query = query.where(_state() == state)
    if before is not None:
        query = query.where(APIKey.id < before)
    rows = session.execute(query.order_by(APIKey.id.desc()).limit(limit + 1)).all()
    found = [_listed(actor, row) for row in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None


def _listed(actor: Actor, row: Any) -> ListedKey:
    key, owner, role, state = row
    return ListedKey(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        owner=owner,
        scopes=tuple(key.scopes),
        rate_limit=key.rate_limit,
        state=state,
        reason=key.revoked_reason,
        created=key.created_at,
        expires=key.expires_at,
        last_used=key.last_used_at,
        last_address=key.last_used_ip,
        may_revoke=state in {"active", "replaced"} and not keys.is_above(actor, key.user_id, role),
    )


def revoke(session: Session, actor: Actor, key_id: int, reason: str) -> str:
    """End somebody's key and tell them why; return what may be shown of it."""
    actor.require(Permission.MANAGE_API_KEYS)
    told = clean(reason, field="reason", longest=255, shortest=1)
    return keys.revoke(session, actor, key_id, told)
