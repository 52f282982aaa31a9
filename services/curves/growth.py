"""What came to a curve since it was drawn, so that a page adds a few points instead of drawing everything again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from services.curves import reading
from services.curves.panels import Panel, View


@dataclass(frozen=True, slots=True)
class Growth:
    """The new points of one line, and how many it had when it was drawn."""

    line: int
    had: int
    x: list[float]
    y: list[float]


def grows(panel: Panel, view: View, drawn: Sequence[int]) -> bool:
    """Whether new points can simply be added: each point is drawn as it is, and the lines are the same ones."""
    exact = view.axis == "step" and view.smoothing == 0 and not view.clip and view.low is None and view.high is None
    return (
        exact
        and len(drawn) == len(panel.series)
        and all(0 < had <= series.points <= view.points for had, series in zip(drawn, panel.series, strict=True))
    )


def growth(
    session: Session, wanted: Sequence[Panel], drawn: Mapping[str, Sequence[int]]
) -> tuple[dict[str, list[Growth]], list[str]]:
    """The new points of panels by key, and the panels that have to be drawn again because of what came.

    A value that is not finite needs a mark and the point beside it a dot, and a step back needs a new order: adding a
    point at the end gives none of them.
    """
    ids = [series.id for panel in wanted for series in panel.series]
    oldest = min((had for panel in wanted for had in drawn[panel.key]), default=0)
    # The last two points of before tell whether the steps go on rising, and whether the line ends beside a gap.
    first = max(0, oldest - 2)
    stored = reading.read_all(session, ids, after=first, with_times=False)
    added: dict[str, list[Growth]] = {}
    again: list[str] = []
    for panel in wanted:
        lines: list[Growth] = []
        for place, (series, had) in enumerate(zip(panel.series, drawn[panel.key], strict=True)):
            points = stored[series.id]
            new = points[had - first :]
            if not len(new):
                continue
            steps = points.steps[max(0, had - first - 1) :]
            if (np.diff(steps) < 0).any() or not np.isfinite(points.values[max(0, had - first - 2) :]).all():
                again.append(panel.key)
                break
            lines.append(Growth(place, had, new.steps.astype(float).tolist(), new.values.tolist()))
        else:
            added[panel.key] = lines
    return added, again
