"""Epochs of a training as they end: their row, their points in the series, their confusion matrix."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.types import now
from models.experiment import Experiment, ExperimentStatus
from models.training_run import ConfusionMatrix, TrainingRun
from services.curves import writing
from services.curves.packing import Points

EPOCH_COLUMNS = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "learning_rate", "duration_seconds")


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch of training gave."""

    epoch: int
    train_loss: float | None = None
    val_loss: float | None = None
    train_accuracy: float | None = None
    val_accuracy: float | None = None
    learning_rate: float | None = None
    duration_seconds: float | None = None


def record_epoch(
    session: Session,
    experiment_id: int,
    epoch: Epoch,
    *,
    metrics: Mapping[str, float] | None = None,
    confusion: tuple[list[str], list[list[int]]] | None = None,
    at: datetime | None = None,
) -> bool:
    """Write an epoch with all its metrics, whole or not at all; False when the experiment no longer runs.

    An epoch that is there already, from before a crash, is left as it is.
    """
    experiment = session.scalar(
        select(Experiment)
        .where(Experiment.id == experiment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if experiment is None or experiment.status != ExperimentStatus.RUNNING:
        return False
    if epoch.epoch <= experiment.epochs_completed:
        return True
    moment = at or now()
    session.add(
        TrainingRun(experiment_id=experiment_id, **{name: getattr(epoch, name) for name in ("epoch", *EPOCH_COLUMNS)})
    )
    values = {name: getattr(epoch, name) for name in EPOCH_COLUMNS[:-1]}
    named = {name: value for name, value in values.items() if value is not None} | dict(metrics or {})
    seconds = moment.timestamp()
    writing.append(
        session, experiment_id, {name: Points.of([epoch.epoch], [value], [seconds]) for name, value in named.items()}
    )
    if confusion is not None:
        labels, counts = confusion
        session.add(ConfusionMatrix(experiment_id=experiment_id, epoch=epoch.epoch, labels=labels, counts=counts))
    experiment.epochs_completed = epoch.epoch
    if experiment.started_at is not None:
        experiment.duration_seconds = (moment - experiment.started_at).total_seconds()
    session.flush()
    return True
