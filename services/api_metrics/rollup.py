"""Rows of hours, days and weeks from the raw rows; killed, repeated or done twice at once, it ends in the same rows.

An hour is always made anew and whole from its raw rows. Days (of UTC) and weeks (from Monday on) are merged from the
sketches of their hours, never from their percentiles, in the transaction that writes the hour.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from models.api_journal import APIJournal
from models.api_request_log import APIMetricsSummary, APIRequestLog
from services.api_metrics.facts import Facts, of_rows, pack_sketch, summed

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
HOURLY, DAILY, WEEKLY = "hourly", "daily", "weekly"
WATERMARK = "rolled up"  # no journal has this name, as theirs end in .jsonl
AT_ONCE = 50_000  # raw rows that one step looks through for hours that have grown
HOURS_AT_ONCE = 24
# On PostgreSQL a lower number may be committed after a higher one; no transaction of the drain lasts as long.
OVERLAP, SETTLED = 10_000, timedelta(minutes=15)
_LOCK = 0x5046_445F_4D45  # the advisory lock under which PostgreSQL lets one write summaries
_LOG = APIRequestLog.__table__.c
RAW = (
    _LOG.id,
    _LOG.endpoint,
    _LOG.method,
    _LOG.status_code,
    _LOG.request_time,
    _LOG.response_time_ms,
    _LOG.request_size_bytes,
    _LOG.response_size_bytes,
    _LOG.api_key_id,
)


def roll_up(steps: int = 100) -> int:
    """Bring the summaries up to date; how many hours were written."""
    written = 0
    for _ in range(steps):
        before = written
        with snapshot() as session:
            hours, watermark, is_more = _due(session)
        for hour in hours:
            written += _write_hour(hour)
        with transaction() as session:
            _advance(session, watermark)
        if not is_more and written == before:
            break
    return written


def _due(session: Session) -> tuple[list[datetime], int, bool]:
    """Hours whose raw rows are not all summed up, the raw row up to which was looked, and whether there are more."""
    newest = session.scalar(select(func.max(APIMetricsSummary.period_start)).where(_is(HOURLY)))
    oldest_whole = hour_of(now() - settings().api_requests_kept) + HOUR
    begin = oldest_whole if newest is None else max(newest + HOUR, oldest_whole)
    watermark = session.scalar(select(APIJournal.position).where(APIJournal.name == WATERMARK))
    last = session.scalar(select(func.max(APIRequestLog.id))) or 0
    hours = set(_new(session, begin))
    if watermark is None:
        return sorted(hours), last, False
    late, upto = _late(session, watermark)
    hours |= {hour for hour in late if hour < begin and hour >= oldest_whole and _has_grown(session, hour)}
    return sorted(hours), max(watermark, upto), upto < last and upto > watermark


def _new(session: Session, begin: datetime) -> list[datetime]:
    """The hours with requests that are over and come after all that is summed up, the first of them."""
    end = hour_of(now())
    found: list[datetime] = []
    while begin < end and len(found) < HOURS_AT_ONCE:
        following = select(func.min(APIRequestLog.request_time)).where(
            APIRequestLog.request_time >= begin, APIRequestLog.request_time < end
        )
        first = session.scalar(following)
        if first is None:
            break
        found.append(hour_of(first))
        begin = found[-1] + HOUR
    return found


def _late(session: Session, watermark: int) -> tuple[list[datetime], int]:
    """The hours of what was written since the last look, or about then, and up to which row that goes."""
    seen = (
        select(APIRequestLog.id, APIRequestLog.request_time, APIRequestLog.created_at)
        .where(APIRequestLog.id > watermark - OVERLAP)
        .order_by(APIRequestLog.id)
        .limit(AT_ONCE)
        .subquery()
    )
    hour = func.substr(cast(seen.c.request_time, String), 1, 13)  # of UTC on both databases
    is_recent = (seen.c.id > watermark) | (seen.c.created_at > now() - SETTLED)
    rows = session.execute(select(hour).where(is_recent).group_by(hour)).scalars()
    hours = [datetime.fromisoformat(f"{text}:00").replace(tzinfo=UTC) for text in rows]
    return hours, session.scalar(select(func.max(seen.c.id))) or watermark


def _has_grown(session: Session, hour: datetime) -> bool:
    """Whether there are raw rows that its summary does not count; only ever more come, until all are old."""
    there = session.scalar(select(func.count()).select_from(APIRequestLog).where(*_within(hour))) or 0
    return there > _counted(session, HOURLY, hour)


def _counted(session: Session, kind: str, start: datetime) -> int:
    known = select(APIMetricsSummary.total_requests).where(_is(kind), APIMetricsSummary.period_start == start)
    return session.scalar(known) or 0


def _write_hour(hour: datetime) -> bool:
    """Write an hour with its day and its week; nothing where another scheduler has seen as much or more."""
    with snapshot() as session:
        facts = of_rows(_raw(session, hour))
    with transaction() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        if facts.whole().requests <= _counted(session, HOURLY, hour):
            return False
        _write(session, HOURLY, hour, HOUR, facts)
        day, week = day_of(hour), week_of(hour)
        _write(session, DAILY, day, DAY, _merged(session, HOURLY, day, DAY))
        _write(session, WEEKLY, week, WEEK, _merged(session, DAILY, week, WEEK))
    return True


def _raw(session: Session, hour: datetime) -> Iterator[Any]:
    return iter(session.execute(select(*RAW).where(*_within(hour)).execution_options(yield_per=5000)))


def _merged(session: Session, kind: str, start: datetime, length: timedelta) -> Facts:
    of_it = APIMetricsSummary.period_start >= start, APIMetricsSummary.period_start < start + length
    rows = session.scalars(select(APIMetricsSummary.parts).where(_is(kind), *of_it))
    return summed(parts for parts in rows if parts is not None)[0]


def _write(session: Session, kind: str, start: datetime, length: timedelta, facts: Facts) -> None:
    whole = facts.whole()
    if whole.requests < _counted(session, kind, start):
        return  # some of its hours are kept no longer
    moment = now()
    values = {
        "period_end": start + length,
        "total_requests": whole.requests,
        "successful_requests": whole.requests - whole.failed,
        "failed_requests": whole.failed,
        "avg_response_time_ms": whole.average,
        **{f"p{place}_response_time_ms": whole.sketch.quantile(place / 100) for place in (50, 95, 99)},
        "requests_per_second": whole.requests / length.total_seconds(),
        "error_rate": whole.error_rate,
        "endpoint_metrics": readable(facts),
        "sketch": pack_sketch(whole.sketch),
        "parts": facts.packed(),
        "updated_at": moment,
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = {"aggregation_type": kind, "period_start": start, "created_at": moment, **values}
    statement = dialect.insert(APIMetricsSummary).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=["aggregation_type", "period_start"], set_=values))


def readable(facts: Facts) -> dict[str, Any]:
    """What a period was, per route and per key, in words and milliseconds."""
    made: dict[str, Any] = {}
    for name, parts in (("endpoints", facts.endpoints), ("keys", facts.keys)):
        made[name] = {
            label: {
                "requests": part.requests,
                "errors": part.failed,
                "statuses": {f"{place}xx": count for place, count in enumerate(part.classes, start=1) if count},
                "bytes_in": part.received,
                "bytes_out": part.sent,
                "avg": part.average,
                **{f"p{place}": part.sketch.quantile(place / 100) for place in (50, 95, 99)},
            }
            for label, part in sorted(parts.items())
        }
    return made


def _advance(session: Session, watermark: int) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(APIJournal).values(name=WATERMARK, position=watermark)
    further = statement.excluded.position > APIJournal.position
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"position": statement.excluded.position}, where=further
        )
    )


def _is(kind: str) -> Any:
    return APIMetricsSummary.aggregation_type == kind


def _within(hour: datetime) -> tuple[Any, Any]:
    return APIRequestLog.request_time >= hour, APIRequestLog.request_time < hour + HOUR


def hour_of(moment: datetime) -> datetime:
    """The hour of UTC in which a moment lies."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> datetime:
    """The day of UTC in which a moment lies."""
    return hour_of(moment).replace(hour=0)


def week_of(moment: datetime) -> datetime:
    """The Monday of UTC with which the week of a moment begins."""
    return day_of(moment) - timedelta(days=moment.astimezone(UTC).weekday())
