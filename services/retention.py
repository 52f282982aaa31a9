"""How long what grows by itself is kept: what would be removed, removing it a batch at a time, shortening addresses.

The system log is not among it: each of its rows is bound to the one before, so a chain without its beginning could not
be told from one that somebody has shortened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.settings import settings
from database.types import now
from models.api_key import APIUsage
from models.api_request_log import APIMetricsSummary, APIRequestLog
from models.email_log import EmailLog, EmailStatus
from models.event import Event
from models.idempotency_key import IdempotencyKey
from models.login_history import LoginHistory
from models.one_time_token import OneTimeToken
from models.session_log import SessionLog
from models.throttle import Throttle
from services import idempotency
from services.api_metrics.rollup import HOURLY
from services.networks import shortened
from services.throttling import LONG_WINDOW

AT_ONCE = 1000  # rows in one transaction, so that no other writer waits long


@dataclass(frozen=True, slots=True)
class Expired:
    """What of a table is older than it is kept."""

    table: str
    kept: timedelta
    rows: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class _Kept:
    key: InstrumentedAttribute[Any]
    moment: InstrumentedAttribute[Any]
    kept: timedelta
    only: Sequence[ColumnElement[bool]] = ()

    @property
    def is_old(self) -> ColumnElement[bool]:
        return (self.moment < now() - self.kept) & self._rest

    @property
    def _rest(self) -> ColumnElement[bool]:
        found: ColumnElement[bool] = self.key.is_not(None)
        for condition in self.only:
            found &= condition
        return found


def _kept() -> tuple[_Kept, ...]:
    chosen = settings()
    # A counter of guesses goes when it would begin anew at the next one.
    over = Throttle.blocked_until.is_(None) | (Throttle.blocked_until <= now())
    is_hour = APIMetricsSummary.aggregation_type == HOURLY
    return (
        _Kept(LoginHistory.id, LoginHistory.timestamp, chosen.logins_kept),
        _Kept(SessionLog.id, SessionLog.last_active, max(chosen.logins_kept, chosen.session_idle)),
        _Kept(OneTimeToken.id, OneTimeToken.expires_at, chosen.logins_kept),
        _Kept(Throttle.bucket, Throttle.window_started_at, LONG_WINDOW, [over]),
        _Kept(EmailLog.id, EmailLog.created_at, chosen.mails_kept, [EmailLog.status != EmailStatus.PENDING]),
        _Kept(IdempotencyKey.id, IdempotencyKey.created_at, idempotency.KEPT),
        _Kept(Event.id, Event.happened_at, chosen.mails_kept),
        _Kept(APIUsage.id, APIUsage.timestamp, chosen.api_usage_kept),
        _Kept(APIMetricsSummary.id, APIMetricsSummary.period_end, chosen.api_hours_kept, [is_hour]),
        _Kept(APIMetricsSummary.id, APIMetricsSummary.period_end, chosen.api_days_kept, [~is_hour]),
        _Kept(APIRequestLog.id, APIRequestLog.request_time, chosen.api_requests_kept),
    )


def would_delete(session: Session) -> list[Expired]:
    """What a purge would delete at this moment, table by table."""
    found = []
    for item in _kept():
        rows, oldest = session.execute(select(func.count(), func.min(item.moment)).where(item.is_old)).one()
        found.append(Expired(item.key.class_.__tablename__, item.kept, rows, oldest))
    return found


def purge(session: Session, limit: int) -> int:
    """Delete some of what is older than it is kept; returns how many rows went."""
    removed = 0
    for item in _kept():
        if removed >= limit:
            break
        # Asked again where it is removed: a counter that counts anew meanwhile stays.
        query = select(item.key).where(item.is_old).order_by(item.key).limit(limit - removed)
        found = session.scalars(query).all()
        if found:
            session.execute(delete(item.key.class_).where(item.key.in_(found), item.is_old))
        removed += len(found)
    return removed


def shorten_addresses(session: Session, limit: int) -> int:
    """Leave of some addresses that are old enough only the network they came from; returns how many."""
    before = now() - settings().addresses_kept
    done = 0
    for moment in (LoginHistory.timestamp, SessionLog.last_active, APIRequestLog.request_time):
        table = moment.class_
        whole = table.ip_address.is_not(None), table.ip_address.not_like("%/%"), table.ip_address != ""
        query = select(table.id, table.ip_address).where(moment < before, *whole).order_by(moment).limit(limit - done)
        rows = [{"id": number, "ip_address": shortened(address)} for number, address in session.execute(query)]
        if rows:
            session.execute(update(table), rows)
        done += len(rows)
        if done >= limit:
            break
    return done
