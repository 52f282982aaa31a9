"""Append points to series: each point once, summaries true in the same transaction."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Executable, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.metric_series import MetricChunk, MetricKey, MetricSeries
from services.curves.packing import Points, pack_steps, pack_times, pack_values
from services.curves.reading import read_all, unpack_chunk
from services.errors import Invalid

FULL = 16_384  # points: a full chunk of doubles is 128 KiB, so a year of a running experiment is a few hundred rows
TAIL = 256  # points: what one further point rewrites at the most
MERGE_AT = 64  # sealed small chunks: merged into one full chunk

# Asked for every point that a script logs by itself, so built once.
_KEYS = select(MetricKey.name, MetricKey.id).where(MetricKey.name.in_(bindparam("names", expanding=True)))
_SERIES = (
    select(MetricSeries)
    .where(
        MetricSeries.experiment_id == bindparam("experiment_id"),
        MetricSeries.key_id.in_(bindparam("key_ids", expanding=True)),
    )
    .order_by(MetricSeries.key_id)
    .with_for_update()
    .execution_options(populate_existing=True)
)
_LATEST = (
    select(MetricChunk.series_id, func.max(MetricChunk.start).label("start"))
    .where(MetricChunk.series_id.in_(bindparam("series_ids", expanding=True)))
    .group_by(MetricChunk.series_id)
    .subquery()
)
_LAST_CHUNKS = (
    select(MetricChunk)
    .join(_LATEST, (_LATEST.c.series_id == MetricChunk.series_id) & (_LATEST.c.start == MetricChunk.start))
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class Extended:
    """What an append did to one series: its new points, the summary after them and where it ended before."""

    series: MetricSeries
    fresh: Points
    last_before: tuple[int, float] | None  # step and value


def append(session: Session, experiment_id: int, batch: Mapping[str, Points]) -> int:
    """Add points to an experiment's series and return how many were new.

    A point is its step, value and time: the same point again, in this batch or an earlier one, is kept once.
    """
    return sum(len(one.fresh) for one in extend(session, experiment_id, batch).values())


def extend(session: Session, experiment_id: int, batch: Mapping[str, Points]) -> dict[str, Extended]:
    """The same, and what it did to each series that has got new points."""
    batch = {key: points for key, points in batch.items() if len(points)}
    if not batch:
        return {}
    key_ids = key_ids_of(session, batch)
    series = _series_of(session, experiment_id, list(key_ids.values()))
    ends = _last_chunks(session, [row.id for row in series.values() if row.points])
    small = _small_chunks(session, [number for number, last in ends.items() if TAIL <= last.points < FULL])
    extended = {}
    with session.no_autoflush:  # all series are written together at the end
        for key, points in batch.items():
            row = series[key_ids[key]]
            fresh = _without_known(session, row, points)
            if len(fresh):
                before = (row.last_step or 0, _last_value(row)) if row.points else None
                _store(session, row, ends.get(row.id), fresh, merge=small.get(row.id, 0) >= MERGE_AT)
                _summarise(row, fresh)
                extended[key] = Extended(row, fresh, before)
    session.flush()
    return extended


def _last_value(row: MetricSeries) -> float:
    return float(row.last_special or math.nan) if row.last_value is None else row.last_value


def key_ids_of(session: Session, names: Mapping[str, object] | list[str]) -> dict[str, int]:
    """The number of each metric name, made where it is new."""
    wanted = list(names)
    for name in wanted:
        if not name or len(name) > 250:
            raise Invalid("The name of a metric has 1 to 250 characters.", field=name[:60])
    known = dict(session.execute(_KEYS, {"names": wanted}).all())
    missing = sorted(set(wanted) - known.keys())
    if missing:
        session.execute(_insert_or_ignore(session, MetricKey, [{"name": name} for name in missing]))
        known = dict(session.execute(_KEYS, {"names": wanted}).all())
    return known


def _insert_or_ignore(session: Session, model: type, rows: list[dict[str, Any]]) -> Executable:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement: Executable = dialect.insert(model).values(rows).on_conflict_do_nothing()
    return statement


def _series_of(session: Session, experiment_id: int, key_ids: list[int]) -> dict[int, MetricSeries]:
    # Locked, in one order: two clients that log to one experiment wait for each other instead of losing points.
    wanted = {"experiment_id": experiment_id, "key_ids": key_ids}
    found = {row.key_id: row for row in session.scalars(_SERIES, wanted)}
    missing = sorted(set(key_ids) - found.keys())
    if missing:
        blank = {"points": 0, "nonfinite": 0, "in_order": True}
        rows = [{"experiment_id": experiment_id, "key_id": key_id, **blank} for key_id in missing]
        session.execute(_insert_or_ignore(session, MetricSeries, rows))
        found = {row.key_id: row for row in session.scalars(_SERIES, wanted)}
    return found


def _rows_as_bytes(points: Points) -> list[bytes]:
    table = np.column_stack((points.steps.view(np.float64), points.values, points.times))
    return [row.tobytes() for row in np.ascontiguousarray(table)]


def _without_known(session: Session, row: MetricSeries, points: Points) -> Points:
    ascending = len(points) < 2 or bool((np.diff(points.steps) > 0).all())
    if ascending and (row.points == 0 or (row.in_order and int(points.steps[0]) > (row.last_step or 0))):
        return points
    known: set[bytes] = set()
    if row.points:
        stored = read_all(session, [row.id], low=int(points.steps.min()), high=int(points.steps.max()))[row.id]
        known.update(_rows_as_bytes(stored))
    keep = np.zeros(len(points), dtype=bool)
    for index, point in enumerate(_rows_as_bytes(points)):
        if point not in known:
            known.add(point)
            keep[index] = True
    return points[keep]


def _last_chunks(session: Session, series_ids: list[int]) -> dict[int, MetricChunk]:
    """The last chunk of each series, in one query."""
    if not series_ids:
        return {}
    return {chunk.series_id: chunk for chunk in session.scalars(_LAST_CHUNKS, {"series_ids": series_ids})}


def _store(session: Session, row: MetricSeries, last: MetricChunk | None, points: Points, *, merge: bool) -> None:
    start = row.points
    if last is not None and last.points < TAIL:
        start = last.start
        points = Points.concatenate([unpack_chunk(last), points])
        _pack_into(last, points[:FULL])
        start, points = start + FULL, points[FULL:]
    elif merge:
        start, merged = _trailing_small(session, row.id)
        points = Points.concatenate([merged, points])
        _remove(session, row.id, start)
    for offset in range(0, len(points), FULL):
        chunk = MetricChunk(series_id=row.id, start=start + offset)
        _pack_into(chunk, points[offset : offset + FULL])
        session.add(chunk)


def _remove(session: Session, series_id: int, start: int) -> None:
    session.execute(
        delete(MetricChunk)
        .where(MetricChunk.series_id == series_id, MetricChunk.start >= start)
        .execution_options(synchronize_session="fetch")
    )


def _small_chunks(session: Session, series_ids: list[int]) -> dict[int, int]:
    """How many chunks of each of these series are sealed and small."""
    if not series_ids:
        return {}
    counted = session.execute(
        select(MetricChunk.series_id, func.count())
        .where(MetricChunk.series_id.in_(series_ids), MetricChunk.points < FULL)
        .group_by(MetricChunk.series_id)
    )
    return dict(counted.all())


def _trailing_small(session: Session, series_id: int) -> tuple[int, Points]:
    full_end = session.scalar(
        select(func.max(MetricChunk.start + MetricChunk.points)).where(
            MetricChunk.series_id == series_id, MetricChunk.points >= FULL
        )
    )
    start = full_end or 0
    chunks = session.scalars(
        select(MetricChunk)
        .where(MetricChunk.series_id == series_id, MetricChunk.start >= start)
        .order_by(MetricChunk.start)
    ).all()
    return start, Points.concatenate([unpack_chunk(chunk) for chunk in chunks])


def _pack_into(chunk: MetricChunk, points: Points) -> None:
    chunk.points = len(points)
    chunk.step_codec, chunk.steps = pack_steps(points.steps)
    chunk.first_step, chunk.last_step = int(points.steps[0]), int(points.steps[-1])
    chunk.low_step, chunk.high_step = int(points.steps.min()), int(points.steps.max())
    chunk.values = pack_values(points.values)
    chunk.times = pack_times(points.times)


def _summarise(row: MetricSeries, points: Points) -> None:
    steps, values = points.steps, points.values
    if row.points == 0:
        row.first_step = int(steps[0])
    ascending = len(points) < 2 or bool((np.diff(steps) > 0).all())
    row.in_order = row.in_order and ascending and (row.points == 0 or int(steps[0]) > (row.last_step or 0))
    row.points += len(points)
    finite = np.isfinite(values)
    row.nonfinite += int(len(values) - finite.sum())
    row.last_step = int(steps[-1])
    row.last_time = float(points.times[-1]) if math.isfinite(points.times[-1]) else None
    last = float(values[-1])
    row.last_value = last if math.isfinite(last) else None
    row.last_special = None if math.isfinite(last) else str(last)
    if finite.any():
        where = np.flatnonzero(finite)
        low, high = where[np.argmin(values[where])], where[np.argmax(values[where])]
        if row.min_value is None or values[low] < row.min_value:
            row.min_value, row.min_step = float(values[low]), int(steps[low])
        if row.max_value is None or values[high] > row.max_value:
            row.max_value, row.max_step = float(values[high]), int(steps[high])
