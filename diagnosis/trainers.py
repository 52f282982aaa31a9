"""Training epoch by epoch: a generator that really trains a model and tells after each epoch how well it does."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diagnosis.confusion import class_scores, confusion_matrix
from diagnosis.errors import TrainingDiverged
from diagnosis.learners import Learner, make_learner
from diagnosis.splits import Standardiser
from diagnosis.trainer_config import TrainerConfig

__all__ = ["EpochResult", "TrainedModel", "TrainerConfig", "TrainingDiverged", "log_loss", "train"]

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

PROBABILITY_FLOOR: Final = 1e-7  # a forest says 0 of a class that none of its trees chose; the loss must stay finite


@dataclass(frozen=True, eq=False)
class EpochResult:
    """How well a model does after an epoch; everything but the loss and accuracy of training is of the validation part.

    Parameters
    ----------
    epoch : int
        From 1.
    train_loss, val_loss : float
        Mean log-loss in nats over the whole part, after the epoch.
    train_accuracy, val_accuracy : float
        0 to 1.
    learning_rate : float or None
        In force during the epoch; None for a model that has none.
    duration_seconds : float
        Wall time of training and scoring; the only value that differs when a training is repeated.
    confusion : ndarray of shape (n_classes, n_classes), int64
        Counts, rows are the true classes.
    precision, recall, f1 : ndarray of shape (n_classes,)
        NaN where a score is 0/0.
    macro_f1 : float
        Mean of f1 over the classes that have one.
    """

    epoch: int
    train_loss: float
    val_loss: float
    train_accuracy: float
    val_accuracy: float
    learning_rate: float | None
    duration_seconds: float
    confusion: NDArray[np.int64] = field(repr=False)
    precision: Floats = field(repr=False)
    recall: Floats = field(repr=False)
    f1: Floats = field(repr=False)
    macro_f1: float = 0.0


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model after its last epoch, with the scaling of its training part."""

    learner: Learner
    scaling: Standardiser

    def predict_proba(self, x: ArrayLike) -> Floats:
        """Probabilities of shape (n_records, n_classes) for a matrix as it came to `train`, not scaled."""
        return self.learner.predict_proba(self.scaling.transform(x))


def log_loss(probabilities: Floats, labels: Labels) -> float:
    """Mean log-loss in nats over the full set of classes.

    Parameters
    ----------
    probabilities : ndarray of shape (n_records, n_classes)
        Kept at or above 1e-7, then each row made to add up to 1 again.
    labels : ndarray of shape (n_records,)

    Returns
    -------
    float
        NaN without records or with NaN among the probabilities.
    """
    if not labels.size:
        return float("nan")
    kept = np.maximum(probabilities, PROBABILITY_FLOOR)
    of_truth = kept[np.arange(labels.size), labels] / kept.sum(axis=1)
    return float(-np.log(of_truth).mean())


def train(
    config: TrainerConfig, x_train: ArrayLike, y_train: ArrayLike, x_val: ArrayLike, y_val: ArrayLike, n_classes: int
) -> Generator[EpochResult, None, TrainedModel]:
    """Train a model and yield a result after every epoch.

    Arguments are checked at the call, not at the first epoch. After a crash the same call replays the same epochs; a
    caller skips those it has. The matrices are standardised here by the training part.

    Parameters
    ----------
    config : TrainerConfig
    x_train, x_val : array_like of shape (n_records, n_columns)
        As `features.represent` makes them.
    y_train, y_val : array_like of shape (n_records,)
        Labels from 0 to ``n_classes - 1``.
    n_classes : int
        Classes there are, whether all occur or not.

    Yields
    ------
    EpochResult

    Returns
    -------
    TrainedModel
        Value of the generator (of ``yield from``, or ``StopIteration.value``).

    Raises
    ------
    ValueError
        If the arrays do not fit each other, hold NaN or infinity, or training has fewer than two classes.
    TrainingDiverged
        From the epoch in which weights or loss are no longer finite.
    """
    rows, labels = _checked("training", x_train, y_train, n_classes)
    val_rows, val_labels = _checked("validation", x_val, y_val, n_classes)
    if rows.shape[1] != val_rows.shape[1]:
        raise ValueError(f"Training has {rows.shape[1]} columns, validation {val_rows.shape[1]}.")
    if np.unique(labels).size < 2:
        raise ValueError("Training needs records of at least two classes.")
    scaling = Standardiser.fit(rows)
    return _epochs(config, scaling, rows, labels, val_rows, val_labels, n_classes)


def _epochs(
    config: TrainerConfig,
    scaling: Standardiser,
    x_train: Floats,
    y_train: Labels,
    x_val: Floats,
    y_val: Labels,
    n_classes: int,
) -> Generator[EpochResult, None, TrainedModel]:
    x_train, x_val = scaling.transform(x_train), scaling.transform(x_val)
    learner = make_learner(config, n_classes)
    for epoch in range(1, config.epochs + 1):
        started = time.perf_counter()
        learning_rate = config.learning_rate_at(epoch)
        try:
            learner.train_epoch(x_train, y_train, learning_rate)
        except ValueError as error:
            # The data were checked before the first epoch, so this is scikit-learn meeting weights that are not finite.
            raise TrainingDiverged(f"The training diverged in epoch {epoch}; try a smaller learning rate.") from error
        train_probabilities = learner.predict_proba(x_train)
        val_probabilities = learner.predict_proba(x_val)
        train_loss, val_loss = log_loss(train_probabilities, y_train), log_loss(val_probabilities, y_val)
        if not (np.isfinite(train_loss) and np.isfinite(val_loss)):
            raise TrainingDiverged(f"The loss of epoch {epoch} is not finite; try a smaller learning rate.")
        confusion = confusion_matrix(y_val, val_probabilities.argmax(axis=1), n_classes)
        scores = class_scores(confusion)
        yield EpochResult(
            epoch=epoch,
            train_loss=train_loss,
            val_loss=val_loss,
            train_accuracy=float(np.mean(train_probabilities.argmax(axis=1) == y_train)),
            val_accuracy=scores.accuracy,
            learning_rate=learning_rate,
            duration_seconds=time.perf_counter() - started,
            confusion=confusion,
            precision=scores.precision,
            recall=scores.recall,
            f1=scores.f1,
            macro_f1=scores.macro_f1,
        )
    return TrainedModel(learner=learner, scaling=scaling)


def _checked(part: str, x: ArrayLike, y: ArrayLike, n_classes: int) -> tuple[Floats, Labels]:
    """Matrix and labels of a part, refused with a sentence where no model could use them."""
    rows = np.asarray(x, dtype=np.float64)
    labels = np.asarray(y, dtype=np.int64).ravel()
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError(f"The {part} part is a matrix with at least one column, not of shape {rows.shape}.")
    if rows.shape[0] == 0 or rows.shape[0] != labels.size:
        raise ValueError(
            f"The {part} part has {rows.shape[0]} records and {labels.size} labels; both are needed alike."
        )
    if not np.isfinite(rows).all():
        raise ValueError(f"The {part} part holds NaN or infinity.")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"Labels of the {part} part go from 0 to {n_classes - 1}.")
    return rows, labels
