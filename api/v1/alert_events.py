"""`/api/v1/alert-events`: alerts that were raised and resolved."""

from datetime import datetime
from typing import Literal

from flask import Blueprint
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import cursors
from services.actor import Actor
from services.api_alerts import events
from web.rest.answers import Answer, Listed, Reply, listed
from web.rest.kinds import Paged
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_alert_events", __name__, url_prefix=PREFIX)


class AlertEvent(Answer):
    """An alert began or ended; measure, bound and route are as they were then, and the rule may be gone since."""

    id: int
    moment: datetime
    event: Literal["raised", "resolved"]
    sentence: str
    lasted: float | None
    rule: int | None
    measure: str | None
    threshold: float | None
    window_minutes: int | None
    endpoint: str | None
    value: float | None
    requests: int | None


@operation(
    blueprint,
    "GET",
    "/alert-events",
    permission=Permission.VIEW_API_METRICS,
    query=Paged,
    answer=Listed[AlertEvent],
    table=AlertEvent,
)
def list_alert_events(session: Session, actor: Actor, query: Paged) -> Reply:
    """What was raised and resolved, the newest first; `lasted` is in seconds"""
    about = ["alert-events"]
    before = cursors.read(query.cursor, about)[0] if query.cursor else None
    found, following = events.page(session, actor, before=before, limit=query.limit)
    cursor = None if following is None else cursors.write(about, [following])
    items = [AlertEvent.from_row(one, event="raised" if one.is_raised else "resolved") for one in found]
    return listed(Listed[AlertEvent](items=items, next=cursor))
