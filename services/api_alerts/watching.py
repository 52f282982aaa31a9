"""Look at the last minutes for every rule, and write an event where one begins to be exceeded or ceases to be."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from database.engine import snapshot, transaction
from database.types import now
from models.api_alert_rule import AlertMeasure, APIAlertRule
from models.api_request_log import APIRequestLog
from services.api_alerts import events
from services.api_alerts.rules import LEAST_REQUESTS

# A rule changes its mind at most every ten minutes, so that a value about its bound fills no mailbox.
HELD = timedelta(minutes=10)
Seen = tuple[int, datetime, float | None, int]  # a rule, its version, its value and of how many requests


def look() -> int:
    """Look at every rule; how many events were written. Killed anywhere, each rule is as before or as after."""
    moment = now()
    with snapshot() as session:
        seen = _measured(session, moment)
    if not seen:
        return 0
    written = 0
    for one in seen:
        with transaction() as session:
            written += _decide(session, one, moment)
    return written


def _measured(session: Session, moment: datetime) -> list[Seen]:
    rules = session.scalars(select(APIAlertRule).where(APIAlertRule.is_active).order_by(APIAlertRule.id)).all()
    return [(rule.id, rule.updated_at, *value_of(session, rule, moment)) for rule in rules]


def value_of(session: Session, rule: APIAlertRule, moment: datetime) -> tuple[float | None, int]:
    """The error rate or p95 of the rule's last minutes, if there are enough requests, and how many they are."""
    within = _within(rule, moment)
    has_failed = case((APIRequestLog.status_code >= 400, 1), else_=0)
    counted = select(func.count(), func.coalesce(func.sum(has_failed), 0)).select_from(APIRequestLog).where(*within)
    requests, failed = session.execute(counted).one()
    if requests < LEAST_REQUESTS:
        return None, requests
    if rule.measure is AlertMeasure.ERROR_RATE:
        return failed / requests, requests
    rank = math.floor(0.95 * (requests - 1))
    taken = select(APIRequestLog.response_time_ms).where(*within).order_by(APIRequestLog.response_time_ms)
    return session.scalar(taken.offset(rank).limit(1)), requests


def _within(rule: APIAlertRule, moment: datetime) -> Sequence[ColumnElement[bool]]:
    begin = moment - timedelta(minutes=rule.window_minutes)
    found: list[ColumnElement[bool]] = [APIRequestLog.request_time >= begin, APIRequestLog.request_time < moment]
    if rule.endpoint is not None:
        method, _, path = rule.endpoint.partition(" ")
        # Along the times: of one route without its status the index would be read from its beginning.
        found += [APIRequestLog.endpoint.concat("") == path, APIRequestLog.method == method]
    return found


def _decide(session: Session, seen: Seen, moment: datetime) -> int:
    """Raise or resolve, unless somebody else has done so, or has changed the rule, since it was measured."""
    rule_id, version, value, requests = seen
    held = select(APIAlertRule).where(APIAlertRule.id == rule_id, APIAlertRule.updated_at == version)
    rule = session.scalar(held.with_for_update())
    if rule is None:
        return 0
    rule.last_value, rule.last_requests, rule.looked_at = value, requests, moment
    is_held = rule.changed_at is not None and moment - rule.changed_at < HELD
    is_over = value is not None and value > rule.threshold
    if is_held or is_over == (rule.raised_at is not None):
        return 0
    if value is not None and is_over:
        events.begin(session, rule, value, requests)
    else:
        told = (
            f"fewer than {LEAST_REQUESTS} requests" if value is None else f"{events.amount(rule.measure, value)} again"
        )
        events.end(session, rule, told, value=value, requests=requests)
    return 1
