"""What Home shows: what runs, what ended, what failed since the last visit, what is best on each dataset."""

import zlib
from datetime import datetime, timedelta
from typing import Any, TypeVarTuple

import numpy as np
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from database.types import now
from models.dataset import Dataset
from models.experiment import ACTIVE, Experiment, ExperimentStatus
from models.metric_series import MetricKey, MetricSeries
from services import sessions
from services.actor import Actor
from services.curves import reading
from services.experiments.access import visibility
from services.imports.synonyms import meaning_of

Columns = TypeVarTuple("Columns")

SHOWN = 8
SPARKLINE_POINTS = 60
CURVES = {  # the first that there is becomes the mini-curve
    "val_accuracy": "validation accuracy",
    "val_loss": "validation loss",
    "train_accuracy": "training accuracy",
    "train_loss": "training loss",
}
WITHOUT_VISIT = timedelta(days=7)


def version(session: Session, actor: Actor) -> str:
    """A word that changes when what runs or ended last would look different; cheaper than either."""
    moving, epochs = session.execute(
        select(func.count(), func.coalesce(func.sum(Experiment.epochs_completed), 0)).where(
            Experiment.status.in_(ACTIVE), *visibility(actor)
        )
    ).one()
    # The latest change of each row shown tells of a new name, a pause, a deletion and what took its place.
    stamp = select(Experiment.id, Experiment.updated_at)
    words = []
    for shown in (_active_first(stamp, actor), _ended_last(stamp, actor)):
        stamps = [f"{row.id}:{row.updated_at.timestamp()}" for row in session.execute(shown)]
        words.append(f"{zlib.crc32(' '.join(stamps).encode()):08x}")
    return f"{moving}-{epochs}-{'-'.join(words)}"


def ended_part(version: str) -> str:
    """The part of such a word that changes only when what ended last would look different."""
    return version.partition(" ")[0].rpartition("-")[2]


def _active_first(query: Select[*Columns], actor: Actor) -> Select[*Columns]:
    order = (Experiment.started_at.desc().nulls_last(), Experiment.id)
    return query.where(Experiment.status.in_(ACTIVE), *visibility(actor)).order_by(*order).limit(SHOWN)


def _ended_last(query: Select[*Columns], actor: Actor) -> Select[*Columns]:
    order = (Experiment.ended_at.desc(), Experiment.id.desc())
    return query.where(Experiment.ended_at.is_not(None), *visibility(actor)).order_by(*order).limit(SHOWN)


