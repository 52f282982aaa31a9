"""One experiment as its page shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.types import now
from diagnosis.confusion import class_scores
from models.dataset import Dataset
from models.experiment import Experiment, ExperimentStatus
from models.metric_series import MetricKey, MetricSeries
from models.permissions import Permission
from models.tag import ExperimentTag, Tag
from models.training_run import ConfusionMatrix, TrainingRun
from models.user import User
from services.actor import Actor
from services.curves import reading
from services.experiments import lifecycle, options, run_tags
from services.experiments.access import get, visibility
from services.experiments.conditions import WHICH, metric_of
from services.imports.synonyms import meaning_of
from services.owners import shown_name
from services.tracking import ids

EPOCHS_AT_ONCE = 500
MEASURED = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
MOST_NOTED = 200  # of what a tracking client says as key and value
MOST_CHILDREN = 50  # as many as can be compared


@dataclass(frozen=True, slots=True)
class Detail:
    """The head of the page, as plain values."""

    id: int
    name: str
    unique_name: str
    status: str
    is_active: bool
    model: str | None
    dataset: str | None
    group: str | None
    owner: str | None
    parent: tuple[int, str] | None  # id and name
    children: tuple["Child", ...]
    children_total: int
    children_metrics: tuple[str, ...]  # what `Child.values` are, such as "max val_accuracy"
    source: str | None
    run_id: str  # as a tracking client names it
    epochs: int
    total_epochs: int | None
    best_epoch: int | None
    best_by: str | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    deleted: datetime | None
    elapsed: float | None
    remaining: float | None
    failure: str | None
    notes: str | None
    config: dict[str, Any]
    hyperparameters: dict[str, Any]
    tags: tuple[str, ...]
    paths: tuple[tuple[str, str], ...]
    is_demo: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class Child:
    """A run that is part of this one."""

    id: int
    name: str
    status: str
    duration: float | None
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix after one epoch, with the scores of each class."""

    epoch: int
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    f1: tuple[float | None, ...]


def detail(session: Session, actor: Actor, experiment_id: int) -> Detail:
    """Everything but curves, epochs and matrices."""
    experiment = get(session, actor, experiment_id)
    dataset = session.scalar(select(Dataset.name).where(Dataset.id == (experiment.dataset_id or 0)))
    owner = session.scalar(select(shown_name()).where(User.id == (experiment.created_by or 0)))
    tags = session.scalars(
        select(Tag.name)
        .join(ExperimentTag, ExperimentTag.tag_id == Tag.id)
        .where(ExperimentTag.experiment_id == experiment.id)
        .order_by(Tag.name)
    ).all()
    paths = [
        (label, path)
        for label, path in (
            ("Model", experiment.model_path),
            ("ONNX", experiment.onnx_path),
            ("Results", experiment.results_dir),
        )
        if path
    ]
    paths += [("Artefact", str(path)) for path in (experiment.artifact_paths or [])[:200]]
    elapsed, remaining = times(experiment)
    best, best_by = _best(session, experiment)
    children, total, metrics = _children(session, actor, experiment.id)
    return Detail(
        id=experiment.id,
        name=experiment.shown_name,
        unique_name=experiment.name,
        status=experiment.status.value,
        is_active=experiment.is_active,
        model=experiment.model_type,
        dataset=dataset,
        group=experiment.group_name,
        owner=owner,
        parent=_parent(session, actor, experiment),
        children=children,
        children_total=total,
        children_metrics=metrics,
        source=experiment.source,
        run_id=ids.run_id(experiment.source, experiment.source_id, experiment.id),
        epochs=experiment.epochs_completed,
        total_epochs=experiment.total_epochs,
        best_epoch=best,
        best_by=best_by,
        created=experiment.created_at,
        started=experiment.started_at,
        ended=experiment.ended_at,
        deleted=experiment.deleted_at,
        elapsed=elapsed,
        remaining=remaining,
        failure=experiment.failure_reason,
        notes=experiment.notes,
        config=_config(session, experiment),
        hyperparameters=experiment.hyperparameters or {},
        tags=tuple(tags),
        paths=tuple(paths),
        is_demo=experiment.is_demo,
        is_own=experiment.created_by is not None and experiment.created_by == actor.user_id,
    )


