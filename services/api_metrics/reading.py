"""What the page of the API's metrics shows, out of summaries and the raw rows of the hour that is not over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from database.types import now
from models.api_key import APIKey
from models.api_request_log import APIMetricsSummary, APIRequestLog
from models.permissions import Permission
from models.user import User
from services.actor import Actor
from services.api_metrics import restarts, sums
from services.api_metrics.facts import NOBODY, Facts, Part, label_of, of_rows, one_of, unpack_sketch, whole_of
from services.api_metrics.restarts import Restart
from services.api_metrics.rollup import DAILY, DAY, HOUR, HOURLY, RAW, day_of, hour_of
from services.api_metrics.sketches import Sketch, bin_of, merged
from services.api_metrics.windows import MINUTE, Window
from services.owners import shown_name

MOMENT = 4  # the place of the time among the columns of a raw row


@dataclass(slots=True)
class Slot:
    """One step of time."""

    begin: datetime
    seconds: float
    requests: int = 0
    failed: int = 0
    sketch: Sketch = field(default_factory=Sketch)

    def add(self, requests: int, failed: int, sketch: Sketch) -> None:
        """Count more."""
        self.requests += requests
        self.failed += failed
        self.sketch.merge(sketch)


@dataclass(frozen=True, slots=True)
class Totals:
    """A whole window in a few figures."""

    requests: int
    failed: int
    seconds: float
    sketch: Sketch

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def error_rate(self) -> float | None:
        """The share that has failed."""
        return self.failed / self.requests if self.requests else None


@dataclass(frozen=True, slots=True)
class Route:
    """One route with the requests of each stretch of the window, from the first."""

    label: str
    part: Part
    trend: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key, or none, and whose it is."""

    id: int | None
    name: str | None
    owner: str | None
    part: Part


@dataclass(frozen=True, slots=True)
class Metrics:
    """All that the page shows of one window."""

    window: Window
    endpoint: str | None
    slots: Sequence[Slot]
    totals: Totals
    whole: Part
    routes: Sequence[Route]
    keys: Sequence[KeyUse]
    before: Totals | None
    cursor: str
    restarts: Sequence[Restart] = ()


def cursor(session: Session, actor: Actor) -> str:
    """What changes whenever there is something new to show."""
    actor.require(Permission.VIEW_API_METRICS)
    last = select(func.max(APIRequestLog.id)).scalar_subquery()
    summed = select(func.max(APIMetricsSummary.updated_at)).scalar_subquery()
    found = session.execute(select(last, summed)).one()
    return f"{found[0]}/{found[1]}/{now():%Y%m%d%H%M}"  # the last hour moves on by itself


def read(session: Session, actor: Actor, window: Window, endpoint: str | None = None, compare: bool = False) -> Metrics:
    """One window, of all requests or of one route; as many statements whatever its length."""
    sign = cursor(session, actor)  # which asks for the permission
    moment = now()
    windows = [window, window.before] if compare else [window]
    if window.step == MINUTE:
        rows = _raw(session, windows[-1].begin, window.end)
        filled = [_by_minute(rows, one, endpoint, moment) for one in windows]
        total, pieces = _pieces([row for row in rows if row[MOMENT] >= window.begin], 5 * MINUTE, window)
    else:
        summed = _summaries(session, windows, endpoint)
        fresh = _by_hour(_not_summed_up(session, windows, moment, session.scalar(select(_newest()))))
        filled = [_by_step(summed, fresh, one, endpoint, moment) for one in windows]
        total, pieces = _covering(session, window, fresh)
    whole = total.endpoints.get(endpoint, Part()) if endpoint else total.whole()
    routes = [
        Route(label, part, tuple(counted.get(label, 0) for counted in pieces))
        for label, part in total.endpoints.items()
    ]
    totals = [_totals(slots) for slots in filled]
    keys = _named(session, total.keys)
    started = restarts.within(session, actor, window)
    return Metrics(
        window, endpoint, filled[0], totals[0], whole, routes, keys, totals[1] if compare else None, sign, started
    )


