"""The rules: a bound on the error rate or on p95, of all requests or of one route, set by those who may."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.api_alert_rule import AlertMeasure, APIAlertRule
from models.api_request_log import APIRequestCount
from models.permissions import Permission
from models.user import User
from services import audit
from services.actor import Actor
from services.api_alerts import events
from services.errors import Invalid, NotFound
from services.owners import shown_name
from services.text import clean

WINDOWS = (5, 15, 30, 60)  # minutes
MOST_RULES = 50  # each is asked for every minute
LEAST_REQUESTS = 20  # of fewer a share or a percentile says nothing
LONGEST_WAIT = 3_600_000.0  # milliseconds
_COUNT = 0x5046_445F_4152  # the advisory lock under which PostgreSQL lets one rule at a time be counted and added


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it is shown."""

    id: int
    measure: AlertMeasure
    threshold: float
    window_minutes: int
    endpoint: str | None
    is_active: bool
    owner: str | None
    raised: datetime | None
    value: float | None
    requests: int | None
    looked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule as somebody has asked for it."""

    measure: AlertMeasure
    threshold: float
    window_minutes: int
    endpoint: str | None
    is_active: bool = True


def wanted(measure: object, threshold: object, window: object, endpoint: object, is_active: bool = True) -> Wanted:
    """What was typed, or what is wrong at which field; a share is typed in per cent."""
    kind = _measure(measure)
    text = clean(threshold, field="threshold", longest=20, shortest=1).replace(",", ".")
    try:
        value = float(text)
    except ValueError as error:
        raise Invalid("This must be a number.", field="threshold") from error
    if kind is not AlertMeasure.ERROR_RATE:
        return checked(kind, value, window, endpoint, is_active)
    if not 0 < value < 100:
        raise Invalid("A share lies between 0 and 100 per cent.", field="threshold")
    return checked(kind, value / 100, window, endpoint, is_active)


def _measure(given: object) -> AlertMeasure:
    if not isinstance(given, str) or given not in set(AlertMeasure):
        raise Invalid("Choose what to look at.", field="measure")
    return AlertMeasure(given)


def checked(measure: object, bound: float, window: object, endpoint: object, is_active: bool = True) -> Wanted:
    """The same of a bound as it is kept: a share of 1, or milliseconds."""
    kind = _measure(measure)
    if kind is AlertMeasure.ERROR_RATE and not 0 < bound < 1:
        raise Invalid("A share lies between 0 and 1.", field="threshold")
    if kind is AlertMeasure.P95 and not (math.isfinite(bound) and 0 < bound <= LONGEST_WAIT):
        raise Invalid("A time lies between 0 and 3,600,000 ms.", field="threshold")
    if str(window) not in {str(minutes) for minutes in WINDOWS}:
        raise Invalid("Choose over how many minutes.", field="window")
    route = clean(endpoint or "", field="endpoint", longest=270) or None
    if route is not None and " " not in route:
        raise Invalid("A route is a method and a path, such as GET /api/v1/me.", field="endpoint")
    return Wanted(kind, bound, int(str(window)), route, is_active)


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of rules starts here: all of them, for those who may see the API's metrics."""
    actor.require(Permission.VIEW_API_METRICS)
    return select(APIAlertRule, shown_name()).outerjoin(User, User.id == APIAlertRule.created_by)


def listed(session: Session, actor: Actor) -> list[Rule]:
    """All rules: those that are exceeded first, then the newest."""
    order = APIAlertRule.raised_at.desc().nulls_last(), APIAlertRule.id.desc()
    return [_shown(row) for row in session.execute(visible_to(actor).order_by(*order))]


def raised(session: Session, actor: Actor) -> list[Rule]:
    """The rules that are exceeded now; nothing for who may not see the API's metrics."""
    if not actor.may(Permission.VIEW_API_METRICS):
        return []
    query = visible_to(actor).where(APIAlertRule.raised_at.is_not(None)).order_by(APIAlertRule.raised_at.desc())
    return [_shown(row) for row in session.execute(query)]


def one(session: Session, actor: Actor, rule_id: int) -> Rule:
    """One rule."""
    row = session.execute(visible_to(actor).where(APIAlertRule.id == rule_id)).first()
    if row is None:
        raise NotFound("rule")
    return _shown(row)


def _shown(row: Any) -> Rule:
    rule, owner = row
    return Rule(
        rule.id,
        rule.measure,
        rule.threshold,
        rule.window_minutes,
        rule.endpoint,
        rule.is_active,
        owner if rule.created_by else None,
        rule.raised_at,
        rule.last_value,
        rule.last_requests,
        rule.looked_at,
    )


def routes(session: Session, actor: Actor) -> list[str]:
    """The routes that somebody has asked for, with the method in front."""
    actor.require(Permission.VIEW_API_METRICS)
    table = APIRequestCount
    is_real = table.method != "_OTHER", table.endpoint.like("/%")
    found = session.execute(select(table.method, table.endpoint).where(*is_real).distinct())
    return sorted((f"{method} {path}" for method, path in found), key=lambda label: label.partition(" ")[::-1])


def create(session: Session, actor: Actor, asked: Wanted) -> int:
    """Add a rule."""
    actor.require(Permission.CONFIGURE_NOTIFICATIONS)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_COUNT)))
    if (session.scalar(select(func.count()).select_from(APIAlertRule)) or 0) >= MOST_RULES:
        raise Invalid(f"There are {MOST_RULES} rules already; delete one first.", field="measure")
    rule = APIAlertRule(created_by=actor.user_id, **_columns(asked))
    session.add(rule)
    session.flush()
    audit.record(session, actor, "alert_rule.create", rule=rule.id, after=words_of(rule))
    return rule.id


def change(session: Session, actor: Actor, rule_id: int, asked: Wanted) -> None:
    """Change a rule; an alert that it has raised ends, and the next look begins anew."""
    rule = held(session, actor, rule_id)
    before = words_of(rule)
    events.end(session, rule, "the rule was changed")
    for name, value in _columns(asked).items():
        setattr(rule, name, value)
    rule.last_value = rule.last_requests = rule.looked_at = None
    audit.record(session, actor, "alert_rule.change", rule=rule.id, before=before, after=words_of(rule))


def delete(session: Session, actor: Actor, rule_id: int) -> None:
    """Delete a rule; an alert that it has raised ends."""
    rule = held(session, actor, rule_id)
    events.end(session, rule, "the rule was deleted")
    audit.record(session, actor, "alert_rule.delete", rule=rule.id, before=words_of(rule))
    session.delete(rule)


def held(session: Session, actor: Actor, rule_id: int) -> APIAlertRule:
    """A rule that is about to change, locked."""
    actor.require(Permission.CONFIGURE_NOTIFICATIONS)
    rule = session.scalar(select(APIAlertRule).where(APIAlertRule.id == rule_id).with_for_update())
    if rule is None:
        raise NotFound("rule")
    return rule


def _columns(asked: Wanted) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in ("measure", "threshold", "window_minutes", "endpoint", "is_active")}


def words_of(rule: APIAlertRule | Rule) -> str:
    """A rule in a sentence that fits behind “when”."""
    off = "" if rule.is_active else " (off)"
    return f"{events.subject_of(rule)} exceeds {events.amount(rule.measure, rule.threshold)}{off}"
