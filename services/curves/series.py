"""The metrics of an experiment as programs read them: what there is, all of its points, or enough for a chart."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from diagnosis.downsampling import downsample, nonfinite_indices
from models.metric_series import MetricKey, MetricSeries
from services import cursors
from services.actor import Actor
from services.curves.directions import direction_of
from services.curves.packing import LARGEST_STEP, Points
from services.curves.reading import read_all
from services.errors import NotFound
from services.experiments import access

MOST_NONFINITE = 1000


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a metric without reading its points; the best is the lowest or highest, as its name says."""

    name: str
    points: int
    first_step: int | None
    last_step: int | None
    last: float | None
    last_special: str | None
    lowest: float | None
    lowest_step: int | None
    highest: float | None
    highest_step: int | None
    nonfinite: int

    @property
    def best(self) -> float | None:
        """The best value, where the name says which way is better."""
        match direction_of(self.name):
            case "min":
                return self.lowest
            case "max":
                return self.highest
        return None

    @property
    def best_step(self) -> int | None:
        """Where it was reached first."""
        match direction_of(self.name):
            case "min":
                return self.lowest_step
            case "max":
                return self.highest_step
        return None


def summaries(
    session: Session, actor: Actor, experiment_id: int, *, limit: int, cursor: str | None
) -> tuple[list[Summary], str | None]:
    """The metrics of an experiment by name, and where the next page begins."""
    access.get(session, actor, experiment_id)
    about = ["metrics", experiment_id]
    query = (
        select(
            MetricKey.name,
            MetricSeries.points,
            MetricSeries.first_step,
            MetricSeries.last_step,
            MetricSeries.last_value,
            MetricSeries.last_special,
            MetricSeries.min_value,
            MetricSeries.min_step,
            MetricSeries.max_value,
            MetricSeries.max_step,
            MetricSeries.nonfinite,
        )
        .join(MetricSeries, MetricSeries.key_id == MetricKey.id)
        .where(MetricSeries.experiment_id == experiment_id)
        .order_by(MetricKey.name)
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(MetricKey.name > cursors.read(cursor, about)[0])
    rows = [Summary(*row) for row in session.execute(query)]
    following = cursors.write(about, [rows[limit - 1].name]) if len(rows) > limit else None
    return rows[:limit], following


def _series_id(session: Session, actor: Actor, experiment_id: int, name: str) -> int:
    access.get(session, actor, experiment_id)
    found = session.scalar(
        select(MetricSeries.id)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(MetricSeries.experiment_id == experiment_id, MetricKey.name == name)
    )
    if found is None:
        raise NotFound("metric")
    return found


@dataclass(frozen=True, slots=True)
class Window:
    """Which points are wanted: those between two steps, both included."""

    low: int | None = None
    high: int | None = None

    def of(self, points: Points) -> Points:
        """Those of the points that lie in it."""
        if self.low is None and self.high is None:
            return points
        low, high = self.low if self.low is not None else -LARGEST_STEP, self.high
        return points[(points.steps >= low) & (points.steps <= (LARGEST_STEP if high is None else high))]


def points(
    session: Session, actor: Actor, experiment_id: int, name: str, window: Window, *, limit: int, cursor: str | None
) -> tuple[Points, str | None]:
    """The points of a metric in the order in which they came, and where the next page begins."""
    series_id = _series_id(session, actor, experiment_id, name)
    about: list[Any] = ["points", experiment_id, name, window.low, window.high]
    (after,) = cursors.read(cursor, about) if cursor is not None else (0,)
    if window.low is None and window.high is None:
        found = read_all(session, [series_id], after=after)[series_id]
    else:  # steps may go back, so a place is counted among those of the window
        found = window.of(read_all(session, [series_id], low=window.low, high=window.high)[series_id])[after:]
    following = cursors.write(about, [after + limit]) if len(found) > limit else None
    return found[:limit], following


def drawn(session: Session, actor: Actor, experiment_id: int, name: str, window: Window, most: int) -> Points:
    """At most so many points that draw the same picture: every spike is among them, and each NaN and infinity."""
    series_id = _series_id(session, actor, experiment_id, name)
    found = window.of(read_all(session, [series_id], low=window.low, high=window.high)[series_id])
    if len(found) <= most:
        return found
    odd = nonfinite_indices(found.values, min(MOST_NONFINITE, most // 4))
    kept = downsample(found.steps.astype(np.float64), found.values, most - len(odd))
    return found[np.unique(np.concatenate((kept, odd))).astype(np.int64)]
