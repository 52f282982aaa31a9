"""What is written when a bound is exceeded and when it is kept again: an event that mail and webhooks can tell of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from database.types import now
from models.api_alert_rule import AlertMeasure, APIAlertRule
from models.event import Event
from models.permissions import Permission
from services import audit
from services.actor import SYSTEM, Actor
from services.api_requests import routes

RAISED, RESOLVED = "api.alert_raised", "api.alert_resolved"
SHOWN = 20


class Described(Protocol):
    """What a sentence about a rule needs."""

    @property
    def measure(self) -> AlertMeasure: ...
    @property
    def window_minutes(self) -> int: ...
    @property
    def endpoint(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an alert, with the rule as it was then; `rule` may be gone since."""

    id: int
    moment: datetime
    is_raised: bool
    sentence: str
    lasted: float | None  # seconds
    rule: int | None = None
    measure: str | None = None
    threshold: float | None = None
    window_minutes: int | None = None
    endpoint: str | None = None
    value: float | None = None
    requests: int | None = None


def amount(measure: AlertMeasure, value: float) -> str:
    """A share in per cent, a time in milliseconds."""
    if measure is AlertMeasure.ERROR_RATE:
        return f"{value * 100:.3g} %"
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def subject_of(rule: Described) -> str:
    """What is looked at, over how long."""
    what = "the error rate" if rule.measure is AlertMeasure.ERROR_RATE else "p95"
    whose = routes.shown(rule.endpoint) if rule.endpoint else "all requests"
    return f"{what} of {whose} over {rule.window_minutes} min"


def begin(session: Session, rule: APIAlertRule, value: float, requests: int) -> None:
    """Write that a bound is exceeded, into the transaction that marks the rule."""
    subject = subject_of(rule)
    sentence = (
        f"{subject[0].upper()}{subject[1:]} is {amount(rule.measure, value)} ({requests:,} requests), "
        f"more than {amount(rule.measure, rule.threshold)}."
    )
    moment = now()
    rule.raised_at = rule.changed_at = moment
    _write(session, RAISED, moment, rule, sentence, value=value, requests=requests)
    audit.record(session, SYSTEM, "alert.raise", status="failed", error=sentence, rule=rule.id)


def end(session: Session, rule: APIAlertRule, reason: str, **facts: Any) -> None:
    """Write that an alert is over, and why; nothing where there is none."""
    if rule.raised_at is None:
        return
    moment = now()
    lasted = (moment - rule.raised_at).total_seconds()
    subject = subject_of(rule)
    sentence = f"{subject[0].upper()}{subject[1:]}: {reason}."
    rule.raised_at, rule.changed_at = None, moment
    _write(session, RESOLVED, moment, rule, sentence, lasted=lasted, **facts)
    audit.record(session, SYSTEM, "alert.resolve", rule=rule.id, reason=sentence)


def _write(session: Session, kind: str, moment: datetime, rule: APIAlertRule, sentence: str, **facts: Any) -> None:
    known = {
        "rule": rule.id,
        "measure": rule.measure.value,
        "threshold": rule.threshold,
        "window_minutes": rule.window_minutes,
        "endpoint": rule.endpoint,
        "sentence": sentence,
    }
    session.add(Event(event_type=kind, happened_at=moment, event_data={**known, **facts}))


def lately(session: Session, actor: Actor, limit: int = SHOWN) -> list[Told]:
    """The last events of alerts, the newest first."""
    return page(session, actor, limit=limit)[0]


def page(
    session: Session, actor: Actor, *, before: int | None = None, limit: int = SHOWN
) -> tuple[list[Told], int | None]:
    """The newest events, or those before one, and where the next page begins if there is one."""
    query = visible_to(actor)
    if before is not None:
        query = query.where(Event.id < before)
    found = session.scalars(query.order_by(Event.id.desc()).limit(limit + 1)).all()
    return [_told(event) for event in found[:limit]], found[limit - 1].id if len(found) > limit else None


def visible_to(actor: Actor) -> Select[Event]:
    """Every read of these events starts here: all of them, for those who may see the API's metrics."""
    actor.require(Permission.VIEW_API_METRICS)
    return select(Event).where(Event.event_type.in_((RAISED, RESOLVED)))


def _told(event: Event) -> Told:
    facts = event.event_data
    return Told(
        id=event.id,
        moment=event.happened_at,
        is_raised=event.event_type == RAISED,
        sentence=str(facts.get("sentence", "")),
        lasted=facts.get("lasted"),
        rule=facts.get("rule"),
        measure=facts.get("measure"),
        threshold=facts.get("threshold"),
        window_minutes=facts.get("window_minutes"),
        endpoint=facts.get("endpoint"),
        value=facts.get("value"),
        requests=facts.get("requests"),
    )
