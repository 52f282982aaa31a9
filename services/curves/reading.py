"""Read packed series back, all of them or the part of a window, in one query."""

from collections.abc import Iterable

from sqlalchemy import Subquery, case, func, select
from sqlalchemy.orm import Session

from models.metric_series import MetricChunk
from services.curves.packing import Points, unpack_steps, unpack_times, unpack_values


def unpack_chunk(chunk: MetricChunk) -> Points:
    """The points of one stored chunk."""
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
    parts: dict[int, list[Points]] = {series_id: [] for series_id in wanted}
    for row in session.execute(query):
        n = row.points
        steps = unpack_steps(row.step_codec, row.steps, row.first_step, row.last_step, n)
        values = unpack_values(row.values, n)
        points = Points(steps, values, unpack_times(row.times, n)) if with_times else Points.untimed(steps, values)
        if after > row.start:
            points = points[after - row.start :]
        parts[row.series_id].append(points)
    return {
        series_id: chunks[0] if len(chunks) == 1 else Points.concatenate(chunks) for series_id, chunks in parts.items()
    }
