"""What a person wants to be told, and how: a row for each event that they have decided, defaults for the others."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from database.types import now
from models.notification_preference import EventType, NotificationPreference
from models.permissions import Permission
from services.actor import Actor
from services.errors import NotFound


@dataclass(frozen=True, slots=True)
class Preference:
    """The channels of one event; those of events that nobody has decided about are the house's."""

    event_type: str
    email_enabled: bool = False
    in_app_enabled: bool = True
    slack_enabled: bool = False
    webhook_enabled: bool = False
    email_frequency: str = "immediate"


COLUMNS = ("email_enabled", "in_app_enabled", "slack_enabled", "webhook_enabled", "email_frequency")


def of(session: Session, actor: Actor) -> list[Preference]:
    """All events in their order, with what the actor has decided."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    found = session.scalars(select(NotificationPreference).where(NotificationPreference.user_id == actor.user_id))
    decided = {row.event_type: row for row in found}
    return [
        Preference(event, *(getattr(decided[event], column) for column in COLUMNS))
        if event in decided
        else Preference(event)
        for event in EventType.ALL
    ]


def decide(session: Session, actor: Actor, event_type: str, **chosen: bool | str) -> Preference:
    """Change what is given of one event."""
    before = next((one for one in of(session, actor) if one.event_type == event_type), None)
    if before is None:
        raise NotFound("event")
    values = {column: chosen.get(column, getattr(before, column)) for column in COLUMNS}
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(NotificationPreference)
    moment = now()
    row = {"user_id": actor.user_id, "event_type": event_type, "created_at": moment, "updated_at": moment}
    session.execute(
        insert.values(row | values).on_conflict_do_update(
            index_elements=["user_id", "event_type"], set_=values | {"updated_at": moment}
        )
    )
    return Preference(event_type, **values)
