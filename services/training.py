"""Train a model on a dataset: the experiment that waits, the epochs that a worker makes, the rows they become."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from diagnosis.features import represent
from diagnosis.trainer_config import TrainerConfig
from diagnosis.trainers import EpochResult, TrainedModel
from diagnosis.trainers import train as train_epochs
from models.dataset import Dataset
from models.experiment import Experiment
from models.permissions import Permission
from services import job_queue, signal_files
from services.actor import Actor
from services.errors import Invalid, NotFound
from services.experiments import epochs, lifecycle

KIND = "training.run"
_OF_TREES = frozenset({"trees_per_epoch", "max_depth"})
_OF_GRADIENT_DESCENT = frozenset({"schedule", "batch_size", "optimiser", "weight_decay"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker needs to train: the configuration, the file, and how many epochs are recorded already."""

    experiment_id: int
    config: TrainerConfig
    file_path: str
    epochs_recorded: int


def hyperparameters(config: TrainerConfig) -> dict[str, Any]:
    """The settings that act on this model, under the names and values that people compare."""
    values = config.as_dict()
    is_network = config.model in {"mlp", "logistic"}
    unused = set(_OF_TREES if is_network else _OF_GRADIENT_DESCENT)
    if config.model != "mlp":
        unused.add("hidden_layers")
    if config.schedule != "step":
        unused |= {"step_epochs", "step_factor"}
    if config.base_learning_rate is None:
        unused.add("learning_rate")
    kept = {name: value for name, value in values.items() if name not in unused}
    return kept | ({} if config.base_learning_rate is None else {"learning_rate": config.base_learning_rate})


def create(
    session: Session,
    actor: Actor,
    *,
    name: str,
    config: TrainerConfig,
    dataset_id: int,
    comes_from: dict[str, Any] | None = None,
    **columns: Any,
) -> Experiment:
    """An experiment that waits for a worker, and its job; `columns` go to the experiment as they are."""
    actor.require(Permission.RUN_EXPERIMENTS)
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise NotFound("dataset")
    if dataset.file_path is None:
        raise Invalid(f"“{dataset.name}” has no signal file to train on.", field="dataset_id")
    experiment = lifecycle.create(
        session,
        actor,
        name=name,
        model_type=config.model,
        dataset_id=dataset_id,
        total_epochs=config.epochs,
        hyperparameters=hyperparameters(config),
        config={
            "trainer": config.as_dict(),
            "dataset": {"id": dataset.id, "name": dataset.name, "file": dataset.file_path},
            **(comes_from or {}),
        },
        **columns,
    )
    job_queue.enqueue(
        session,
        KIND,
        {"experiment_id": experiment.id},
        experiment_id=experiment.id,
        created_by=actor.user_id,
    )
    return experiment


def begin(session: Session, experiment_id: int) -> Plan | None:
    """Start or resume an experiment; None when nobody wants it any more."""
    if not lifecycle.start(session, experiment_id):
        return None
    experiment = session.get_one(Experiment, experiment_id)
    dataset = None if experiment.dataset_id is None else session.get(Dataset, experiment.dataset_id)
    if dataset is None or dataset.file_path is None:
        raise Invalid("The dataset of this experiment is gone.")
    try:
        config = TrainerConfig.from_dict((experiment.config or {})["trainer"])
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"The configuration of this experiment cannot be trained: {error}") from error
    return Plan(experiment_id, config, dataset.file_path, experiment.epochs_completed)


def train(plan: Plan) -> tuple[Generator[EpochResult, None, TrainedModel], tuple[str, ...]]:
    """The epochs, trained one by one as they are asked for, and the names of the classes.

    The same plan gives the same epochs, so a training that was cut off is repeated up to where it was and goes on.
    """
    file = signal_files.read(plan.file_path)
    kind = plan.config.representation
    try:
        x_train, x_val = (represent(part.signals, file.sampling_rate, kind) for part in (file.train, file.val))
        results = train_epochs(
            plan.config, x_train, file.train.labels, x_val, file.val.labels, n_classes=len(file.class_names)
        )
    except ValueError as error:
        raise Invalid(f"This dataset cannot be trained on: {error}") from error
    return results, file.class_names


def record(session: Session, experiment_id: int, result: EpochResult, class_names: tuple[str, ...]) -> bool:
    """Write an epoch with its scores per class and its confusion matrix; False when the experiment no longer runs."""
    epoch = epochs.Epoch(
        epoch=result.epoch,
        train_loss=result.train_loss,
        val_loss=result.val_loss,
        train_accuracy=result.train_accuracy,
        val_accuracy=result.val_accuracy,
        learning_rate=result.learning_rate,
        duration_seconds=result.duration_seconds,
    )
    return epochs.record_epoch(
        session,
        experiment_id,
        epoch,
        metrics=metrics_of(result, class_names),
        confusion=(list(class_names), result.confusion.tolist()),
    )


def metrics_of(result: EpochResult, class_names: tuple[str, ...]) -> dict[str, float]:
    """Scores by the names of their series; a score that is 0/0 has no point in this epoch."""
    scores = {"macro_f1": float(result.macro_f1)}
    for score, values in (("f1", result.f1), ("precision", result.precision), ("recall", result.recall)):
        scores |= {f"{score}/{name}": float(value) for name, value in zip(class_names, values, strict=True)}
    return {name: value for name, value in scores.items() if np.isfinite(value)}