def _newest() -> Any:
    return (
        select(func.max(APIMetricsSummary.period_end))
        .where(APIMetricsSummary.aggregation_type == HOURLY)
        .scalar_subquery()
    )


def _raw(session: Session, begin: datetime, end: datetime) -> list[Sequence[Any]]:
    within = APIRequestLog.request_time >= begin, APIRequestLog.request_time < end
    return list(session.execute(select(*RAW).where(*within)).all())


def _not_summed_up(
    session: Session, windows: Sequence[Window], moment: datetime, summed: datetime | None
) -> list[Sequence[Any]]:
    """The raw rows of the hour that is not over, and of the one before for the minute until it is summed up."""
    begin = hour_of(moment)
    if summed is None or summed < begin:
        begin -= HOUR
    if summed is not None:
        begin = max(begin, summed)
    return _raw(session, max(begin, windows[-1].begin), windows[0].end)


def _summaries(session: Session, windows: Sequence[Window], endpoint: str | None) -> dict[datetime, tuple[Any, ...]]:
    """Requests, failures and sketch of each step, of one route out of its parts."""
    table = APIMetricsSummary
    kind = HOURLY if windows[0].step == HOUR else DAILY
    packed = table.parts if endpoint else table.sketch
    rows = session.execute(
        select(table.period_start, table.total_requests, table.failed_requests, packed).where(
            table.aggregation_type == kind,
            table.period_start >= windows[-1].begin,
            table.period_start < windows[0].end,
        )
    )
    found: dict[datetime, tuple[Any, ...]] = {}
    for start, requests, failed, content in rows:
        if content is None:
            continue
        if endpoint:
            part = one_of(content, endpoint)
            found[start] = part.requests, part.failed, part.sketch
        else:
            found[start] = requests, failed, unpack_sketch(content)
    return found


def _slots(window: Window, moment: datetime) -> list[Slot]:
    """The empty steps of a window; the one that is not over is as long as it has lasted."""
    made = []
    for start in window.starts():
        lasted = min((moment - start).total_seconds(), window.step.total_seconds())
        if lasted > 0:
            made.append(Slot(start, max(lasted, 1.0)))
    return made


def _by_hour(rows: Sequence[Any]) -> dict[datetime, Facts]:
    """Raw rows as facts of the hours in which they lie."""
    cut: dict[datetime, list[Any]] = {}
    for row in rows:
        cut.setdefault(hour_of(row[MOMENT]), []).append(row)
    return {hour: of_rows(its) for hour, its in cut.items()}


def _by_step(
    summed: dict[datetime, tuple[Any, ...]],
    fresh: dict[datetime, Facts],
    window: Window,
    endpoint: str | None,
    moment: datetime,
) -> list[Slot]:
    slots = {slot.begin: slot for slot in _slots(window, moment)}
    for start, its in summed.items():
        if start in slots:
            slots[start].add(*its)
    floor = hour_of if window.step == HOUR else day_of
    for hour, facts in fresh.items():
        if floor(hour) in slots:
            part = facts.endpoints.get(endpoint, Part()) if endpoint else facts.whole()
            slots[floor(hour)].add(part.requests, part.failed, part.sketch)
    return list(slots.values())


def _by_minute(rows: Sequence[Any], window: Window, endpoint: str | None, moment: datetime) -> list[Slot]:
    slots = {slot.begin: slot for slot in _slots(window, moment)}
    _fill(slots, ((row[MOMENT].replace(second=0, microsecond=0), row) for row in rows), endpoint)
    return list(slots.values())


def _fill(slots: dict[datetime, Slot], rows: Iterable[tuple[datetime, Any]], endpoint: str | None) -> None:
    """Count raw rows into the steps in which they lie."""
    for start, row in rows:
        slot = slots.get(start)
        if slot is not None and (endpoint is None or f"{row[2]} {row[1]}" == endpoint):
            slot.requests += 1
            slot.failed += row[3] >= 400
            slot.sketch.count_in(bin_of(row[5]))


