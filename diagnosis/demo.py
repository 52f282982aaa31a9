"""The small demo that a newcomer sees first: generated records of eleven classes and four ways to learn them.

The noise is four times the source's and half of the faults are young, so that the classes overlap: the models start
near chance (9 %) and end well below 100 %, as on a real machine. Small batches and small steps make a training last
some seconds, so that its curves are seen to grow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diagnosis.faults import FAULT_COUNT, FAULTS, Severity
from diagnosis.signals import SAMPLING_RATE, SignalOptions, generate
from diagnosis.trainer_config import TrainerConfig

RECORDS_PER_CLASS: Final = 60
RECORD_SECONDS: Final = 1.0
DEMO_OPTIONS: Final = SignalOptions(noise_scale=4.0)
DEMO_SEEDS: Final = (1, 2, 3)

_SEVERITIES: Final = (Severity.INCIPIENT, Severity.MILD, Severity.MODERATE, Severity.SEVERE)

DEMO_CONFIGS: Final = MappingProxyType(
    {
        "MLP on spectra": TrainerConfig(
            "mlp", "spectrum", epochs=60, hidden_layers=(256, 128), batch_size=8, learning_rate=1e-4
        ),
        "MLP on spectra and features, cosine schedule": TrainerConfig(
            "mlp", "both", epochs=60, hidden_layers=(128, 64), schedule="cosine", batch_size=6, learning_rate=1e-4
        ),
        "Logistic regression on features, step schedule": TrainerConfig(
            "logistic", "features", epochs=60, schedule="step", batch_size=6, learning_rate=7e-4, step_epochs=20
        ),
        "Gradient boosting on spectra and features": TrainerConfig(
            "gradient_boosting", "both", epochs=60, trees_per_epoch=3, max_depth=2, learning_rate=0.03
        ),
    }
)


@dataclass(frozen=True, eq=False)
class DemoDataset:
    """Records of the demo, the classes in turn.

    Parameters
    ----------
    signals : ndarray of shape (n_records, n_samples), float32
    labels : ndarray of shape (n_records,), int64
    sampling_rate : float
        Hz.
    metadata : tuple of dict
        One for each record, plain values.
    """

    signals: NDArray[np.float32]
    labels: NDArray[np.int64]
    sampling_rate: float
    metadata: tuple[dict[str, Any], ...]


def demo_dataset(seed: int, records_per_class: int = RECORDS_PER_CLASS) -> DemoDataset:
    """Records of all eleven classes in all four severities.

    Parameters
    ----------
    seed : int
        The same seed gives the same records.
    records_per_class : int
        At least 1.

    Raises
    ------
    ValueError
        If no record is asked for.
    """
    if records_per_class < 1:
        raise ValueError("A data set has at least one record of each class.")
    rng = np.random.default_rng(seed)
    made = [
        generate(
            fault,
            _SEVERITIES[number % len(_SEVERITIES)],
            sampling_rate=SAMPLING_RATE,
            duration=RECORD_SECONDS,
            seed=rng,
            options=DEMO_OPTIONS,
        )
        for number in range(records_per_class)
        for fault in FAULTS
    ]
    return DemoDataset(
        signals=np.stack([record.signal for record in made]),
        labels=np.tile(np.arange(FAULT_COUNT, dtype=np.int64), records_per_class),
        sampling_rate=SAMPLING_RATE,
        metadata=tuple(record.metadata() for record in made),
    )


def demo_config(name: str, seed: int) -> TrainerConfig:
    """Configuration of `DEMO_CONFIGS` under a seed.

    Raises
    ------
    ValueError
        If the demo has no configuration of that name.
    """
    if name not in DEMO_CONFIGS:
        raise ValueError(f"The demo has no configuration called {name!r}.")
    return replace(DEMO_CONFIGS[name], seed=seed)
