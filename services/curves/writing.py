"""Append points to series: each point once, summaries true in the same transaction."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.metric_series import MetricChunk
from services.curves import one_point, series_rows
from services.curves.packing import Points, pack_steps, pack_times, pack_values
from services.curves.reading import read_all, unpack_chunk
from services.curves.series_rows import Chunk, Name, Series
from services.errors import Invalid

FULL = 16_384  # points: a full chunk of doubles is 128 KiB, so a year of a running experiment is a few hundred rows
TAIL = 256  # points: what one further point rewrites at the most
MERGE_AT = 64  # sealed small chunks: merged into one full chunk


@dataclass(frozen=True, slots=True)
class Extended:
    """What an append did to one series: its new points, the summary after them and where it ended before."""

    series: Series
    fresh: Points
    last_before: tuple[int, float] | None  # step and value


def append(session: Session, experiment_id: int, batch: Mapping[str, Points]) -> int:
    """Add points to an experiment's series and return how many were new.

    A point is its step, value and time: the same point again, in this batch or an earlier one, is kept once.
    """
    batches = {(experiment_id, key): points for key, points in batch.items()}
    return sum(len(one.fresh) for one in extend(session, batches).values())


def extend(session: Session, batches: Mapping[Name, Points]) -> dict[Name, Extended]:
    """The same for series of several experiments, and what it did to each that has got new points."""
    batches = {name: points for name, points in batches.items() if len(points)}
    if not batches:
        return {}
    _require_names([key for _, key in batches])
    session.flush()  # the experiment itself may be new
    connection = session.connection()
    series, ends = series_rows.locked(connection, batches)
    small = _small_chunks(session, [number for number, last in ends.items() if TAIL <= last.points < FULL])
    extended, chunks = {}, []
    for name, points in batches.items():
        row = series[name]
        fresh = _without_known(session, row, points)
        if len(fresh):
            before = (row.last_step or 0, _last_value(row)) if row.points else None
            last = ends.get(row.id)
            made = _one_more(row, last, fresh) if last is not None and len(fresh) == 1 else None
            if made is None:
                made = _chunks(session, row, last, fresh, merge=small.get(row.id, 0) >= MERGE_AT)
                _summarise(row, fresh)
            chunks += made
            extended[name] = Extended(row, fresh, before)
    if extended:
        series_rows.save(connection, [one.series for one in extended.values()], chunks)
    return extended


def _one_more(row: Series, last: Chunk, fresh: Points) -> list[dict[str, Any]] | None:
    """The last chunk with one further point, which the series tells of then; None where it is packed anew."""
    if last.points >= TAIL:
        return None
    step, value, time = int(fresh.steps[0]), float(fresh.values[0]), float(fresh.times[0])
    made = one_point.extended(last, row, step, value, time, TAIL)
    if made is None:
        return None
    one_point.summarise(row, step, value, time)
    return [made]


def _last_value(row: Series) -> float:
    return float(row.last_special or math.nan) if row.last_value is None else row.last_value


def key_ids_of(session: Session, names: Sequence[str]) -> dict[str, int]:
    """The number of each metric name, made where it is new."""
    _require_names(names)
    return series_rows.numbers_of_keys(session.connection(), names)


def _require_names(names: Sequence[str]) -> None:
    for name in names:
        if not name or len(name) > 250:
            raise Invalid("The name of a metric has 1 to 250 characters.", field=name[:60])


def _rows_as_bytes(points: Points) -> list[bytes]:
    table = np.column_stack((points.steps.view(np.float64), points.values, points.times))
    return [row.tobytes() for row in np.ascontiguousarray(table)]


def _without_known(session: Session, row: Series, points: Points) -> Points:
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


def _chunks(session: Session, row: Series, last: Chunk | None, points: Points, *, merge: bool) -> list[dict[str, Any]]:
    """The rows that these points become, the last one filled up first."""
    start = row.points
    if last is not None and last.points < TAIL:
        start = last.start
        points = Points.concatenate([unpack_chunk(last), points])
    elif merge:
        start, merged = _trailing_small(session, row.id)
        points = Points.concatenate([merged, points])
        series_rows.remove_chunks(session.connection(), row.id, start)
    return [
        {"series_id": row.id, "start": start + offset, **_packed(points[offset : offset + FULL])}
        for offset in range(0, len(points), FULL)
    ]


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


def _packed(points: Points) -> dict[str, Any]:
    codec, steps = pack_steps(points.steps)
    return {
        "points": len(points),
        "step_codec": codec,
        "steps": steps,
        "first_step": int(points.steps[0]),
        "last_step": int(points.steps[-1]),
        "low_step": int(points.steps.min()),
        "high_step": int(points.steps.max()),
        "values": pack_values(points.values),
        "times": pack_times(points.times, again=len(points) < TAIL),
    }


def _summarise(row: Series, points: Points) -> None:
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