def _pieces(rows: Sequence[Any], length: timedelta, window: Window) -> tuple[Facts, list[dict[str, int]]]:
    """Raw rows as the facts of all of them, and the requests of each route in equal stretches."""
    stretches: list[dict[str, int]] = [{} for _ in range(-(-(window.end - window.begin) // length))]
    for row in rows:
        counted, label = stretches[(row[MOMENT] - window.begin) // length], label_of(row[1], row[2])
        counted[label] = counted.get(label, 0) + 1
    return of_rows(rows), stretches


def _covering(session: Session, window: Window, fresh: dict[datetime, Facts]) -> tuple[Facts, list[dict[str, int]]]:
    """The facts of a window from as few rows as it takes, whole days and the hours before and after them.

    Beside them the requests of each route in each stretch.
    """
    table = APIMetricsSummary
    first = day_of(window.begin) if window.begin == day_of(window.begin) else day_of(window.begin) + DAY
    last = max(day_of(window.end), first)
    if window.end - window.begin <= DAY:
        first = last = window.end  # hour by hour, which makes a better course of it
    days = (table.aggregation_type == DAILY) & (table.period_start >= first) & (table.period_start < last)
    hours = (
        (table.aggregation_type == HOURLY)
        & (table.period_start >= window.begin)
        & (table.period_start < window.end)
        & ((table.period_start < first) | (table.period_start >= last))
    )
    query = select(table.period_start, table.parts).where(or_(days, hours)).order_by(table.period_start)
    length = HOUR if first == last else DAY
    stretches: dict[datetime, dict[str, int]] = {}
    start = window.begin if length == HOUR else day_of(window.begin)
    while start < min(window.end, now()):
        stretches[start] = {}
        start += length
    floor = hour_of if length == HOUR else day_of
    rows = [(begin, parts) for begin, parts in session.execute(query) if parts is not None]
    known, each = sums.of([parts for _, parts in rows])
    total = Facts()
    total.merge(known)
    for (begin, _), counts in zip(rows, each, strict=True):
        _count(stretches.setdefault(floor(begin), {}), counts)
    for hour, facts in fresh.items():
        if window.begin <= hour < window.end:
            total.merge(facts)
            counts = {label: part.requests for label, part in facts.endpoints.items()}
            _count(stretches.setdefault(floor(hour), {}), counts)
    return total, [counts for _, counts in sorted(stretches.items())]


def _count(into: dict[str, int], counts: dict[str, int]) -> None:
    for label, count in counts.items():
        into[label] = into.get(label, 0) + count


def _totals(slots: Sequence[Slot]) -> Totals:
    counts = sum(slot.requests for slot in slots), sum(slot.failed for slot in slots)
    return Totals(*counts, sum(slot.seconds for slot in slots), merged(slot.sketch for slot in slots))


def _named(session: Session, parts: dict[str, Part]) -> list[KeyUse]:
    """The keys with name and owner; one that is gone has neither, and its requests are nobody's."""
    numbers = [int(label) for label in parts if label.isdigit() and label != NOBODY]
    rows = session.execute(
        select(APIKey.id, APIKey.name, shown_name()).join(User, User.id == APIKey.user_id).where(APIKey.id.in_(numbers))
    )
    known = {str(number): (number, name, owner) for number, name, owner in rows}
    named = [
        KeyUse(*known.get(label, (None, None, None)), part=part) for label, part in parts.items() if label in known
    ]
    rest = [part for label, part in parts.items() if label not in known]
    if rest:
        named.append(KeyUse(None, None, None, whole_of(rest)))
    return sorted(named, key=lambda use: (-use.part.requests, use.id or 0))


def at(micros: int) -> datetime:
    """The moment of a request that is told of."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC)
