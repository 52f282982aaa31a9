"""Which panels an experiment's metrics make, and the lines that are drawn in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from diagnosis.downsampling import downsample, nonfinite_indices, window
from diagnosis.outliers import core_range
from diagnosis.smoothing import scale_for, smooth
from models.experiment import Experiment
from models.metric_series import MetricKey, MetricSeries
from models.permissions import Permission
from services.actor import Actor
from services.curves import reading
from services.curves.packing import Ints, Points
from services.imports.synonyms import meaning_of

Axis = Literal["step", "epoch", "wall", "relative"]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]

MOST_SERIES = 20_000  # of all experiments of a page together
MOST_PANELS = 24  # drawn at once
MOST_LINES = 1_200  # in one answer: 50 experiments in 24 panels
POINTS_AT_ONCE = 400_000  # read before the next ones are; ten megabytes
MOST_NONFINITE = 50  # marks on one line
_GROUPED = {
    "train_loss": ("loss", "Loss"),
    "val_loss": ("loss", "Loss"),
    "train_accuracy": ("accuracy", "Accuracy"),
    "val_accuracy": ("accuracy", "Accuracy"),
    "learning_rate": ("learning_rate", "Learning rate"),
}
_ROLES = {
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "train_accuracy": "Training accuracy",
    "train_loss": "Training loss",
    "learning_rate": "Learning rate",
}
_PER_CLASS = {"f1": "F1", "precision": "Precision", "recall": "Recall"}
_TITLES = {"macro_f1": "Macro F1"}  # what our own trainings log beside the rest
_FIRST = (
    *("loss", "accuracy", "learning_rate", "classes:f1", "classes:precision", "classes:recall"),
    *(f"role:{role}" for role in _ROLES),
)
_ORDER = {key: place for place, key in enumerate(_FIRST)}


@dataclass(frozen=True, slots=True)
class Series:
    """A stored series: where it is, whose it is, what it is called."""

    id: int
    experiment_id: int
    key: str
    points: int
    role: str | None = None
    best_step: int | None = None  # where validation was lowest, or highest


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: series that are read together; `family` names those that differ in nothing but the class."""

    key: str
    title: str
    series: tuple[Series, ...]
    family: str | None = None

    @property
    def points(self) -> int:
        """All points of all its series; it grows when something new was logged."""
        return sum(series.points for series in self.series)


@dataclass(frozen=True, slots=True)
class View:
    """How the reader wants to see the curves; the window is in units of the axis."""

    axis: Axis = "step"
    smoothing: float = 0.0
    log_x: bool = False
    low: float | None = None
    high: float | None = None
    clip: bool = False
    points: int = 400


@dataclass(frozen=True, slots=True)
class Line:
    """A curve ready to be drawn: smoothed where asked for, with the raw one behind it."""

    series: Series
    x: Floats
    y: Floats
    raw: tuple[Floats, Floats] | None
    nonfinite: tuple[tuple[float, str], ...]
    shown: int
    total: int
    best: tuple[float, float] | None = None  # a raw value: at the best epoch, else the lowest loss or highest accuracy
    best_epoch: int | None = None
    best_epoch_at: float | None = None
    core: tuple[float, float] | None = None  # the range without far outliers, where there are some to clip


@dataclass(frozen=True, slots=True)
class _Facts:
    """What placing points on an axis needs to know of an experiment."""

    epochs: int
    best_epoch: int | None
    started_at: datetime | None


@dataclass(slots=True)
class _Grouping:
    title: str
    family: str | None
    series: list[Series] = field(default_factory=list)


def panels(session: Session, actor: Actor, experiment_ids: Sequence[int], *, separate: bool = False) -> list[Panel]:
    """The panels of these experiments together: loss, accuracy and learning rate first, the rest by name.

    With `separate` each metric has a panel of its own, as one line per experiment reads best; families come last.
    """
    if not actor.may(Permission.VIEW_EXPERIMENTS):
        return []
    columns = (MetricSeries.id, MetricSeries.experiment_id, MetricKey.name, MetricSeries.points)
    rows = session.execute(
        select(*columns, MetricSeries.min_step, MetricSeries.max_step)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(MetricSeries.experiment_id.in_(list(experiment_ids)))
        .order_by(MetricKey.name, MetricSeries.experiment_id)
        .limit(MOST_SERIES)
    )
    found: dict[str, _Grouping] = {}
    for series_id, experiment_id, key, points, low_at, high_at in rows:
        panel_key, title, role = panel_of(key, separate=separate)
        best_step = {"val_loss": low_at, "val_accuracy": high_at}.get(role or "")
        group = found.setdefault(panel_key, _Grouping(title, family_of(key) if separate else None))
        group.series.append(Series(series_id, experiment_id, key, points, role, best_step))
    for group in found.values():  # in one order on both databases, whatever their collation
        group.series.sort(key=lambda series: (series.experiment_id, series.key))
    made = [Panel(key, group.title, tuple(group.series), group.family) for key, group in found.items()]
    return sorted(
        made,
        key=lambda panel: (
            panel.family is not None,
            _ORDER.get(panel.key, len(_ORDER)),
            panel.family or "",
            panel.key.casefold(),
        ),
    )


