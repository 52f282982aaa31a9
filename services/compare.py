"""Experiments side by side: who they are, in what they differ, how far each metric came; in the same few queries."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.dataset import Dataset
from models.experiment import Experiment
from models.metric_series import MetricKey, MetricSeries
from services.actor import Actor
from services.curves.directions import Direction, direction_of
from services.curves.panels import panel_of
from services.experiments.access import visibility

MOST_EXPERIMENTS = 50
MOST_ROWS = 20_000
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the experiments, as plain values."""

    id: int
    name: str
    status: str
    facts: Mapping[str, Any]
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ParamRow:
    """A parameter in all experiments, in their order; `differs` when not all say the same."""

    name: str
    values: tuple[str | None, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric in all experiments: best and last of each; `winners` hold the best value of all."""

    name: str
    direction: Direction | None
    best: tuple[float | None, ...]
    last: tuple[float | str | None, ...]
    winners: frozenset[int]
    differs: bool


def chosen(session: Session, actor: Actor, ids: Sequence[int]) -> list[Compared]:
    """Those of the experiments that the actor sees and that are not deleted, in the order asked for."""
    wanted = [number for number in dict.fromkeys(ids) if 0 < number < 2**31][:MOST_EXPERIMENTS]
    rows = session.execute(
        select(
            Experiment.id,
            Experiment.name,
            Experiment.group_name,
            Experiment.status,
            Experiment.model_type,
            Experiment.epochs_completed,
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
        "epochs": row.epochs_completed,
        "best epoch": row.best_epoch,
        "duration": row.duration_seconds,
    }
    params = flat(row.hyperparameters or {})
    # The trainer's copy of a hyper-parameter says nothing new.
    params |= {
        f"config.{key}": value for key, value in flat(row.config or {}).items() if not _repeats(key, value, params)
    }
    # The unique name, so that two of one given name are told apart.
    return Compared(row.id, row.name, row.status.value, facts, params)


def _repeats(key: str, value: Any, params: Mapping[str, Any]) -> bool:
    return bool(params.get(key.rpartition(".")[2], ...) == value)


def flat(nested: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """A nested mapping as dotted names; lists stay values."""
    found: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"[:250]
        if isinstance(value, Mapping) and value and depth < _DEEPEST:
            found |= flat(value, f"{name}.", depth + 1)
        else:
            found[name] = value
    return found


def param_rows(experiments: Sequence[Compared]) -> list[ParamRow]:
    """Facts and parameters as rows; those that differ are told apart."""
    rows = []
    for kind in ("facts", "params"):
        names = dict.fromkeys(name for item in experiments for name in getattr(item, kind))
        ordered = list(names) if kind == "facts" else sorted(names, key=lambda name: (name.startswith("config."), name))
        for name in ordered:
            values = [getattr(item, kind).get(name) for item in experiments]
            if all(value is None for value in values):
                continue
            texts = tuple(None if value is None else _text(value) for value in values)
            rows.append(ParamRow(name, texts, len(set(texts)) > 1))
    return rows


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value[:300]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.6g}" if isinstance(value, float) else str(value)
    return json.dumps(value, default=str, ensure_ascii=False)[:300]


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
    return (first.index(item[0]) if item[0] in first else len(first), item[0].casefold())


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
