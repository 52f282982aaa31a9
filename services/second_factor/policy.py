"""Which roles need a second factor: what the house decided, or what its address makes wise."""

from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config.settings import settings
from models.house_setting import HouseSetting
from models.passkey import Passkey
from models.permissions import Permission, Role
from models.user import User
from services import audit
from services.actor import Actor
from services.errors import Invalid

SETTING = "second_factor_roles"
OPEN_TO_OTHERS = frozenset({Role.ADMIN.value, Role.SUPER_ADMIN.value})

# As plain columns: a statement that asks for no objects costs half as much.
USERS, PASSKEYS, SETTINGS = User.__table__, Passkey.__table__, HouseSetting.__table__

# The decision as a column, for statements that are sent anyway.
STORED = select(SETTINGS.c.value).where(SETTINGS.c.name == SETTING).scalar_subquery()


def has_one() -> ColumnElement[bool]:
    """Whether the person of a row of `users` has a second factor."""
    any_passkey = select(PASSKEYS.c.id).where(PASSKEYS.c.user_id == USERS.c.id).correlate(USERS).exists()
    return USERS.c.totp_enabled | any_passkey


def is_loopback() -> bool:
    """Whether only people at this very machine reach the dashboard."""
    host = urlsplit(settings().address).hostname or ""
    return host == "localhost" or host.endswith(".localhost") or host == "::1" or host.startswith("127.")


def roles_of(stored: Any) -> frozenset[str]:
    """The roles that need a second factor; without a decision those of admins, where others reach the dashboard."""
    if isinstance(stored, list):
        return frozenset(role for role in stored if role in set(Role))
    return frozenset() if is_loopback() else OPEN_TO_OTHERS


def required_roles(session: Session) -> frozenset[str]:
    """The roles that need one now."""
    return roles_of(session.scalar(select(HouseSetting.value).where(HouseSetting.name == SETTING)))


def require_for(session: Session, actor: Actor, roles: list[str]) -> None:
    """Decide which roles need one; who has none is led to its set-up at the next request."""
    actor.require(Permission.SECURITY_SETTINGS)
    unknown = sorted(set(roles) - set(Role))
    if unknown:
        raise Invalid("There is no such role.", field="roles")
    wanted = [role.value for role in Role if role.value in roles]
    before = sorted(required_roles(session))
    row = session.get(HouseSetting, SETTING, with_for_update=True)
    if row is None:
        session.add(HouseSetting(name=SETTING, value=wanted, updated_by=actor.user_id))
    else:
        row.value, row.updated_by = wanted, actor.user_id
    audit.record(session, actor, "security.require_second_factor", before=before, after=wanted)
