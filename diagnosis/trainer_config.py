"""Configuration of a training, checked when it is made, and the learning rate it asks for in each epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from diagnosis.features import REPRESENTATIONS

MODELS: Final = ("mlp", "logistic", "random_forest", "gradient_boosting")
SCHEDULES: Final = ("constant", "step", "cosine")
OPTIMISERS: Final = ("adam", "sgd")
DEFAULT_LEARNING_RATES: Final = {"mlp": 1e-3, "logistic": 3e-3, "gradient_boosting": 0.1}
GRADIENT_MODELS: Final = ("mlp", "logistic")


@dataclass(frozen=True, slots=True)
class TrainerConfig:
    """How a model is trained; equal configurations and data give equal results.

    Parameters
    ----------
    model : str
        ``mlp`` (multi-layer perceptron), ``logistic`` (multinomial logistic regression by gradient descent),
        ``random_forest`` or ``gradient_boosting`` (both grow by `trees_per_epoch` in every epoch).
    representation : str
        ``spectrum``, ``features`` or ``both``; the caller makes the matrix with `features.represent`.
    epochs : int
        1 to 1000.
    seed : int
        Of first weights, order of records and bootstrap samples.
    learning_rate : float or None
        None means the model's default; of gradient boosting it is the shrinkage. A random forest has none.
    schedule : str
        ``constant``, ``step`` (times `step_factor` after every `step_epochs`) or ``cosine`` (to 1 % at the last epoch).
    batch_size : int
        Records per step of gradient descent.
    optimiser : str
        ``adam`` or ``sgd`` (momentum 0.9).
    hidden_layers : tuple of int
        Units of each hidden layer of ``mlp``.
    weight_decay : float
        L2 penalty of ``mlp`` and ``logistic``.
    step_epochs, step_factor : int, float
        Of the step schedule.
    trees_per_epoch : int
        Trees, or boosting stages, added in an epoch.
    max_depth : int or None
        Of each tree; None lets a forest's trees grow out, boosting then uses 3.

    Raises
    ------
    ValueError
        If a value is not possible, in one sentence that names it.
    """

    model: str
    representation: str = "both"
    epochs: int = 40
    seed: int = 0
    learning_rate: float | None = None
    schedule: str = "constant"
    batch_size: int = 32
    optimiser: str = "adam"
    hidden_layers: tuple[int, ...] = (64,)
    weight_decay: float = 1e-4
    step_epochs: int = 15
    step_factor: float = 0.3
    trees_per_epoch: int = 4
    max_depth: int | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("model", self.model, MODELS),
            ("representation", self.representation, REPRESENTATIONS),
            ("schedule", self.schedule, SCHEDULES),
            ("optimiser", self.optimiser, OPTIMISERS),
        ):
            if value not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {value!r}.")
        for name, count, most in (
            ("epochs", self.epochs, 1000),
            ("batch_size", self.batch_size, 65_536),
            ("step_epochs", self.step_epochs, 1000),
            ("trees_per_epoch", self.trees_per_epoch, 1000),
        ):
            _whole(name, count, 1, most)
        _whole("seed", self.seed, 0, 2**32 - 1)
        if self.max_depth is not None:
            _whole("max_depth", self.max_depth, 1, 1000)
        if self.model == "mlp" and not self.hidden_layers:
            raise ValueError("hidden_layers names at least one layer; a network without is the model logistic.")
        for units in self.hidden_layers:
            _whole("hidden_layers", units, 1, 65_536)
        if not 0.0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay is a finite number from 0 on, not {self.weight_decay!r}.")
        if not 0.0 < self.step_factor <= 1.0:
            raise ValueError(f"step_factor is above 0 and at most 1, not {self.step_factor!r}.")
        self._check_learning_rate()

    def _check_learning_rate(self) -> None:
        if self.model not in GRADIENT_MODELS and self.schedule != "constant":
            # Boosting multiplies every tree by one shrinkage when it predicts; it cannot change on the way.
            raise ValueError(
                f"The schedule {self.schedule} needs a model trained by gradient descent, not {self.model}."
            )
        if self.learning_rate is None:
            return
        if self.model == "random_forest":
            raise ValueError("A random forest has no learning rate.")
        if not 0.0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is a finite number above 0, not {self.learning_rate!r}.")

    @property
    def base_learning_rate(self) -> float | None:
        """Learning rate of the first epoch; None for a model that has none."""
        return self.learning_rate if self.learning_rate is not None else DEFAULT_LEARNING_RATES.get(self.model)

    def learning_rate_at(self, epoch: int) -> float | None:
        """Learning rate during an epoch, counted from 1; None for a model that has none."""
        base = self.base_learning_rate
        if base is None or self.schedule == "constant":
            return base
        if self.schedule == "step":
            return base * self.step_factor ** ((epoch - 1) // self.step_epochs)
        progress = (epoch - 1) / max(self.epochs - 1, 1)
        return base * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * progress)))

    def as_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold; `from_dict` reads them back."""
        return {**asdict(self), "hidden_layers": list(self.hidden_layers)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainerConfig:
        """Configuration from plain values.

        Raises
        ------
        ValueError
            If a name is not known, the model is missing or a value is not possible.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"A trainer has no setting called {', '.join(unknown)}.")
        if "model" not in values:
            raise ValueError("A trainer needs to know its model.")
        given = dict(values)
        if "hidden_layers" in given:
            if not isinstance(given["hidden_layers"], list | tuple):
                raise ValueError(f"hidden_layers is a list of whole numbers, not {given['hidden_layers']!r}.")
            given["hidden_layers"] = tuple(given["hidden_layers"])
        try:
            return cls(**given)
        except TypeError as error:  # a text where a number is compared, for one
            raise ValueError(f"A setting has a value of the wrong kind: {error}.") from error


def _whole(name: str, value: object, least: int, most: int) -> None:
    """Refuses what is not a whole number within limits; True is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most}, not {value!r}.")
