"""The sessions that a person has open, and ending them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.permissions import Permission
from models.session_log import SessionLog
from models.user import User
from services import audit, devices, sessions
from services.actor import Actor
from services.errors import Conflict, NotFound

MOST_SHOWN = 200
_REASON = "ended by its owner"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One session as its owner sees it."""

    id: int
    device: str
    kind: str
    address: str
    place: str
    first_seen: datetime
    last_seen: datetime
    ends: datetime
    is_this: bool


def visible_to(actor: Actor) -> Select[SessionLog]:
    """Every read of sessions starts here: those of the actor that still open something."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    moment = now()
    return select(SessionLog).where(
        SessionLog.user_id == actor.user_id,
        SessionLog.is_active,
        SessionLog.second_factor_pending.is_(False),
        SessionLog.expires_at > moment,
        SessionLog.last_active > moment - settings().session_idle,
    )


def open_sessions(session: Session, actor: Actor, this: int, *, most: int = MOST_SHOWN) -> list[OpenSession]:
    """The actor's live sessions, this one first, then by when they were last used."""
    rows = session.scalars(visible_to(actor).order_by(SessionLog.last_active.desc(), SessionLog.id).limit(most))
    shown = [
        OpenSession(
            id=row.id,
            device=devices.describe(row.user_agent).words,
            kind=row.device_type or "desktop",
            address=row.ip_address or "unknown",
            place=row.location or "unknown",
            first_seen=row.created_at,
            last_seen=row.last_active,
            ends=min(row.expires_at, row.last_active + settings().session_idle),
            is_this=row.id == this,
        )
        for row in rows
    ]
    return sorted(shown, key=lambda item: not item.is_this)


def end_one(session: Session, actor: Actor, session_id: int, this: int) -> None:
    """End one of the actor's own sessions but the one that asks; anybody else's is not there."""
    if session_id == this:
        raise Conflict("This is the session that asks. Sign out instead.")  # which clears the browser as well
    _hold_owner(session, actor)
    found = session.scalar(visible_to(actor).with_only_columns(SessionLog.id).where(SessionLog.id == session_id))
    if found is None:
        raise NotFound("open session")
    sessions.end(session, found, _REASON)
    audit.record(session, actor, "session.end", sessions=[found])


def _hold_owner(session: Session, actor: Actor) -> None:
    """Lock the account before its sessions: two that end each other, or the account's end, would else deadlock."""
    session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))


def end_others(session: Session, actor: Actor, this: int) -> int:
    """End every other session of the actor and return how many there were."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    _hold_owner(session, actor)
    ended = sessions.end_all(session, actor.user_id or 0, _REASON, but=this)
    if ended:
        audit.record(session, actor, "session.end_others", ended=ended)
    return ended