def active(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Experiments that have not ended, each with a small curve of what it has learnt so far."""
    query = select(
        Experiment.id,
        Experiment.name,
        Experiment.given_name,
        Experiment.status,
        Experiment.model_type,
        Experiment.epochs_completed,
        Experiment.total_epochs,
        Experiment.started_at,
    )
    rows = session.execute(_active_first(query, actor)).all()
    curves = mini_curves(session, [row.id for row in rows])
    return [
        {
            "id": row.id,
            "name": row.given_name or row.name,
            "status": row.status.value,
            "model": row.model_type,
            "epochs": row.epochs_completed,
            "total_epochs": row.total_epochs,
            "started": row.started_at,
            "metric": curves.get(row.id, (None, []))[0],
            "curve": curves.get(row.id, (None, []))[1],
        }
        for row in rows
    ]


def count_active(session: Session, actor: Actor) -> int:
    """How many have not ended, shown or not."""
    query = select(func.count()).select_from(Experiment).where(Experiment.status.in_(ACTIVE), *visibility(actor))
    return session.scalar(query) or 0


def mini_curves(session: Session, ids: list[int]) -> dict[int, tuple[str, list[float | None]]]:
    """For each experiment the name and the points of its most telling curve; two queries however many there are."""
    if not ids:
        return {}
    first = select(func.min(MetricSeries.id)).where(MetricSeries.experiment_id.in_(ids))
    rows = session.execute(
        select(MetricSeries.experiment_id, MetricSeries.id, MetricKey.name)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(
            MetricSeries.experiment_id.in_(ids),
            or_(_may_tell(), MetricSeries.id.in_(first.group_by(MetricSeries.experiment_id))),
        )
    )
    chosen: dict[int, tuple[tuple[int, int, str], int, str]] = {}
    for experiment_id, series_id, key in rows:
        meaning = meaning_of(key)
        column = None if meaning is None or meaning.column not in CURVES else meaning.column
        place = len(CURVES) if column is None else list(CURVES).index(column)
        rank = place, 0 if meaning is None else meaning.rank, key
        if experiment_id not in chosen or rank < chosen[experiment_id][0]:
            chosen[experiment_id] = rank, series_id, key if column is None else CURVES[column]
    points = reading.read_all(session, [series_id for _, series_id, _ in chosen.values()], with_times=False)
    curves = {}
    for experiment_id, (_, series_id, label) in chosen.items():
        values = points[series_id].values
        if len(values) > SPARKLINE_POINTS:
            values = values[np.linspace(0, len(values) - 1, SPARKLINE_POINTS).astype(int)]
        curves[experiment_id] = label, [float(value) if np.isfinite(value) else None for value in values]
    return curves


def _may_tell() -> ColumnElement[bool]:
    """What every name of an accuracy or a loss has in it; which column it means is decided here, not by SQL."""
    return or_(*(MetricKey.name.icontains(word) for word in ("acc", "loss", "top")))


def finished(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """The experiments that ended last."""
    query = select(
        Experiment.id,
        Experiment.name,
        Experiment.given_name,
        Experiment.status,
        Experiment.model_type,
        Experiment.ended_at,
        Experiment.duration_seconds,
        Dataset.name.label("dataset"),
    ).outerjoin(Dataset, Dataset.id == Experiment.dataset_id)
    rows = session.execute(_ended_last(query, actor))
    return [
        {
            "id": row.id,
            "name": row.given_name or row.name,
            "status": row.status.value,
            "model": row.model_type,
            "dataset": row.dataset,
            "ended": row.ended_at,
            "duration": row.duration_seconds,
        }
        for row in rows
    ]


def last_visit(session: Session, actor: Actor, session_id: int) -> datetime | None:
    """When this person was here before; None for somebody who never was."""
    return sessions.previous_visit(session, actor.user_id, session_id)


def first_visit_looks_back_to() -> datetime:
    """What counts as new for somebody who was never here."""
    return now() - WITHOUT_VISIT


def failures_since(session: Session, actor: Actor, since: datetime) -> tuple[int, list[dict[str, Any]]]:
    """How many experiments failed after a moment, and the latest of them with their reasons."""
    conditions = (Experiment.status == ExperimentStatus.FAILED, Experiment.ended_at > since, *visibility(actor))
    total = session.scalar(select(func.count()).select_from(Experiment).where(*conditions)) or 0
    rows = session.execute(
        select(Experiment.id, Experiment.name, Experiment.given_name, Experiment.ended_at, Experiment.failure_reason)
        .where(*conditions)
        .order_by(Experiment.ended_at.desc(), Experiment.id.desc())
        .limit(SHOWN)
    )
    return total, [
        {"id": row.id, "name": row.given_name or row.name, "ended": row.ended_at, "reason": row.failure_reason}
        for row in rows
    ]


def best_per_dataset(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """For each dataset the experiment with the highest validation accuracy, and how many were compared."""
    names = session.execute(select(MetricKey.id, MetricKey.name).where(_may_tell()))
    meant = [key_id for key_id, name in names if (said := meaning_of(name)) and said.column == "val_accuracy"]
    # Of one that logged it under several names the highest counts.
    own = (
        select(
            MetricSeries.experiment_id,
            MetricSeries.max_value,
            MetricSeries.max_step,
            func.row_number()
            .over(partition_by=MetricSeries.experiment_id, order_by=(MetricSeries.max_value.desc(), MetricSeries.id))
            .label("place"),
        )
        .where(MetricSeries.key_id.in_(meant), MetricSeries.max_value.is_not(None))
        .subquery()
    )
    ranked = (
        select(
            Experiment.id,
            Experiment.name,
            Experiment.given_name,
            Experiment.model_type,
            Dataset.id.label("dataset_id"),
            Dataset.name.label("dataset"),
            own.c.max_value,
            own.c.max_step,
            func.count().over(partition_by=Dataset.id).label("compared"),
            func.row_number()
            .over(partition_by=Dataset.id, order_by=(own.c.max_value.desc(), Experiment.id))
            .label("place"),
        )
        .join(own, (own.c.experiment_id == Experiment.id) & (own.c.place == 1))
        .join(Dataset, Dataset.id == Experiment.dataset_id)
        .where(*visibility(actor))
        .subquery()
    )
    rows = session.execute(select(ranked).where(ranked.c.place == 1).order_by(ranked.c.dataset).limit(SHOWN))
    return [
        {
            "id": row.id,
            "name": row.given_name or row.name,
            "model": row.model_type,
            "dataset": row.dataset,
            "accuracy": row.max_value,
            "epoch": row.max_step,
            "compared": row.compared,
        }
        for row in rows
    ]


def is_empty(session: Session, actor: Actor) -> bool:
    """Whether there is no experiment at all yet."""
    return session.scalar(select(Experiment.id).where(*visibility(actor)).limit(1)) is None


def demo_count(session: Session, actor: Actor) -> int:
    """How many of the visible experiments are the demo's."""
    query = select(func.count()).select_from(Experiment).where(Experiment.is_demo, *visibility(actor))
    return session.scalar(query) or 0