def family_of(key: str) -> str | None:
    """“F1 per class” for one score of one class, so that a page can put eleven of them away together."""
    head, _, rest = key.partition("/")
    return f"{_PER_CLASS[head]} per class" if rest and head in _PER_CLASS else None


def panel_of(key: str, *, separate: bool = False) -> tuple[str, str, str | None]:
    """The panel that a metric belongs to: its key, its title, and the metric's role in it."""
    family = None if separate else family_of(key)
    if family is not None:
        return f"classes:{key.partition('/')[0]}", family, None
    meaning = meaning_of(key)
    if meaning is not None and meaning.column in _GROUPED:
        if separate:
            return f"role:{meaning.column}", _ROLES[meaning.column], meaning.column
        panel_key, title = _GROUPED[meaning.column]
        return panel_key, title, meaning.column
    return f"metric:{key}", _TITLES.get(key, key), None


def draw(session: Session, wanted: Sequence[Panel], view: View) -> dict[str, list[Line]]:
    """The lines of panels that `panels` gave out, in a few queries for all of them.

    Smoothing comes before down-sampling and looks at the whole curve, so that zooming does not change it; without
    smoothing only the chunks of the window are read.
    """
    chosen = list(wanted)[:MOST_PANELS]
    facts = _facts(session, {item.experiment_id for panel in chosen for item in panel.series})
    by_step = view.axis == "step" and view.smoothing == 0
    lines: dict[str, list[Line]] = {panel.key: [] for panel in chosen}
    for batch in _batches(chosen, whole_panels=view.smoothing > 0):
        stored = reading.read_all(
            session,
            [item.id for _, series in batch for item in series],
            low=_whole(view.low) if by_step and view.low is not None else None,
            high=_whole(view.high) + 1 if by_step and view.high is not None else None,
            beside=True,
            with_times=view.axis in {"wall", "relative"},
        )
        for panel, series in batch:
            lines[panel.key] += _lines(panel, series, stored, facts, view)
    return lines


Batch = list[tuple[Panel, list[Series]]]


def _batches(chosen: Sequence[Panel], *, whole_panels: bool) -> Iterator[Batch]:
    """The series in parts that fit into memory together; smoothing needs all lines of a panel at once."""
    batch: Batch = []
    points, lines = 0, 0
    for panel in chosen:
        parts = [list(panel.series)] if whole_panels else [[item] for item in panel.series]
        for part in parts:
            part = part[: MOST_LINES - lines]
            lines += len(part)
            size = sum(item.points for item in part)
            if batch and points + size > POINTS_AT_ONCE:
                yield batch
                batch, points = [], 0
            if batch and batch[-1][0] is panel:
                batch[-1][1].extend(part)
            elif part:
                batch.append((panel, part))
            points += size
    if batch:
        yield batch


def _whole(place: float) -> int:
    """A place on the axis as a step that a database can hold."""
    return int(min(max(place, -(2.0**62)), 2.0**62))


def _facts(session: Session, ids: set[int]) -> dict[int, _Facts]:
    rows = session.execute(
        select(Experiment.id, Experiment.epochs_completed, Experiment.best_epoch, Experiment.started_at).where(
            Experiment.id.in_(ids)
        )
    )
    return {row.id: _Facts(row.epochs_completed, row.best_epoch, row.started_at) for row in rows}


class _Placed(NamedTuple):
    """Points where they stand on the axis, in its order; whether x is known to rise evenly."""

    x: Floats
    y: Floats
    steps: Ints
    even: bool


def _lines(
    panel: Panel, series: list[Series], stored: dict[int, Points], facts: dict[int, _Facts], view: View
) -> list[Line]:
    placed: list[tuple[Series, _Placed]] = []
    for item in series:
        points = stored[item.id]
        places = place(points, view.axis, facts[item.experiment_id])
        if places is None:
            continue
        even = points.even and view.axis == "step"
        # Of a NaN nothing is true: it counts as out of order, and goes to the end.
        rises = even or bool((places[1:] >= places[:-1]).all())
        order = slice(None) if rises else np.argsort(places, kind="stable")
        placed.append((item, _Placed(places[order], points.values[order], points.steps[order], even)))
    scale = scale_for(len(line.x) for _, line in placed) if placed else 1.0
    spans = [float(line.x[-1] - line.x[0]) for _, line in placed if len(line.x) > 1]
    span = max((value for value in spans if np.isfinite(value) and value > 0), default=None)
    return [_line(panel, item, line, facts[item.experiment_id], view, scale, span) for item, line in placed]


