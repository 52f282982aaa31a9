"""`/api/v1/alert-rules`: bounds on the error rate or p95 of the last minutes, and whether they are exceeded."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services.actor import Actor
from services.api_alerts import rules
from web.rest.answers import Answer, Listed, Reply, listed, require_state, tagged
from web.rest.asked import Body
from web.rest.kinds import line, told
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_alert_rules", __name__, url_prefix=PREFIX)
ALL, ONE = "/alert-rules", "/alert-rules/<int:rule_id>"
BOTH = "Needs the permission “view api metrics” as well."
BOUND = "A share between 0 and 1 for `error_rate`, milliseconds for `p95`."
Measure = Literal["error_rate", "p95"]
Window = Literal[5, 15, 30, 60]
Bound = Annotated[float, Field(gt=0, le=rules.LONGEST_WAIT, description=BOUND)]
# A method and a path, or nothing.
Route = Annotated[str, line(270), told(pattern=r"^( *|[^\x00-\x1f\x7f]*\S [^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*)$")]


class Bounds(Answer):
    """What can be changed of a rule, for which its ETag stands: each look changes the rest."""

    measure: Measure
    threshold: float
    window_minutes: int
    endpoint: str | None
    is_active: bool


class AlertRule(Bounds):
    """A rule; `raised` says since when it is exceeded, and value and requests are of the last look."""

    id: int
    owner: str | None
    raised: datetime | None
    value: float | None
    requests: int | None
    looked_at: datetime | None


class NewAlertRule(Body):
    """A rule to be made."""

    measure: Measure
    threshold: Bound
    window_minutes: Window = 5
    endpoint: Route | None = Field(
        None, description="A method and a path, such as `GET /api/v1/me`; else all requests."
    )
    is_active: bool = True


class AlertRuleChange(Body):
    """What changes; what is left out stays, and an empty `endpoint` means all requests."""

    measure: Measure | None = None
    threshold: Bound | None = None
    window_minutes: Window | None = None
    endpoint: Route | None = None
    is_active: bool | None = None


@operation(blueprint, "GET", ALL, permission=Permission.VIEW_API_METRICS, answer=Listed[AlertRule], table=AlertRule)
def list_alert_rules(session: Session, actor: Actor, **_: Any) -> Reply:
    """All rules, those that are exceeded first"""
    return listed(Listed[AlertRule](items=[AlertRule.from_row(one) for one in rules.listed(session, actor)]))


@operation(blueprint, "GET", ONE, permission=Permission.VIEW_API_METRICS, answer=AlertRule, tagged=True)
def get_alert_rule(session: Session, actor: Actor, rule_id: int, **_: Any) -> Reply:
    """One rule"""
    return _told(_rule(session, actor, rule_id))


def _told(rule: AlertRule) -> Reply:
    return Reply(rule, tagged(Bounds.from_row(rule)).headers)


def _rule(session: Session, actor: Actor, rule_id: int) -> AlertRule:
    return AlertRule.from_row(rules.one(session, actor, rule_id))


@operation(
    blueprint,
    "POST",
    ALL,
    permission=Permission.CONFIGURE_NOTIFICATIONS,
    body=NewAlertRule,
    answer=AlertRule,
    status=201,
    tagged=True,
    description=BOTH,
)
def create_alert_rule(session: Session, actor: Actor, body: NewAlertRule, **_: Any) -> Reply:
    """Watch the error rate or p95 of all requests or of one route"""
    number = rules.create(session, actor, _wanted(**body.model_dump()))
    told = _told(_rule(session, actor, number))
    return Reply(told.value, told.headers | {"Location": f"{PREFIX}{ALL}/{number}"})


@operation(
    blueprint,
    "PATCH",
    ONE,
    permission=Permission.CONFIGURE_NOTIFICATIONS,
    body=AlertRuleChange,
    answer=AlertRule,
    tagged=True,
    conditional=True,
    description=f"An alert that the rule has raised ends, and the next look begins anew. {BOTH}",
)
def change_alert_rule(
    session: Session, actor: Actor, rule_id: int, body: AlertRuleChange, expected: tuple[str, ...], **_: Any
) -> Reply:
    """Change a rule"""
    rules.held(session, actor, rule_id)  # before it is compared: of two changes at once one is refused
    present = Bounds.from_row(_rule(session, actor, rule_id))
    require_state(present, expected, "rule")
    rules.change(session, actor, rule_id, _wanted(**present.model_dump() | body.model_dump(exclude_none=True)))
    session.flush()
    return _told(_rule(session, actor, rule_id))


def _wanted(measure: str, threshold: float, window_minutes: int, endpoint: str | None, is_active: bool) -> rules.Wanted:
    return rules.checked(measure, threshold, window_minutes, endpoint, is_active)


@operation(blueprint, "DELETE", ONE, permission=Permission.CONFIGURE_NOTIFICATIONS, answer=None, status=204)
def delete_alert_rule(session: Session, actor: Actor, rule_id: int, **_: Any) -> None:
    """Delete a rule; an alert that it has raised ends"""
    rules.delete(session, actor, rule_id)
