"""All points of a metric, a page at a time, or as many of them as a chart of several runs takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.metric_series import MetricKey, MetricSeries
from models.permissions import Permission
from services.actor import Actor
from services.curves.packing import Points
from services.curves.reading import read_all
from services.tracking import ids, paging, runs, values
from services.tracking.errors import InvalidParameter

MOST_POINTS = 25_000
MOST_RUNS, MOST_PER_RUN = 100, 2500


def page(
    session: Session, actor: Actor, run_id: Any, key: Any, max_results: Any, token: Any
) -> tuple[list[dict[str, Any]], str | None]:
    """The points of a metric in the order in which they came, and where the next page begins."""
    number, name = runs.number_of(session, actor, run_id), _name(key)
    most = MOST_POINTS if max_results in (None, "") else values.whole(max_results, "max_results")
    if most < 1:
        raise InvalidParameter(f"Invalid value {most} for parameter 'max_results' supplied. It must be positive.")
    most = min(most, MOST_POINTS)
    about = ["history", number, name]
    (after,) = paging.read(token, about) if token else (0,)
    series_id = _series(session, [number], name).get(number)
    if series_id is None:
        return [], None
    points = read_all(session, [series_id], after=after)[series_id]
    following = paging.write(about, [after + most]) if len(points) > most else None
    return _spoken(name, points[:most]), following


def bulk(session: Session, actor: Actor, run_ids: Sequence[Any], key: Any, max_results: Any) -> list[dict[str, Any]]:
    """The points of one metric of several runs."""
    if not run_ids:
        raise InvalidParameter("GetMetricHistoryBulk request must specify at least one run_id.")
    most = MOST_POINTS if max_results in (None, "") else values.whole(max_results, "max_results")
    most = max(0, min(most, MOST_POINTS))
    told: list[dict[str, Any]] = []
    for run_id, points in _several(session, actor, sorted(set(run_ids)), _name(key)):
        told += [one | {"run_id": run_id} for one in _spoken(str(key), points[: most - len(told)])]
        if len(told) >= most:
            break
    return told


def interval(
    session: Session, actor: Actor, run_ids: Sequence[Any], key: Any, start: Any, end: Any, max_results: Any
) -> list[dict[str, Any]]:
    """At most so many points of each run, evenly chosen between two steps, the first and the last among them."""
    if not run_ids:
        raise InvalidParameter("Missing value for required parameter 'run_ids'.")
    most = MOST_PER_RUN if max_results in (None, "") else values.whole(max_results, "max_results")
    if not 1 <= most <= MOST_PER_RUN:
        raise InvalidParameter(f"max_results must be between 1 and {MOST_PER_RUN}.")
    if (start in (None, "")) != (end in (None, "")):
        raise InvalidParameter("If either start step or end step are specified, both must be specified.")
    low = high = None
    if start not in (None, ""):
        low, high = values.step(start, "start_step"), values.step(end, "end_step")
        if low > high:
            raise InvalidParameter(
                f"end_step must be greater than start_step. Found start_step={low} and end_step={high}."
            )
    told: list[dict[str, Any]] = []
    for run_id, points in _several(session, actor, list(dict.fromkeys(run_ids)), _name(key), low, high):
        if low is not None and high is not None:
            points = points[(points.steps >= low) & (points.steps <= high)]
        points = points[np.argsort(points.steps, kind="stable")]
        if len(points) > most:
            points = points[np.unique(np.linspace(0, len(points) - 1, most).round().astype(np.int64))]
        told += [one | {"run_id": run_id} for one in _spoken(str(key), points)]
    return told


def _name(key: Any) -> str:
    if key is None or key == "":
        raise InvalidParameter("Missing value for required parameter 'metric_key'.")
    return values.text(key, "metric_key", longest=values.LONGEST_KEY)


def _several(
    session: Session, actor: Actor, run_ids: Sequence[Any], name: str, low: int | None = None, high: int | None = None
) -> list[tuple[str, Points]]:
    if len(run_ids) > MOST_RUNS:
        raise InvalidParameter(
            f"A request cannot specify more than {MOST_RUNS} run_ids. Received {len(run_ids)} run_ids."
        )
    actor.require(Permission.VIEW_EXPERIMENTS)
    rows = session.execute(
        select(Experiment.source, Experiment.source_id, Experiment.id).where(
            or_(*(ids.run_condition(run_id) for run_id in run_ids))
        )
    )
    numbers = {ids.run_id(*row): row.id for row in rows}
    known = _series(session, list(numbers.values()), name)
    points = read_all(session, list(known.values()), low=low, high=high)
    return [(run_id, points[known[numbers[run_id]]]) for run_id in run_ids if numbers.get(run_id) in known]


def _series(session: Session, numbers: Sequence[int], name: str) -> dict[int, int]:
    found = session.execute(
        select(MetricSeries.experiment_id, MetricSeries.id)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(MetricSeries.experiment_id.in_(numbers), MetricKey.name == name)
    )
    return dict(found.all())


def _spoken(name: str, points: Points) -> list[dict[str, Any]]:
    times = np.where(np.isfinite(points.times), np.round(points.times * 1000), 0).astype(np.int64).tolist()
    rows = zip(points.steps.tolist(), points.values.tolist(), times, strict=True)
    return [{"key": name, "value": values.spoken(value), "timestamp": time, "step": step} for step, value, time in rows]
