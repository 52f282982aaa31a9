"""Experiments side by side: who they are, in what they differ, how far each metric came; in the same few queries."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.dataset import Dataset
from models.experiment import ACTIVE, Experiment
from models.metric_series import MetricKey, MetricSeries
from services.actor import Actor
from services.compare_params import ParamRow, Parts, flat, rows_of
from services.curves.directions import Direction, direction_of
from services.curves.panels import family_of, panel_of
from services.experiments.access import visibility
from services.experiments.conditions import epochs_told

MOST_EXPERIMENTS = 50
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the experiments, as plain values; `parts` are what its rows are made of."""

    id: int
    name: str
    status: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric in all experiments: best and last of each; `winners` hold the best value of all."""

    name: str
    direction: Direction | None
    best: tuple[float | None, ...]
    last: tuple[float | str | None, ...]
    winners: frozenset[int]
    differs: bool


@dataclass(frozen=True, slots=True)
class Pulse:
    """A text that changes whenever the comparison would look different, and whether it still may."""

    text: str
    is_active: bool


def pulse(session: Session, actor: Actor, ids: Sequence[int]) -> Pulse:
    """What is asked again and again while one of the experiments runs: two small queries, however many points."""
    rows = session.execute(
        select(Experiment.id, Experiment.status, Experiment.epochs_completed, Experiment.updated_at)
        .where(Experiment.id.in_(_allowed(ids)), *visibility(actor))
        .order_by(Experiment.id)
    ).all()
    points = session.scalar(
        select(func.coalesce(func.sum(MetricSeries.points), 0)).where(
            MetricSeries.experiment_id.in_([row.id for row in rows])
        )
    )
    said = repr((points, [(row.id, row.status.value, row.epochs_completed, str(row.updated_at)) for row in rows]))
    return Pulse(hashlib.sha256(said.encode()).hexdigest()[:24], any(row.status in ACTIVE for row in rows))


def _allowed(ids: Sequence[int]) -> list[int]:
    return [number for number in dict.fromkeys(ids) if 0 < number < 2**31][:MOST_EXPERIMENTS]


def chosen(session: Session, actor: Actor, ids: Sequence[int]) -> list[Compared]:
    """Those of the experiments that the actor sees and that are not deleted, in the order asked for."""
    wanted = _allowed(ids)
    rows = session.execute(
        select(
            Experiment.id,
            Experiment.name,
            Experiment.group_name,
            Experiment.status,
            Experiment.model_type,
            Experiment.epochs_completed,
            Experiment.total_epochs,
            Experiment.best_epoch,
            Experiment.duration_seconds,
            Experiment.hyperparameters,
            Experiment.config,
            Dataset.name.label("dataset"),
        )
        .outerjoin(Dataset, Dataset.id == Experiment.dataset_id)
        .where(Experiment.id.in_(wanted), *visibility(actor))
    )
    found = {row.id: _compared(row) for row in rows}
    return [found[number] for number in wanted if number in found]


def _compared(row: Any) -> Compared:
    facts = {
        "model": row.model_type,
        "dataset": row.dataset,
        "group": row.group_name,
        "epochs": epochs_told(row.epochs_completed, row.total_epochs),
        "best epoch": row.best_epoch,
        "duration": _seconds(row.duration_seconds),
    }
    parts: Parts = {"facts": facts, "params": flat(row.hyperparameters or {}), "config": flat(row.config or {})}
    # The unique name, so that two of one given name are told apart.
    return Compared(row.id, row.name, row.status.value, parts)


def _seconds(duration: float | None) -> float | None:
    """A duration as finely as it is shown, so that two which read the same count as the same."""
    if duration is None or not math.isfinite(duration):
        return None
    if duration >= 9.95:
        unit = 3600 if duration >= 86_399.5 else 60 if duration >= 3599.5 else 1
        return float(round(duration) // unit * unit)
    return round(duration, 1 if duration >= 1 else 3)


def param_rows(experiments: Sequence[Compared]) -> list[ParamRow]:
    """Facts and parameters as rows."""
    return rows_of([item.parts for item in experiments])


def metric_rows(session: Session, experiments: Sequence[Compared]) -> list[MetricRow]:
    """Best and last of each metric, metrics of one meaning in one row whatever each tool calls them."""
    places = {item.id: place for place, item in enumerate(experiments)}
    rows = session.execute(
        select(
            MetricSeries.experiment_id,
            MetricKey.name,
            MetricSeries.last_value,
            MetricSeries.last_special,
            MetricSeries.min_value,
            MetricSeries.max_value,
        )
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(MetricSeries.experiment_id.in_(list(places)))
        .order_by(MetricKey.name, MetricSeries.experiment_id)
        .limit(MOST_ROWS)
    ).all()
    found: dict[str, dict[int, Any]] = {}
    titles: dict[str, str] = {}
    for row in rows:
        key, title, _ = panel_of(row.name, separate=True)
        titles.setdefault(key, title)
        found.setdefault(key, {}).setdefault(places[row.experiment_id], row)
    return [_metric(titles[key], key, by_place, len(places)) for key, by_place in sorted(found.items(), key=_rank)]


def _rank(item: tuple[str, Any]) -> tuple[int, str]:
    first = ("role:val_accuracy", "role:val_loss", "role:train_accuracy", "role:train_loss", "role:learning_rate")
    of_class = len(first) + (family_of(item[0].removeprefix("metric:")) is not None)
    return (first.index(item[0]) if item[0] in first else of_class, item[0].casefold())


def _metric(title: str, key: str, by_place: Mapping[int, Any], count: int) -> MetricRow:
    direction = direction_of(key.partition(":")[2])
    cells = [by_place.get(place) for place in range(count)]
    best: tuple[float | None, ...] = (None,) * count
    if direction is not None:
        best = tuple(None if row is None else getattr(row, f"{direction}_value") for row in cells)
    last = tuple(None if row is None else row.last_special or row.last_value for row in cells)
    known = [value for value in best if value is not None]
    top = None if not known or direction is None else (min if direction == "min" else max)(known)
    winners = frozenset(place for place, value in enumerate(best) if value is not None and value == top)
    if len(winners) == count:
        winners = frozenset()  # where all are equal, none is best
    return MetricRow(title, direction, best, last, winners, len(set(best)) > 1 or len(set(last)) > 1)
