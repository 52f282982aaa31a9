"""Who a key speaks for at this moment: its owner's present role, cut down to what the key may do."""

import hmac
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from database.prepared import Prepared
from database.types import now
from models.api_key import APIKey
from models.permissions import permissions_of
from models.user import User
from services.actor import Actor
from services.api_keys import form
from services.api_keys.keys import NOT_FOR_KEYS
from services.errors import AppError
from services.second_factor import policy

KEYS, USERS = APIKey.__table__, User.__table__
# Asked at every request of the API.
_BY_PREFIX = Prepared(
    lambda _: (
        select(
            KEYS.c.id,
            KEYS.c.key_hash,
            KEYS.c.scopes,
            KEYS.c.rate_limit,
            KEYS.c.is_active,
            KEYS.c.expires_at,
            KEYS.c.last_used_at,
            USERS.c.id,
            USERS.c.username,
            USERS.c.role,
            USERS.c.is_active,
            policy.has_one(),
            policy.STORED,
        )
        .join_from(KEYS, USERS, USERS.c.id == KEYS.c.user_id)
        .where(KEYS.c.prefix == bindparam("prefix"))
    )
)
NOTED_EVERY = timedelta(minutes=1)


class SecondFactorMissing(AppError):
    """A key that works, of somebody who has to set up a second factor before anything of theirs does."""

    status_code = 403
    code = "second_factor_required"

    def __init__(self) -> None:
        super().__init__("The owner's role needs a second factor. Set one up under Security, then this key works.")


@dataclass(frozen=True, slots=True)
class Speaker:
    """A key that works, and the actor it stands for."""

    key_id: int
    prefix: str
    actor: Actor
    rate_limit: int
    is_stale: bool  # whether its use should be noted again; at most once a minute


def speaker(reader: Session | Connection, text: str) -> Speaker | None:
    """The speaker behind a key; None for one that is malformed, unknown, ended, or whose owner is disabled.

    Raises where the owner lacks a second factor that their role needs: the key would else be a way around it.
    """
    key = form.parse(text)
    if key is None:
        return None
    moment = now()
    connection = reader.connection() if isinstance(reader, Session) else reader
    for row in _BY_PREFIX.rows(connection, {"prefix": key.prefix}):
        *stored, user_id, username, role, is_enabled, has_second_factor, decided = row
        key_id, digest, scopes, rate_limit, works, expires_at, used_at = stored
        if not hmac.compare_digest(digest, key.digest):
            continue
        if not works or not is_enabled or (expires_at is not None and expires_at <= moment):
            return None
        if not has_second_factor and role in policy.roles_of(decided):
            raise SecondFactorMissing
        allowed = frozenset(item for item in permissions_of(role) - NOT_FOR_KEYS if item.value in scopes)
        stale = used_at is None or moment - used_at >= NOTED_EVERY
        return Speaker(key_id, key.prefix, Actor(user_id, username, role, allowed), rate_limit, stale)
    return None


def note_use(session: Session, key_id: int, address: str) -> None:
    """Keep when and from where a key was used last."""
    session.execute(update(APIKey).where(APIKey.id == key_id).values(last_used_at=now(), last_used_ip=address[:45]))
