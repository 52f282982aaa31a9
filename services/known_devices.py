"""Devices on which the owner of an account has signed in: strangers who guess do not keep those out."""

import hashlib
import hmac
import secrets
from typing import Protocol

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.settings import settings
from models.user import User
from services import notices


class Visitor(notices.Visitor, Protocol):
    """Where a request comes from, and what the browser has kept."""

    @property
    def device(self) -> str: ...


KNOWN_FOR = 365 * 24 * 3600  # seconds


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().keys_for("known-device")[::-1])  # the last one signs


def _mark(password_hash: str) -> str:
    """Changes with the password, so that an old device of somebody who knew the former one is a stranger again."""
    return hashlib.sha256(password_hash.encode()).hexdigest()[:16]


def remember(session: Session, user_id: int, visitor: Visitor) -> str:
    """What a browser keeps in which somebody has signed in; the owner is told when it was not known before."""
    stored = session.scalars(select(User.password_hash).where(User.id == user_id)).one()
    if device_of(visitor.device, user_id, stored) is None:
        notices.tell_owner(session, user_id, "new_device", visitor=visitor)
    return mark(session, user_id)


def mark(session: Session, user_id: int) -> str:
    """What makes a browser a known one; it opens nothing, it only has a counter of its own."""
    stored = session.scalars(select(User.password_hash).where(User.id == user_id)).one()
    told: str = _serializer().dumps([user_id, secrets.token_hex(8), _mark(stored)])
    return told


def device_of(told: str, user_id: int | None, password_hash: str | None) -> str | None:
    """The device, if the text is ours and for this account as it is now."""
    if user_id is None or password_hash is None or not told or len(told) > 500:
        return None
    try:
        given = _serializer().loads(told, max_age=KNOWN_FOR)
    except BadData:
        return None
    if not (isinstance(given, list) and len(given) == 3 and given[0] == user_id and isinstance(given[1], str)):
        return None
    return given[1] if hmac.compare_digest(str(given[2]), _mark(password_hash)) else None
