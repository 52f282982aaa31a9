"""Read packed series back, all of them or the part of a window, in one query."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Subquery, case, func, select
from sqlalchemy.orm import Session

from models.metric_series import MetricChunk
from services.curves.packing import (
    REGULAR,
    Ints,
    Points,
    stored_values,
    unpack_steps,
    unpack_times,
    unpack_values,
)


def unpack_chunk(chunk: Any) -> Points:
    """The points of a stored chunk, a row or an object."""
    return Points(
        unpack_steps(chunk.step_codec, chunk.steps, chunk.first_step, chunk.last_step, chunk.points),
        unpack_values(chunk.values, chunk.points),
        unpack_times(chunk.times, chunk.points),
    )


def _nearest(series_ids: list[int], low: int, high: int) -> Subquery:
    """Of each series, where the last chunk before a window ends and the first one behind it begins."""
    before = func.max(case((MetricChunk.high_step < low, MetricChunk.high_step)))
    behind = func.min(case((MetricChunk.low_step > high, MetricChunk.low_step)))
    return (
        select(MetricChunk.series_id, before.label("before"), behind.label("behind"))
        .where(MetricChunk.series_id.in_(series_ids))
        .group_by(MetricChunk.series_id)
        .subquery()
    )


def read_all(
    session: Session,
    series_ids: Iterable[int],
    *,
    low: int | None = None,
    high: int | None = None,
    beside: bool = False,
    after: int = 0,
    with_times: bool = True,
) -> dict[int, Points]:
    """The points of several series in the order in which they came.

    With `low` and `high`, only chunks that overlap those steps are read (so some points beyond them come along), with
    `beside` also the nearest ones on both sides: a line that crosses a gap has points there only. With `after`, only
    points from that ordinal on. Times are NaN unless asked for: they cost the most to unpack.
    """
    wanted = list(series_ids)
    columns = [
        MetricChunk.series_id,
        MetricChunk.start,
        MetricChunk.points,
        MetricChunk.step_codec,
        MetricChunk.first_step,
        MetricChunk.last_step,
        MetricChunk.steps,
        MetricChunk.values,
    ]
    if with_times:
        columns.append(MetricChunk.times)
    query = select(*columns).where(MetricChunk.series_id.in_(wanted)).order_by(MetricChunk.series_id, MetricChunk.start)
    if beside and low is not None and high is not None:
        nearest = _nearest(wanted, low, high)
        query = query.join(nearest, nearest.c.series_id == MetricChunk.series_id).where(
            MetricChunk.high_step >= func.coalesce(nearest.c.before, low),
            MetricChunk.low_step <= func.coalesce(nearest.c.behind, high),
        )
    else:
        if low is not None:
            query = query.where(MetricChunk.high_step >= low)
        if high is not None:
            query = query.where(MetricChunk.low_step <= high)
    if after:
        query = query.where(MetricChunk.start + MetricChunk.points > after)
    chunks: dict[int, list[Any]] = {series_id: [] for series_id in wanted}
    for row in session.execute(query).all():
        chunks[row.series_id].append(row)
    return {series_id: _joined(rows, after, with_times) for series_id, rows in chunks.items()}


def _joined(rows: Sequence[Any], after: int, with_times: bool) -> Points:
    """The points of chunks that follow each other, each written once to where it stays."""
    if not rows:
        return Points.of([], [])
    total = sum(row.points for row in rows)
    stride = _stride(rows, total)
    steps, values = _steps(rows, total, stride), np.empty(total)
    begin = 0
    for row in rows:
        values[begin : begin + row.points] = stored_values(row.values, row.points)
        begin += row.points
    if with_times:
        points = Points(steps, values, np.concatenate([unpack_times(row.times, row.points) for row in rows]))
    else:
        points = Points.untimed(steps, values, even=stride is not None and stride > 0)
    return points[after - rows[0].start :] if after > rows[0].start else points


def _stride(rows: Sequence[Any], total: int) -> int | None:
    """By how much steps go on from point to point; None where it is not the same for all.

    Most series go on evenly from one chunk to the next, so that the ends of the chunks tell all of it.
    """
    first, last = rows[0].first_step, rows[-1].last_step
    stride, rest = divmod(last - first, total - 1) if total > 1 else (1, 0)
    begin = 0
    for row in rows:
        even = row.step_codec == REGULAR and row.first_step == first + stride * begin
        begin += row.points
        if rest or not even or row.last_step != first + stride * (begin - 1):
            return None
    return stride


def _steps(rows: Sequence[Any], total: int, stride: int | None) -> Ints:
    if stride is not None:
        return unpack_steps(REGULAR, b"", rows[0].first_step, rows[-1].last_step, total)
    return np.concatenate(
        [unpack_steps(row.step_codec, row.steps, row.first_step, row.last_step, row.points) for row in rows]
    )
