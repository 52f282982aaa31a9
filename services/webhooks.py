"""Where a person's events are posted to: listed, made, changed, removed. What posts them checks each address again."""

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.notification_preference import EventType
from models.permissions import Permission
from models.webhook_configuration import WebhookConfiguration
from models.webhook_log import WebhookLog
from services import audit, cursors, owners
from services.actor import Actor
from services.errors import Conflict, Invalid, NotFound
from services.text import clean

MOST = 20
EVENTS = EventType.ALL


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of webhooks starts here: one's own."""
    actor.require(Permission.CONFIGURE_NOTIFICATIONS)
    return select(WebhookConfiguration).where(WebhookConfiguration.user_id == (actor.user_id or 0))


def page(session: Session, actor: Actor, *, limit: int, cursor: str | None) -> tuple[Sequence[Any], str | None]:
    """One's own, the newest first, and where the next page begins."""
    about = ["webhooks", actor.user_id]
    return cursors.page(session, visible_to(actor), WebhookConfiguration.id, limit=limit, cursor=cursor, about=about)


def get(session: Session, actor: Actor, number: int, *, lock: bool = False) -> WebhookConfiguration:
    """One of them."""
    query = visible_to(actor).where(WebhookConfiguration.id == number)
    found: WebhookConfiguration | None = (
        session.scalar(query.with_for_update() if lock else query) if number < 2**31 else None
    )
    if found is None:
        raise NotFound("webhook")
    return found


def deliveries(
    session: Session, actor: Actor, number: int, *, limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """What was posted there, the newest first."""
    get(session, actor, number)
    query = select(WebhookLog).where(WebhookLog.webhook_config_id == number)
    return cursors.page(session, query, WebhookLog.id, limit=limit, cursor=cursor, about=["deliveries", number])


def create(
    session: Session,
    actor: Actor,
    *,
    name: str,
    provider_type: str,
    webhook_url: str,
    enabled_events: Sequence[str],
    description: str | None = None,
    is_active: bool = True,
) -> WebhookConfiguration:
    """A new address."""
    owners.hold(session, actor.user_id)  # the limit holds also for two at once
    held = session.scalar(select(func.count()).select_from(visible_to(actor).subquery())) or 0
    if held >= MOST:
        raise Conflict(f"A person has at most {MOST} webhooks.")
    made = WebhookConfiguration(user_id=actor.user_id, provider_type=provider_type)
    _write(made, name, webhook_url, enabled_events, description, is_active)
    session.add(made)
    return _flushed(session, actor, made, "webhook.create")


def change(session: Session, actor: Actor, number: int, **given: Any) -> WebhookConfiguration:
    """Change what is given."""
    found = get(session, actor, number, lock=True)
    names = ("name", "webhook_url", "enabled_events", "description", "is_active")
    _write(found, *(given.get(name, getattr(found, name)) for name in names))
    return _flushed(session, actor, found, "webhook.change")


def _write(
    hook: WebhookConfiguration, name: str, url: str, events: Sequence[str], description: str | None, is_active: bool
) -> None:
    unknown = [event for event in events if event not in EVENTS]
    if unknown:
        raise Invalid("There is no such event.", field="enabled_events")
    hook.name = clean(name, field="name", longest=100, shortest=1)
    hook.webhook_url = _address(url)
    hook.enabled_events = list(dict.fromkeys(events))
    hook.description = clean(description or "", field="description", longest=1000, lines=True) or None
    hook.is_active = is_active


def _address(text: str) -> str:
    """An https address outside of this machine and its network, as far as that can be seen without asking anybody."""
    url = clean(text, field="webhook_url", longest=2000, shortest=1)
    wrong = Invalid("Use an https address that anybody can reach, without a name and password in it.", "webhook_url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise wrong from error
    if parts.scheme != "https" or not host or "@" in parts.netloc or "\\" in url or " " in url or port == 0:
        raise wrong
    try:
        if not ipaddress.ip_address(host).is_global:
            raise wrong
    except ValueError:
        # A name may end with a dot; one whose last part begins with a digit is an address in another spelling (127.1).
        name, last = host.rstrip("."), host.rstrip(".").rpartition(".")[2]
        if "." not in name or last[:1].isdigit() or name.endswith((".localhost", ".local", ".internal")):
            raise wrong from None
    return url


def _flushed(session: Session, actor: Actor, hook: WebhookConfiguration, action: str) -> WebhookConfiguration:
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise Conflict("You have a webhook to this address already.") from error
    # Such an address is a secret of its own: who knows it can post there.
    audit.record(session, actor, action, webhook=hook.id, name=hook.name, host=urlsplit(hook.webhook_url).hostname)
    return hook


def delete(session: Session, actor: Actor, number: int) -> None:
    """It goes, with the record of what was posted there."""
    found = get(session, actor, number, lock=True)
    audit.record(session, actor, "webhook.delete", webhook=found.id, name=found.name)
    session.delete(found)
