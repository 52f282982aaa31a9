"""What each fault adds to the vibration of a journal bearing (DOMAIN A1.5), before noise.

Let X be the shaft speed. A signature is a sum of lines at multiples of X, of lines below X and of short events. It is
multiplied by the severity curve and the transient modulation; events, whose height already carries the severity, only
by the modulation. Mixed faults are multiplied by the mean severity as well, so they fall with its square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diagnosis.operating import OperatingPoint

Floats = NDArray[np.float64]

BURST_BAND: Final = (1500.0, 2500.0)  # Hz, where collapsing vapour bubbles ring
BURST_SECONDS: Final = 0.008
WHIRL_BAND: Final = (0.42, 0.48)  # of X: the oil film travels at a little under half the shaft speed
CLEARANCE_BAND: Final = (0.43, 0.48)  # of X
STICK_SLIP_BAND: Final = (2.0, 5.0)  # Hz


@dataclass(frozen=True)
class Shaft:
    """What a signature is computed from.

    Parameters
    ----------
    time : ndarray of shape (n_samples,)
        Seconds since the start of the record, evenly spaced.
    sampling_rate : float
        Hz.
    point : OperatingPoint
    severity : ndarray of shape (n_samples,)
        Severity factor along the record.
    modulation : ndarray of shape (n_samples,)
        Transient modulation along the record, 1 where nothing happens.
    rng : numpy.random.Generator
    """

    time: Floats
    sampling_rate: float
    point: OperatingPoint
    severity: Floats
    modulation: Floats
    rng: np.random.Generator

    @property
    def mean_severity(self) -> float:
        """Mean of the severity curve."""
        return float(self.severity.mean())

    def line(self, frequency: float) -> Floats:
        """Sine of amplitude 1 at a frequency in Hz, in random phase."""
        phase = self.rng.uniform(0.0, 2.0 * np.pi)
        wave: Floats = np.sin(2.0 * np.pi * frequency * self.time + phase)
        return wave

    def harmonic(self, order: float) -> Floats:
        """Sine of amplitude 1 at a multiple of the shaft speed."""
        return self.line(order * self.point.speed)

    def between(self, band: tuple[float, float]) -> float:
        """A value drawn evenly from a band."""
        return float(self.rng.uniform(*band))

    def grown(self, wave: Floats) -> Floats:
        """A wave under the severity curve and the transient modulation."""
        result: Floats = wave * self.severity * self.modulation
        return result

    def noise(self) -> Floats:
        """White noise of standard deviation 1."""
        return self.rng.standard_normal(self.time.size)

    def events(self, shape: Callable[[], Floats], count: int) -> Floats:
        """Short events at random places; one that reaches past the end is cut there."""
        wave = np.zeros_like(self.time)
        for start in self.rng.integers(0, wave.size, size=count):
            event = shape()
            wave[start : start + event.size] += event[: wave.size - start]
        return wave

    def contacts(self, count: int, samples: int, amplitude: float) -> Floats:
        """Metal touching metal through the oil film: one-sided pulses that decay by exp(-0.4) a sample."""
        decay = np.exp(-0.4 * np.arange(samples))
        return self.events(lambda: amplitude * self.rng.choice((-1.0, 1.0)) * decay, count)

    def bursts(self, count: int, amplitude: float) -> Floats:
        """Collapsing bubbles: 8 ms of ringing at 1.5 to 2.5 kHz that decays with exp(-100 t) under a Hann window."""
        samples = max(2, round(BURST_SECONDS * self.sampling_rate))
        time = np.arange(samples) / self.sampling_rate
        envelope = amplitude * np.exp(-100.0 * time) * np.hanning(samples)

        def burst() -> Floats:
            phase = self.rng.uniform(0.0, 2.0 * np.pi)
            wave: Floats = envelope * np.sin(2.0 * np.pi * self.between(BURST_BAND) * time + phase)
            return wave

        return self.events(burst, count)


def _healthy(shaft: Shaft) -> Floats:
    return np.zeros_like(shaft.time)


def _misalignment(shaft: Shaft) -> Floats:
    return shaft.grown(0.35 * shaft.harmonic(2) + 0.20 * shaft.harmonic(3))


def _imbalance(shaft: Shaft) -> Floats:
    # The centrifugal force grows with the square of the speed.
    return shaft.grown(0.5 * shaft.point.load_factor * shaft.point.relative_speed**2 * shaft.harmonic(1))


def _clearance(shaft: Shaft) -> Floats:
    below = shaft.harmonic(shaft.between(CLEARANCE_BAND))
    return shaft.grown(
        0.25 * shaft.point.temperature_factor * below + 0.18 * shaft.harmonic(1) + 0.10 * shaft.harmonic(2)
    )


def _stick_slip(shaft: Shaft, amplitude: float) -> Floats:
    # A thin film (small Sommerfeld number) lets the surfaces stick.
    height = amplitude * shaft.point.temperature_factor * 0.3 / shaft.point.sommerfeld
    wave: Floats = height * shaft.line(shaft.between(STICK_SLIP_BAND))
    return wave


def _lubrication(shaft: Shaft) -> Floats:
    severity = shaft.mean_severity
    contacts = shaft.contacts(int(1 + 3 * severity), 20, 0.5 * severity)
    return shaft.grown(_stick_slip(shaft, 0.30)) + contacts * shaft.modulation


def _cavitation(shaft: Shaft) -> Floats:
    severity = shaft.mean_severity
    return shaft.bursts(int(2 + 5 * severity), 0.6 * severity) * shaft.modulation


def _wear(shaft: Shaft) -> Floats:
    roughness = 0.25 * shaft.point.operating_factor * shaft.point.physics_factor * shaft.noise()
    modulation = 1.0 + 0.3 * shaft.line(shaft.between((0.5, 2.0)))
    return shaft.grown((roughness + 0.12 * shaft.harmonic(1) + 0.06 * shaft.harmonic(2)) * modulation)


def _oil_whirl(shaft: Shaft) -> Floats:
    order = shaft.between(WHIRL_BAND)
    modulation = 1.0 + 0.2 * shaft.harmonic(order / 2.0)
    return shaft.grown(0.40 / np.sqrt(shaft.point.sommerfeld) * shaft.harmonic(order) * modulation)


def _misalignment_and_imbalance(shaft: Shaft) -> Floats:
    wave = 0.25 * shaft.harmonic(2) + 0.15 * shaft.harmonic(3) + 0.35 * shaft.point.load_factor * shaft.harmonic(1)
    return shaft.grown(wave) * shaft.mean_severity


def _wear_and_lubrication(shaft: Shaft) -> Floats:
    severity = shaft.mean_severity
    wear = 0.18 * shaft.noise() + 0.08 * shaft.harmonic(1) + 0.04 * shaft.harmonic(2)
    # The source gives the number and length of these contacts, not their height; 0.3 keeps them below a single fault's.
    contacts = shaft.contacts(int(2 + 3 * severity), 10, 0.3)
    return shaft.grown(wear + _stick_slip(shaft, 0.20) + contacts) * severity


def _cavitation_and_clearance(shaft: Shaft) -> Floats:
    severity = shaft.mean_severity
    below = shaft.harmonic(shaft.between(CLEARANCE_BAND))
    clearance = 0.22 * shaft.point.temperature_factor * below + 0.15 * shaft.harmonic(1)
    return shaft.grown(clearance + shaft.bursts(int(3 + 4 * severity), 0.5)) * severity


_SIGNATURES: Final[tuple[Callable[[Shaft], Floats], ...]] = (
    _healthy,
    _misalignment,
    _imbalance,
    _clearance,
    _lubrication,
    _cavitation,
    _wear,
    _oil_whirl,
    _misalignment_and_imbalance,
    _wear_and_lubrication,
    _cavitation_and_clearance,
)


def signature(fault_index: int, shaft: Shaft) -> Floats:
    """Vibration that a fault adds, without baseline and noise.

    Parameters
    ----------
    fault_index : int
        Index of the class in `diagnosis.faults.FAULTS`.
    shaft : Shaft

    Returns
    -------
    ndarray of shape (n_samples,)
        In the unit of the sensor (g, as in the source).
    """
    return _SIGNATURES[fault_index](shaft)
