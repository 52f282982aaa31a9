"""Experiments for the tests of pages: with epochs, confusion matrices, series of any length."""

from collections.abc import Mapping, Sequence
from typing import Any

from database.engine import transaction
from services.actor import SYSTEM
from services.curves import writing
from services.curves.packing import Points
from services.experiments import epochs, lifecycle
from services.experiments.epochs import Epoch

LABELS = ["Healthy", "Wear", "Imbalance"]


def running(name: str = "run", epochs: int = 0, **columns: Any) -> int:
    """A running experiment with so many epochs behind it."""
    with transaction() as session:
        experiment = lifecycle.create(session, SYSTEM, name=name, **{"total_epochs": 40} | columns)
        lifecycle.start(session, experiment.id)
        number = experiment.id
    for epoch in range(1, epochs + 1):
        record(number, epoch)
    return number


def record(number: int, epoch: int, **metrics: float) -> None:
    """One more epoch, with everything that a training records."""
    good = 30 - 20 // epoch
    confusion = [[good, 30 - good, 0], [1, good, 29 - good], [0, 0, 30]]
    values = Epoch(
        epoch,
        train_loss=2 / epoch,
        val_loss=2.2 / epoch + (epoch % 3) / 50,
        train_accuracy=1 - 1 / (epoch + 1),
        val_accuracy=0.95 - 1 / (epoch + 1),
        learning_rate=0.001,
        duration_seconds=0.5,
    )
    with transaction() as session:
        epochs.record_epoch(session, number, values, metrics=metrics, confusion=(LABELS, confusion))


def completed(name: str = "done", epochs: int = 12, **columns: Any) -> int:
    """One that has ended well."""
    number = running(name, epochs, **columns)
    with transaction() as session:
        lifecycle.complete(session, number)
    return number


def with_series(name: str, series: Mapping[str, Sequence[float]], **columns: Any) -> int:
    """One that logged these values at steps from 1 on."""
    with transaction() as session:
        experiment = lifecycle.create(session, SYSTEM, name=name, **columns)
        points = {key: Points.of(range(1, len(values) + 1), values) for key, values in series.items()}
        writing.append(session, experiment.id, points)
        return experiment.id
