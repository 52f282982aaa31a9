"""Statistical features of vibration records and the representations that models are trained on."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diagnosis.operating import NOMINAL_SPEED
from diagnosis.spectra import amplitude_spectrum, envelope, log_band_spectrum, records

Floats = NDArray[np.float64]

# Bands in Hz that the signatures live in, at nominal speed and 10 % around it; the order is the order of the features.
ENERGY_BANDS: Final = {
    "stick_slip": (1.0, 8.0),
    "whirl": (0.36 * NOMINAL_SPEED, 0.56 * NOMINAL_SPEED),
    "first_order": (0.88 * NOMINAL_SPEED, 1.12 * NOMINAL_SPEED),
    "second_order": (1.76 * NOMINAL_SPEED, 2.24 * NOMINAL_SPEED),
    "third_order": (2.64 * NOMINAL_SPEED, 3.36 * NOMINAL_SPEED),
    "cavitation": (1500.0, 2500.0),
    "high": (4000.0, np.inf),
}

feature_names: Final[tuple[str, ...]] = (
    "rms",
    "peak",
    "mean_absolute",
    "skewness",
    "kurtosis",
    "crest_factor",
    "shape_factor",
    "impulse_factor",
    "dominant_frequency",
    "spectral_centroid",
    "spectral_spread",
    "spectral_rolloff",
    "spectral_entropy",
    *(f"{band}_amplitude" for band in ENERGY_BANDS),
    "envelope_peak",
    "envelope_kurtosis",
    "envelope_crest_factor",
)

REPRESENTATIONS: Final = ("spectrum", "features", "both")


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient, 0 where the denominator is 0: a silent record has no shape to measure, and models need a number."""
    result: Floats = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0.0)
    return result


def _moments(array: Floats) -> tuple[Floats, Floats]:
    """Skewness and kurtosis (3 for Gaussian noise, Pearson's definition) along the last axis."""
    centred = array - array.mean(axis=-1, keepdims=True)
    squares = centred * centred
    variance = squares.mean(axis=-1)
    skewness = _ratio((squares * centred).mean(axis=-1), variance**1.5)
    return skewness, _ratio((squares * squares).mean(axis=-1), variance**2)


def _time_features(array: Floats) -> list[Floats]:
    """The eight features of the samples themselves."""
    rms = np.sqrt(np.mean(array * array, axis=-1))
    magnitude = np.abs(array)
    peak, mean_absolute = magnitude.max(axis=-1), magnitude.mean(axis=-1)
    return [
        rms,
        peak,
        mean_absolute,
        *_moments(array),
        _ratio(peak, rms),
        _ratio(rms, mean_absolute),
        _ratio(peak, mean_absolute),
    ]


def _spectral_features(array: Floats, sampling_rate: float) -> list[Floats]:
    """Where the power lies along the frequency axis, the mean left out."""
    frequencies, amplitudes = amplitude_spectrum(array, sampling_rate)
    frequencies, power = frequencies[1:], amplitudes[:, 1:] ** 2
    if frequencies.size == 0:
        return [np.zeros(array.shape[0])] * (5 + len(ENERGY_BANDS))
    total = power.sum(axis=-1)
    shares = _ratio(power, np.broadcast_to(total[:, None], power.shape))
    centroid = shares @ frequencies
    spread = np.sqrt(np.maximum(shares @ frequencies**2 - centroid**2, 0.0))
    rolloff = np.where(total > 0.0, frequencies[np.argmax(np.cumsum(shares, axis=-1) >= 0.85, axis=-1)], 0.0)
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0.0)
    entropy = -np.sum(shares * logarithms, axis=-1) / np.log(max(frequencies.size, 2))
    dominant = np.where(total > 0.0, frequencies[np.argmax(power, axis=-1)], 0.0)
    bands = [
        np.sqrt(power[:, (frequencies >= lower) & (frequencies <= upper)].sum(axis=-1))
        for lower, upper in ENERGY_BANDS.values()
    ]
    return [dominant, centroid, spread, rolloff, entropy, *bands]


def feature_matrix(signals: ArrayLike, sampling_rate: float) -> Floats:
    """Statistical features of records, in the order of `feature_names`.

    Parameters
    ----------
    signals : array_like of shape (n_records, n_samples) or (n_samples,)
        Evenly sampled; one record becomes a matrix of one row.
    sampling_rate : float
        Hz.

    Returns
    -------
    ndarray of shape (n_records, n_features)
        Amplitudes in the unit of the signal, frequencies in Hz, the rest without unit. Kurtosis is 3 for Gaussian
        noise. A feature that a silent record does not have is 0.

    Raises
    ------
    ValueError
        If a record is empty or holds NaN or infinity, or the rate is not positive.
    """
    array = np.atleast_2d(records(signals)).astype(np.float64)
    nyquist = sampling_rate / 2.0
    lower, upper = ENERGY_BANDS["cavitation"]
    curve = envelope(array, sampling_rate, (min(lower, 0.25 * nyquist), min(upper, nyquist)))
    _, envelope_kurtosis = _moments(curve)
    envelope_peak = curve.max(axis=-1)
    envelope_rms = np.sqrt(np.mean(curve * curve, axis=-1))
    columns = [
        *_time_features(array),
        *_spectral_features(array, sampling_rate),
        envelope_peak,
        envelope_kurtosis,
        _ratio(envelope_peak, envelope_rms),
    ]
    return np.column_stack(columns)


def represent(signals: ArrayLike, sampling_rate: float, representation: str) -> Floats:
    """Matrix that a model is trained on.

    Parameters
    ----------
    signals : array_like of shape (n_records, n_samples)
    sampling_rate : float
        Hz.
    representation : str
        ``spectrum`` (`log_band_spectrum`), ``features`` (`feature_matrix`) or ``both`` side by side.

    Returns
    -------
    ndarray of shape (n_records, n_columns)

    Raises
    ------
    ValueError
        If the representation is not known, or a record cannot be represented.
    """
    if representation not in REPRESENTATIONS:
        raise ValueError(f"No representation is called {representation!r}; known are {', '.join(REPRESENTATIONS)}.")
    array = np.atleast_2d(records(signals))
    # A few records at a time: the transforms of a whole data set at once would need many times its memory.
    blocks = [_represent_block(block, sampling_rate, representation) for block in _blocks(array)]
    return np.vstack(blocks)


def _blocks(array: Floats) -> list[Floats]:
    """Rows in blocks of about a million samples."""
    rows = max(1, 1_000_000 // array.shape[1])
    return [array[start : start + rows] for start in range(0, max(array.shape[0], 1), rows)]


def _represent_block(block: Floats, sampling_rate: float, representation: str) -> Floats:
    parts = []
    if representation != "features":
        parts.append(log_band_spectrum(block, sampling_rate))
    if representation != "spectrum":
        parts.append(feature_matrix(block, sampling_rate))
    return np.hstack(parts)
