"""What every reader gives: a run in plain values, or the reason why it cannot be had."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.errors import Invalid

Source = Literal["tensorboard", "mlflow", "csv"]
RunStatus = Literal["pending", "running", "completed", "failed", "cancelled"]


class ImportSourceError(Invalid):
    """The folder, file or address as a whole cannot be imported; its text is a sentence for people."""

    code = "import_source"


class BadValue(ValueError):
    """A value from a file breaks a rule; the run that holds it is left out with this reason."""


@dataclass(frozen=True, eq=False)
class ImportedSeries:
    """One metric in the order in which it was written: a resumed run goes back in steps, never in this order."""

    key: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    times: NDArray[np.float64]  # seconds since 1970 in UTC; NaN when the source does not say

    @classmethod
    def of(cls, key: str, steps: ArrayLike, values: ArrayLike, times: ArrayLike | None = None) -> "ImportedSeries":
        """Give the three columns their types and make them read-only."""
        values_array = np.array(values, dtype=np.float64)
        when = np.full(len(values_array), np.nan) if times is None else np.array(times, dtype=np.float64)
        columns = (np.array(steps, dtype=np.int64), values_array, when)
        for column in columns:
            column.flags.writeable = False
        return cls(key, *columns)

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class ImportedEpoch:
    """One row of training_runs; `epoch` counts finished epochs, so the first is 1."""

    epoch: int
    train_loss: float | None = None
    val_loss: float | None = None
    train_accuracy: float | None = None
    val_accuracy: float | None = None
    learning_rate: float | None = None
    duration_seconds: float | None = None


@dataclass(frozen=True, eq=False)
class ImportedRun:
    """One run as another tool kept it; `source` and `source_id` together find it again at the next import."""

    source: Source
    source_id: str
    name: str
    status: RunStatus
    group: str | None = None
    model_type: str | None = None
    deleted: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    config: dict[str, Any] = field(default_factory=dict)
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    notes: str | None = None
    parent_source_id: str | None = None
    artifact_paths: list[str] = field(default_factory=list)
    series: tuple[ImportedSeries, ...] = ()
    epochs: tuple[ImportedEpoch, ...] = ()
    owner: str | None = None

    def series_of(self, key: str) -> ImportedSeries:
        """Find a series by its key; KeyError when the run has none."""
        for one in self.series:
            if one.key == key:
                return one
        raise KeyError(key)


@dataclass(frozen=True)
class BadRun:
    """A run that was left out, with the reason in words."""

    source_id: str
    name: str
    reason: str


MODEL_TYPE_KEYS = ("model_type", "model", "model_name", "architecture", "arch", "backbone", "network", "estimator_name")


def model_type_of(*sources: Iterable[tuple[str, Any]]) -> str | None:
    """Take the model's type from the first source that names it in short text, never from a run's name."""
    for source in sources:
        named = {key.lower(): value for key, value in source}
        for key in MODEL_TYPE_KEYS:
            value = named.get(key)
            if isinstance(value, str) and 0 < len(value) <= 100:
                return value
    return None
