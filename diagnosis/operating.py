"""Operating point of a journal bearing: Sommerfeld number and the factors that follow (DOMAIN A1.5)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

NOMINAL_SPEED: Final = 60.0  # Hz, that is 3600 rpm
NOMINAL_TEMPERATURE: Final = 60.0  # °C
NOMINAL_SOMMERFELD: Final = 0.15


@dataclass(frozen=True, slots=True)
class OperatingRange:
    """From where the operating points of records are drawn, each quantity evenly.

    Parameters
    ----------
    speed_variation : float
        Largest relative departure from 60 Hz, 0 to 0.2.
    load : tuple of float
        Lowest and highest load as a part of the rated load, within 0 and 1.
    temperature : tuple of float
        Lowest and highest oil temperature in °C, within 20 and 100.

    Raises
    ------
    ValueError
        If a limit lies outside the ranges above or a pair is upside down.
    """

    speed_variation: float = 0.10
    load: tuple[float, float] = (0.30, 1.00)
    temperature: tuple[float, float] = (40.0, 80.0)

    def __post_init__(self) -> None:
        if not 0.0 <= self.speed_variation <= 0.2:
            raise ValueError(f"The speed variation lies between 0 and 0.2, not at {self.speed_variation!r}.")
        if not 0.0 <= self.load[0] <= self.load[1] <= 1.0:
            raise ValueError(f"The load range lies within 0 and 1, lower limit first, not at {self.load!r}.")
        if not 20.0 <= self.temperature[0] <= self.temperature[1] <= 100.0:
            raise ValueError(
                f"The temperature range lies within 20 and 100 °C, lower limit first, not at {self.temperature!r}."
            )


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """State of the machine during one record.

    Parameters
    ----------
    speed : float
        Shaft speed in Hz (1X).
    load : float
        Load as a part of the rated load, 0 to 1.
    temperature : float
        Oil temperature in °C.
    sommerfeld : float
        Sommerfeld number without unit, 0.05 to 0.5.
    reynolds, clearance_ratio : float
        Recorded only; no formula uses them.
    """

    speed: float
    load: float
    temperature: float
    sommerfeld: float
    reynolds: float
    clearance_ratio: float

    @property
    def relative_speed(self) -> float:
        """Speed over nominal speed."""
        return self.speed / NOMINAL_SPEED

    @property
    def load_factor(self) -> float:
        """0.3 without load, 1 at rated load."""
        return load_factor(self.load)

    @property
    def temperature_factor(self) -> float:
        """0.9 at 40 °C, 1.1 at 80 °C, on that line beyond."""
        return 1.0 + 0.1 * (self.temperature - NOMINAL_TEMPERATURE) / 20.0

    @property
    def operating_factor(self) -> float:
        """Product of load and temperature factor."""
        return self.load_factor * self.temperature_factor

    @property
    def physics_factor(self) -> float:
        """Square root of the Sommerfeld number over its nominal value."""
        return math.sqrt(self.sommerfeld / NOMINAL_SOMMERFELD)


def load_factor(load: float) -> float:
    """0.3 + 0.7 load, for a load of 0 to 1."""
    return 0.3 + 0.7 * load


def sommerfeld_number(speed: float, load: float, temperature: float) -> float:
    """Sommerfeld number of the oil film; oil thins with heat, so it falls with temperature.

    Parameters
    ----------
    speed : float
        Shaft speed in Hz.
    load : float
        Load as a part of the rated load, 0 to 1.
    temperature : float
        Oil temperature in °C.

    Returns
    -------
    float
        Without unit, kept within 0.05 and 0.5.
    """
    viscosity = math.exp(-0.03 * (temperature - NOMINAL_TEMPERATURE))
    number = NOMINAL_SOMMERFELD * viscosity * (speed / NOMINAL_SPEED) / load_factor(load)
    return min(max(number, 0.05), 0.5)


def draw_operating_point(
    rng: np.random.Generator, allowed: OperatingRange, *, from_physics: bool = True
) -> OperatingPoint:
    """Operating point drawn evenly from the allowed range.

    Parameters
    ----------
    rng : numpy.random.Generator
    allowed : OperatingRange
    from_physics : bool
        Compute the Sommerfeld number from the point; otherwise it is 0.15 ± 0.1 at random.
    """
    speed = NOMINAL_SPEED * (1.0 + float(rng.uniform(-allowed.speed_variation, allowed.speed_variation)))
    load = float(rng.uniform(*allowed.load))
    temperature = float(rng.uniform(*allowed.temperature))
    # Drawn in any case, so that the switch changes this number and none after it.
    at_random = float(rng.uniform(NOMINAL_SOMMERFELD - 0.1, NOMINAL_SOMMERFELD + 0.1))
    return OperatingPoint(
        speed=speed,
        load=load,
        temperature=temperature,
        sommerfeld=sommerfeld_number(speed, load, temperature) if from_physics else at_random,
        reynolds=float(rng.uniform(500.0, 5000.0)),
        clearance_ratio=float(rng.uniform(0.001, 0.003)),
    )