def _best(session: Session, experiment: Experiment) -> tuple[int | None, str | None]:
    """The best epoch and by what it is the best; one that a source chose may be the best by something else."""
    kept, found = experiment.best_epoch, lifecycle.best_of(session, experiment.id)
    if found is not None and (kept == found[0] or (kept is None and experiment.is_active)):
        return found  # it is kept only when an experiment ends
    return kept, None


def _config(session: Session, experiment: Experiment) -> dict[str, Any]:
    """The configuration, with what a tracking client noted among its tags."""
    config = dict(experiment.config or {})
    noted = run_tags.of(session, experiment.id, MOST_NOTED)
    if noted:
        before = config.get("tags")
        config["tags"] = (before if isinstance(before, dict) else {}) | noted
    return config


def _parent(session: Session, actor: Actor, experiment: Experiment) -> tuple[int, str] | None:
    if experiment.parent_id is None:
        return None
    found = session.execute(
        select(Experiment.id, Experiment.name, Experiment.given_name).where(
            Experiment.id == experiment.parent_id, *visibility(actor)
        )
    ).first()
    return None if found is None else (found.id, found.given_name or found.name)


def _children(session: Session, actor: Actor, experiment_id: int) -> tuple[tuple[Child, ...], int, tuple[str, ...]]:
    rows = session.execute(
        select(
            Experiment.id,
            Experiment.name,
            Experiment.given_name,
            Experiment.status,
            Experiment.duration_seconds,
            func.count().over().label("total"),
        )
        .where(Experiment.parent_id == experiment_id, *visibility(actor))
        .order_by(Experiment.started_at, Experiment.id)
        .limit(MOST_CHILDREN)
    ).all()
    if not rows:
        return (), 0, ()
    ids = [row.id for row in rows]
    columns = [metric_of(column) for column in options.common_metrics(session, ids)]
    found = session.execute(
        select(MetricSeries.experiment_id, MetricKey.name, *(value.label(which) for which, value in WHICH.items()))
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(MetricSeries.experiment_id.in_(ids), MetricKey.name.in_([key for _, key in columns]))
    )
    values = {(row.experiment_id, row.name): row._mapping for row in found}

    def child(row: Any) -> Child:
        cells = tuple(values[row.id, key][which] if (row.id, key) in values else None for which, key in columns)
        return Child(row.id, row.given_name or row.name, row.status.value, row.duration_seconds, cells)

    return tuple(map(child, rows)), rows[0].total, tuple(f"{which} {key}" for which, key in columns)


def exists(session: Session, actor: Actor, experiment_id: int) -> bool:
    """Whether there is such an experiment, deleted or not."""
    found = select(Experiment.id).where(Experiment.id == experiment_id)
    return actor.may(Permission.VIEW_EXPERIMENTS) and session.scalar(found) is not None


def has_metrics(session: Session, actor: Actor, experiment_id: int) -> bool:
    """Whether any value was logged."""
    get(session, actor, experiment_id)
    found = select(MetricSeries.id).where(MetricSeries.experiment_id == experiment_id).limit(1)
    return session.scalar(found) is not None


def times(experiment: Experiment) -> tuple[float | None, float | None]:
    """Seconds since the start, and seconds to go at the pace so far; None where that is not known."""
    if experiment.started_at is None or not experiment.is_active:
        return experiment.duration_seconds, None
    elapsed = (now() - experiment.started_at).total_seconds()
    done, total = experiment.epochs_completed, experiment.total_epochs
    if experiment.status != ExperimentStatus.RUNNING or not done or not total or done >= total:
        return elapsed, None
    return elapsed, elapsed / done * (total - done)


