"""`/api/v1/webhooks`: one's own, and what was posted there."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import webhooks
from services.actor import Actor
from web.rest.answers import Answer, Listed, Reply, listed, require_state, tagged
from web.rest.asked import Body
from web.rest.kinds import NAMED, Paged, line, lines, one_of
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_webhooks", __name__, url_prefix=PREFIX)
HOOKS = "/webhooks"
Name = Annotated[str, line(100, 1), NAMED]
Event = Annotated[str, line(50, 1), one_of(webhooks.EVENTS)]


class Webhook(Answer):
    """An address that is told about chosen events."""

    id: int
    name: str
    description: str | None
    provider_type: Literal["slack", "teams", "webhook"]
    webhook_url: str
    enabled_events: list[str]
    is_active: bool
    last_used_at: datetime | None
    last_error: str | None
    consecutive_failures: int
    created_at: datetime


class NewWebhook(Body):
    """An address to be told."""

    name: Name
    provider_type: Literal["slack", "teams", "webhook"]
    webhook_url: Annotated[str, line(2000, 1)]
    enabled_events: list[Event] = Field(max_length=50)
    description: Annotated[str, lines(1000)] | None = None
    is_active: bool = True


class WebhookChange(Body):
    """What changes; what is left out stays."""

    name: Name | None = None
    webhook_url: Annotated[str, line(2000, 1)] | None = None
    enabled_events: list[Event] | None = Field(None, max_length=50)
    description: Annotated[str, lines(1000)] | None = None
    is_active: bool | None = None


class Delivery(Answer):
    """One attempt to post an event."""

    id: int
    event_type: str
    status: str
    http_status_code: int | None
    error_message: str | None
    retry_count: int
    sent_at: datetime | None
    created_at: datetime


@operation(
    blueprint,
    "GET",
    HOOKS,
    permission=Permission.CONFIGURE_NOTIFICATIONS,
    query=Paged,
    answer=Listed[Webhook],
)
def list_webhooks(session: Session, actor: Actor, query: Paged) -> Reply:
    """Your webhooks, the newest first"""
    rows, following = webhooks.page(session, actor, limit=query.limit, cursor=query.cursor)
    return listed(Listed[Webhook](items=[Webhook.from_row(row[0]) for row in rows], next=following))


@operation(
    blueprint,
    "POST",
    HOOKS,
    permission=Permission.CONFIGURE_NOTIFICATIONS,
    body=NewWebhook,
    answer=Webhook,
    status=201,
    tagged=True,
    secret=True,
    refusals=(409,),
    description="What delivers events comes with a later version.",
)
def create_webhook(session: Session, actor: Actor, body: NewWebhook, **_: Any) -> Reply:
    """Make a webhook"""
    made = webhooks.create(session, actor, **body.model_dump())
    return tagged(Webhook.from_row(made), {"Location": f"{PREFIX}{HOOKS}/{made.id}"})


@operation(
    blueprint,
    "GET",
    f"{HOOKS}/<int:number>",
    permission=Permission.CONFIGURE_NOTIFICATIONS,
    answer=Webhook,
    tagged=True,
    secret=True,
)
def get_webhook(session: Session, actor: Actor, number: int, **_: Any) -> Reply:
    """One of your webhooks"""
    return tagged(Webhook.from_row(webhooks.get(session, actor, number)))


@operation(
    blueprint,
    "PATCH",
    f"{HOOKS}/<int:number>",
    permission=Permission.CONFIGURE_NOTIFICATIONS,
    body=WebhookChange,
    answer=Webhook,
    tagged=True,
    conditional=True,
    secret=True,
    refusals=(409,),
)
def change_webhook(
    session: Session, actor: Actor, number: int, body: WebhookChange, expected: tuple[str, ...], **_: Any
) -> Reply:
    """Change a webhook"""
    require_state(Webhook.from_row(webhooks.get(session, actor, number, lock=True)), expected, "webhook")
    return tagged(Webhook.from_row(webhooks.change(session, actor, number, **body.model_dump(exclude_none=True))))


@operation(
    blueprint,
    "DELETE",
    f"{HOOKS}/<int:number>",
    permission=Permission.CONFIGURE_NOTIFICATIONS,
    answer=None,
    status=204,
)
def delete_webhook(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """Remove a webhook with the record of what was posted there"""
    webhooks.delete(session, actor, number)


@operation(
    blueprint,
    "GET",
    f"{HOOKS}/<int:number>/deliveries",
    permission=Permission.CONFIGURE_NOTIFICATIONS,
    query=Paged,
    answer=Listed[Delivery],
    table=Delivery,
)
def list_deliveries(session: Session, actor: Actor, number: int, query: Paged) -> Reply:
    """What was posted to a webhook, the newest first"""
    rows, following = webhooks.deliveries(session, actor, number, limit=query.limit, cursor=query.cursor)
    return listed(Listed[Delivery](items=[Delivery.from_row(row[0]) for row in rows], next=following))
