"""The eight layers of noise and disturbance that a measuring chain lays over a signal (DOMAIN A1.5)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Layer = Callable[[Floats, Floats, float, np.random.Generator], Floats]


class NoiseLayer(StrEnum):
    """One layer; they are applied in this order."""

    MEASUREMENT = "measurement"
    MAINS = "mains"
    PINK = "pink"
    DRIFT = "drift"
    QUANTISATION = "quantisation"
    SENSOR_DRIFT = "sensor_drift"
    ALIASING = "aliasing"
    IMPULSES = "impulses"


ALL_LAYERS: Final[frozenset[NoiseLayer]] = frozenset(NoiseLayer)
QUANTUM: Final = 0.001


def _measurement(signal: Floats, _time: Floats, scale: float, rng: np.random.Generator) -> Floats:
    return signal + scale * 0.03 * rng.standard_normal(signal.size)


def _mains(signal: Floats, time: Floats, scale: float, rng: np.random.Generator) -> Floats:
    amplitude, frequency = rng.uniform(0.010, 0.015), rng.uniform(50.0, 60.0)
    phase = rng.uniform(0.0, 2.0 * np.pi)
    return signal + scale * amplitude * np.sin(2.0 * np.pi * frequency * time + phase)


def _pink(signal: Floats, _time: Floats, scale: float, rng: np.random.Generator) -> Floats:
    # The source calls it pink; it is a random walk, whose power falls with 1/f² instead of 1/f.
    walk: Floats = np.cumsum(rng.standard_normal(signal.size))
    walk -= walk.mean()
    spread = float(walk.std())
    strength = scale * 0.02 / spread if spread > 0.0 else 0.0
    return signal + strength * walk


def _drift(signal: Floats, time: Floats, scale: float, rng: np.random.Generator) -> Floats:
    return signal + scale * 0.015 * np.sin(2.0 * np.pi * time / 1.5 + rng.uniform(0.0, 2.0 * np.pi))


def _quantisation(signal: Floats, _time: Floats, _scale: float, _rng: np.random.Generator) -> Floats:
    rounded: Floats = np.rint(signal / QUANTUM) * QUANTUM
    return rounded


def _sensor_drift(signal: Floats, _time: Floats, scale: float, rng: np.random.Generator) -> Floats:
    end = scale * 0.001 * float(rng.choice((-1.0, 1.0)))
    return signal + np.linspace(0.0, end, signal.size)


def _aliasing(signal: Floats, time: Floats, scale: float, rng: np.random.Generator) -> Floats:
    present, beyond = rng.random() < 0.10, rng.uniform(100.0, 300.0)
    if not present or time.size < 2:
        return signal
    nyquist = 0.5 / float(time[1] - time[0])
    # Sampled above Nyquist, the tone folds back to as far below it.
    return signal + scale * 0.005 * np.sin(2.0 * np.pi * (nyquist + beyond) * time)


def _impulses(signal: Floats, time: Floats, scale: float, rng: np.random.Generator) -> Floats:
    if time.size < 2:
        return signal
    seconds = time.size * (time[1] - time[0])
    disturbed = signal.copy()
    for start in rng.integers(0, signal.size, size=rng.poisson(2.0 * seconds)):
        disturbed[start : start + 5] += scale * rng.uniform(0.02, 0.05) * rng.choice((-1.0, 1.0))
    return disturbed


_LAYERS: Final[dict[NoiseLayer, Layer]] = {
    NoiseLayer.MEASUREMENT: _measurement,
    NoiseLayer.MAINS: _mains,
    NoiseLayer.PINK: _pink,
    NoiseLayer.DRIFT: _drift,
    # Rounded before the layers below, as in the source: the output is not on the grid of 0.001.
    NoiseLayer.QUANTISATION: _quantisation,
    NoiseLayer.SENSOR_DRIFT: _sensor_drift,
    NoiseLayer.ALIASING: _aliasing,
    NoiseLayer.IMPULSES: _impulses,
}


def disturb(
    signal: Floats,
    sampling_rate: float,
    rng: np.random.Generator,
    layers: Collection[NoiseLayer] = ALL_LAYERS,
    scale: float = 1.0,
) -> Floats:
    """Signal under the chosen layers of noise.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
    sampling_rate : float
        Hz.
    rng : numpy.random.Generator
        Each layer draws from a child of its own, so switching one off leaves the others as they were.
    layers : collection of NoiseLayer
    scale : float
        Factor on the strength of every layer but the rounding.

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    time = np.arange(signal.size) / sampling_rate
    for (name, layer), child in zip(_LAYERS.items(), rng.spawn(len(_LAYERS)), strict=True):
        if name in layers:
            signal = layer(signal, time, scale, child)
    return signal