def epochs(session: Session, actor: Actor, experiment_id: int, after: int = -1) -> list[dict[str, Any]]:
    """The next epochs behind one, at most 500: what the table shows, by cursor."""
    experiment = get(session, actor, experiment_id)
    found = session.execute(
        select(
            TrainingRun.epoch,
            TrainingRun.train_loss,
            TrainingRun.val_loss,
            TrainingRun.train_accuracy,
            TrainingRun.val_accuracy,
            TrainingRun.learning_rate,
            TrainingRun.duration_seconds,
        )
        .where(TrainingRun.experiment_id == experiment_id, TrainingRun.epoch > after)
        .order_by(TrainingRun.epoch)
        .limit(EPOCHS_AT_ONCE)
    )
    rows = [dict(row._mapping) for row in found]
    _put_what_is_not_finite(session, experiment, rows)
    return rows


def _put_what_is_not_finite(session: Session, experiment: Experiment, rows: list[dict[str, Any]]) -> None:
    """Say NaN and infinity where an epoch has them: its row holds finite numbers only, but the series knows."""
    empty = {name for name in MEASURED if any(row[name] is None for row in rows)}
    if not empty:
        return
    columns: dict[int, str] = {}
    for series_id, key in session.execute(
        select(MetricSeries.id, MetricKey.name)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(MetricSeries.experiment_id == experiment.id, MetricSeries.points == experiment.epochs_completed)
    ):
        meaning = meaning_of(key)
        if meaning is not None and meaning.column in empty:
            columns[series_id] = meaning.column
    for series_id, points in reading.read_all(session, columns, with_times=False).items() if columns else ():
        odd = ~np.isfinite(points.values)
        by_step = dict(zip(points.steps[odd].tolist(), points.values[odd].tolist(), strict=True))
        for row in rows:
            if row[columns[series_id]] is None:
                row[columns[series_id]] = by_step.get(row["epoch"])


def matrix_span(session: Session, actor: Actor, experiment_id: int) -> tuple[int, int] | None:
    """The first and the last epoch that have a confusion matrix; None while there is none."""
    get(session, actor, experiment_id)
    low, high = session.execute(
        select(func.min(ConfusionMatrix.epoch), func.max(ConfusionMatrix.epoch)).where(
            ConfusionMatrix.experiment_id == experiment_id, ConfusionMatrix.split == "validation"
        )
    ).one()
    return None if low is None else (low, high)


def matrix(session: Session, actor: Actor, experiment_id: int, epoch: int) -> Matrix | None:
    """The confusion matrix of an epoch, or the last one before it."""
    get(session, actor, experiment_id)
    row = session.scalar(
        select(ConfusionMatrix)
        .where(
            ConfusionMatrix.experiment_id == experiment_id,
            ConfusionMatrix.split == "validation",
            ConfusionMatrix.epoch <= min(max(epoch, 0), 2**31 - 1),
        )
        .order_by(ConfusionMatrix.epoch.desc())
        .limit(1)
    )
    if row is None:
        return None
    scores = class_scores(np.asarray(row.counts, dtype=np.int64))

    def finite(values: Any) -> tuple[float | None, ...]:
        return tuple(float(value) if np.isfinite(value) else None for value in values)

    return Matrix(
        epoch=row.epoch,
        labels=tuple(row.labels),
        counts=tuple(tuple(line) for line in row.counts),
        precision=finite(scores.precision),
        recall=finite(scores.recall),
        f1=finite(scores.f1),
    )


def cursor(session: Session, actor: Actor, experiment_id: int) -> str:
    """A text that changes whenever the page would look different."""
    experiment = get(session, actor, experiment_id)
    points = session.scalar(
        select(func.coalesce(func.sum(MetricSeries.points), 0)).where(MetricSeries.experiment_id == experiment_id)
    )
    return f"{experiment.status.value}-{experiment.epochs_completed}-{points}-{experiment.updated_at.isoformat()}"
