"""Seeded generator of vibration records of a journal bearing, healthy or with one of ten faults (DOMAIN A1.5)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diagnosis.faults import HEALTHY, SEVERITY_RANGES, Fault, Severity, fault_of, severity_of
from diagnosis.noise import ALL_LAYERS, NoiseLayer, disturb
from diagnosis.operating import OperatingPoint, OperatingRange, draw_operating_point
from diagnosis.signatures import Shaft, signature

Floats = NDArray[np.float64]

SAMPLING_RATE: Final = 20_480.0  # Hz; 5 s of it are the 102,400 samples of the source's records
TRANSIENTS: Final = ("speed_ramp", "load_step", "thermal_expansion")
LONGEST_RECORD: Final = 20_000_000  # samples; beyond it somebody has mistaken a unit


@dataclass(frozen=True, slots=True)
class SignalOptions:
    """What a generated record holds besides its fault.

    Parameters
    ----------
    operating : OperatingRange
        Where speed, load and temperature are drawn from.
    noise_layers : frozenset of NoiseLayer
        Empty for a clean signal.
    noise_scale : float
        Factor on the strength of the noise; 1 is the source's.
    transient_chance, evolution_chance : float
        Part of the records, 0 to 1, with a transient and with a severity that grows along the record.
    baseline : bool
        Add the small random vibration of a healthy machine.
    sommerfeld_from_physics : bool
        Otherwise the Sommerfeld number is 0.15 ± 0.1 at random.

    Raises
    ------
    ValueError
        If a chance is outside 0 and 1 or the noise scale is negative or not finite.
    """

    operating: OperatingRange = field(default_factory=OperatingRange)
    noise_layers: frozenset[NoiseLayer] = ALL_LAYERS
    noise_scale: float = 1.0
    transient_chance: float = 0.25
    evolution_chance: float = 0.30
    baseline: bool = True
    sommerfeld_from_physics: bool = True

    def __post_init__(self) -> None:
        for name in ("transient_chance", "evolution_chance"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} lies between 0 and 1, not at {getattr(self, name)!r}.")
        if not 0.0 <= self.noise_scale < np.inf:
            raise ValueError(f"noise_scale is a finite number from 0 on, not {self.noise_scale!r}.")


CLEAN: Final = SignalOptions(noise_layers=frozenset(), transient_chance=0.0, evolution_chance=0.0, baseline=False)


@dataclass(frozen=True, eq=False)
class SignalRecord:
    """A generated record and how it came about.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), float32
        Vibration, evenly sampled.
    sampling_rate : float
        Hz.
    fault : Fault
    severity : Severity
    severity_start, severity_end : float
        Severity factor at both ends of the record; they differ where the fault grows.
    transient : str or None
        One of `TRANSIENTS`.
    operating_point : OperatingPoint
    """

    signal: NDArray[np.float32]
    sampling_rate: float
    fault: Fault
    severity: Severity
    severity_start: float
    severity_end: float
    transient: str | None
    operating_point: OperatingPoint

    def metadata(self) -> dict[str, Any]:
        """Everything but the samples, as plain values that JSON can hold."""
        return {
            "fault": self.fault.name,
            "fault_index": self.fault.index,
            "severity": self.severity.value,
            "severity_start": self.severity_start,
            "severity_end": self.severity_end,
            "transient": self.transient,
            "sampling_rate": self.sampling_rate,
            "samples": int(self.signal.size),
            **asdict(self.operating_point),
        }


def transient_modulation(kind: str | None, samples: int) -> Floats:
    """Factor along the record by which a transient changes the fault's signature.

    Parameters
    ----------
    kind : str or None
        ``speed_ramp`` (0.85 to 1.15 between 20 % and 60 % of the record), ``load_step`` (0.7 to 1.0 at 40 %),
        ``thermal_expansion`` (0.9 towards 1.1, with a third of the record as time constant: the source names it
        without figures, these are ours) or None.
    samples : int

    Raises
    ------
    ValueError
        If the kind is not known.
    """
    place = np.arange(samples) / max(samples, 1)
    if kind is None:
        return np.ones(samples)
    if kind == "speed_ramp":
        return np.interp(place, (0.2, 0.6), (0.85, 1.15))
    if kind == "load_step":
        return np.where(place < 0.4, 0.7, 1.0)
    if kind == "thermal_expansion":
        rise: Floats = 1.1 - 0.2 * np.exp(-3.0 * place)
        return rise
    raise ValueError(f"No transient is called {kind!r}; known are {', '.join(TRANSIENTS)}.")


def _severity_factor(fault: Fault, severity: Severity | str | float, rng: np.random.Generator) -> float:
    """Severity factor at the start; healthy is always nominal, a named severity is drawn from its range."""
    if fault is HEALTHY:
        return 0.0
    if isinstance(severity, str):
        return float(rng.uniform(*SEVERITY_RANGES[Severity(severity.strip().casefold())]))
    severity_of(severity)  # refuses a factor outside 0 and 1
    return float(severity)


def generate(
    fault: Fault | str | int,
    severity: Severity | str | float = Severity.MODERATE,
    *,
    sampling_rate: float = SAMPLING_RATE,
    duration: float = 1.0,
    seed: int | np.random.Generator | None = None,
    options: SignalOptions | None = None,
) -> SignalRecord:
    """One record of vibration: baseline, signature of the fault and noise.

    Parameters
    ----------
    fault : Fault, str or int
        Any spelling that `fault_of` reads.
    severity : Severity, str or float
        A named severity, from whose range the factor is drawn, or the factor itself (0 to 1). Of no effect on a healthy
        record.
    sampling_rate : float
        Hz.
    duration : float
        Seconds. The number of bursts and contacts is per record, not per second, as in the source.
    seed : int, numpy.random.Generator or None
        The same seed and arguments give the same record. A generator is advanced, so the next call differs.
    options : SignalOptions, optional
        The defaults of the source if left out.

    Returns
    -------
    SignalRecord

    Raises
    ------
    ValueError
        If fault or severity is not known, or rate and duration do not give between 1 and 20,000,000 samples.

    Examples
    --------
    >>> generate("imbalance", "severe", seed=7).signal.shape
    (20480,)
    """
    fault = fault_of(fault)
    options = options or SignalOptions()
    samples = _sample_count(sampling_rate, duration)
    # A stream for each part: switching one part off must not change the others.
    point_rng, severity_rng, transient_rng, baseline_rng, signature_rng, noise_rng = np.random.default_rng(seed).spawn(
        6
    )

    point = draw_operating_point(point_rng, options.operating, from_physics=options.sommerfeld_from_physics)
    start = _severity_factor(fault, severity, severity_rng)
    grows = fault is not HEALTHY and severity_rng.random() < options.evolution_chance
    end = min(1.0, start + 0.3) if grows else start
    transient = TRANSIENTS[transient_rng.integers(len(TRANSIENTS))]
    kind = transient if transient_rng.random() < options.transient_chance else None

    shaft = Shaft(
        time=np.arange(samples) / sampling_rate,
        sampling_rate=sampling_rate,
        point=point,
        severity=np.linspace(start, end, samples),
        modulation=transient_modulation(kind, samples),
        rng=signature_rng,
    )
    signal = signature(fault.index, shaft)
    if options.baseline:
        strength = 0.05 * baseline_rng.uniform(0.2, 0.3) * point.operating_factor
        signal = signal + strength * baseline_rng.standard_normal(samples)
    signal = disturb(signal, sampling_rate, noise_rng, options.noise_layers, options.noise_scale)
    return SignalRecord(
        signal=signal.astype(np.float32),
        sampling_rate=sampling_rate,
        fault=fault,
        severity=severity_of(start),
        severity_start=start,
        severity_end=end,
        transient=kind,
        operating_point=point,
    )


def _sample_count(sampling_rate: float, duration: float) -> int:
    """Samples of a record, refusing what no record can be."""
    if not (np.isfinite(sampling_rate) and np.isfinite(duration) and sampling_rate > 0.0 and duration > 0.0):
        raise ValueError(f"Rate and duration are positive numbers, not {sampling_rate!r} Hz and {duration!r} s.")
    samples = round(sampling_rate * duration)
    if not 1 <= samples <= LONGEST_RECORD:
        raise ValueError(
            f"{sampling_rate:g} Hz for {duration:g} s make {samples:,} samples; 1 to {LONGEST_RECORD:,} are possible."
        )
    return samples