def place(points: Points, axis: Axis, facts: _Facts) -> Floats | None:
    """Where points stand on an axis; None where this series has no place on it."""
    match axis:
        case "step":
            return points.steps.astype(np.float64)
        case "epoch":
            if len(points) != facts.epochs or not facts.epochs:
                return None
            return np.arange(1, facts.epochs + 1, dtype=np.float64)
        case "wall":
            known = np.isfinite(points.times)
            return points.times * 1000 if known.any() else None
        case "relative":
            known = np.isfinite(points.times)
            if not known.any():
                return None
            start = facts.started_at.timestamp() if facts.started_at is not None else float(points.times[known][0])
            return points.times - min(start, float(np.min(points.times[known])))


def _line(
    panel: Panel,
    item: Series,
    placed: _Placed,
    facts: _Facts,
    view: View,
    scale: float,
    span: float | None,
) -> Line:
    x, y, steps, even = placed
    if not even and not (known := np.isfinite(x)).all():
        x, y, steps = x[known], y[known], steps[known]
    smoothed = smooth(x, y, view.smoothing, scale=scale, x_range=span) if view.smoothing else y
    epoch_place = _best_epoch(facts, len(x), item)
    best_epoch_at = None if epoch_place is None else float(x[epoch_place])
    best_place = _best(panel, item, (x, y, steps), facts, view, epoch_place)
    part = slice(0, len(x))
    if (view.low is not None or view.high is not None) and len(x):
        part = window(x, -np.inf if view.low is None else view.low, np.inf if view.high is None else view.high)
    best = None if best_place is None else (float(x[best_place]), float(y[best_place]))
    # The marked value is a point of the raw line, also where down-sampling would have passed it by.
    marked = [] if best_place is None else [best_place - part.start]
    x, y, smoothed = x[part], y[part], smoothed[part]
    odd = nonfinite_indices(y, MOST_NONFINITE)
    points = max(16, view.points)
    kept = _broken(downsample(x, smoothed, points, log_x=view.log_x, even=even), y, odd)
    raw = None
    if view.smoothing:
        behind = _broken(downsample(x, y, points, log_x=view.log_x, even=even), y, odd)
        behind = np.union1d(behind, marked).astype(np.intp)
        raw = (x[behind], y[behind])
    else:
        kept = np.union1d(kept, marked).astype(np.intp)
    return Line(
        series=item,
        x=x[kept],
        y=smoothed[kept],
        raw=raw,
        nonfinite=tuple((float(x[place]), _word(float(y[place]))) for place in odd),
        shown=len(kept),
        total=item.points,
        best=best,
        best_epoch=None if epoch_place is None else facts.best_epoch,
        best_epoch_at=best_epoch_at,
        core=core_range(y) if view.clip else None,
    )


def _broken(kept: Places, y: Floats, odd: Places) -> Places:
    """The kept points with one that is not finite in each gap: joined across, a line would hide that a run blew up."""
    if not len(odd):
        return kept
    if len(odd) == MOST_NONFINITE:  # there may be more of them than are marked
        every = np.flatnonzero(~np.isfinite(y))
        odd = np.union1d(odd, every[np.unique(np.searchsorted(every, kept)) % len(every)])
    return np.union1d(kept, odd)


def _word(value: float) -> str:
    return "NaN" if np.isnan(value) else "+inf" if value > 0 else "-inf"


def _best(
    panel: Panel, item: Series, placed: tuple[Floats, Floats, Ints], facts: _Facts, view: View, at_epoch: int | None
) -> int | None:
    """Which point of a validation line is marked, if it is in the window; a best training loss says nothing.

    One mark a line: the best epoch where the experiment has one, else the lowest loss or the highest accuracy.
    """
    if panel.key not in {"loss", "accuracy"} or item.role not in {"val_loss", "val_accuracy"}:
        return None
    x, y, steps = placed
    chosen = at_epoch
    if facts.best_epoch is None or item.points != facts.epochs:
        found = (
            np.flatnonzero((steps == item.best_step) & np.isfinite(y)) if item.best_step is not None else np.empty(0)
        )
        chosen = None
        if len(found):
            chosen = int(found[np.argmin(y[found]) if panel.key == "loss" else np.argmax(y[found])])
    if chosen is None or not np.isfinite(y[chosen]):
        return None
    low, high = (limit if limit is not None else x[chosen] for limit in (view.low, view.high))
    return chosen if low <= x[chosen] <= high else None


def _best_epoch(facts: _Facts, count: int, item: Series) -> int | None:
    """Where the best epoch stands among the points, for a series that has one for each epoch."""
    if facts.best_epoch is None or not count == item.points == facts.epochs or not 1 <= facts.best_epoch <= count:
        return None
    return facts.best_epoch - 1
