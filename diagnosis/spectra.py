"""Spectra of vibration: amplitude, envelope and a short logarithmic band vector that models learn from.

All transforms work along the last axis, so one record and a matrix of records go through the same functions.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BAND_COUNT: Final = 96
SPECTRUM_FLOOR: Final = 1e-5  # below the noise of any sensor here, so that the logarithm of silence stays finite


def records(signals: ArrayLike) -> Floats:
    """Signals as a float matrix that can be transformed.

    Parameters
    ----------
    signals : array_like of shape (n_samples,) or (n_records, n_samples)

    Returns
    -------
    ndarray of the same shape, float32 or float64

    Raises
    ------
    ValueError
        If there is no sample, there are more than two axes, or a value is NaN or infinite: no feature of such a record
        would mean anything.
    """
    array = np.asarray(signals)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.ndim not in (1, 2):
        raise ValueError(f"Signals have one or two axes, not {array.ndim}.")
    if array.shape[-1] == 0:
        raise ValueError("A record without samples has no spectrum and no features.")
    broken = ~np.isfinite(array).all(axis=-1)
    if broken.any():
        which = "The record" if array.ndim == 1 else f"Record {int(np.flatnonzero(broken)[0])}"
        raise ValueError(f"{which} holds NaN or infinity.")
    return array


def _positive_rate(sampling_rate: float) -> None:
    if not (np.isfinite(sampling_rate) and sampling_rate > 0.0):
        raise ValueError(f"A sampling rate is a positive number of Hz, not {sampling_rate!r}.")


def amplitude_spectrum(signals: ArrayLike, sampling_rate: float) -> tuple[Floats, Floats]:
    """One-sided amplitude spectrum under a Hann window, scaled so that a sine of amplitude A shows A.

    Parameters
    ----------
    signals : array_like of shape (n_samples,) or (n_records, n_samples)
        Evenly sampled.
    sampling_rate : float
        Hz.

    Returns
    -------
    frequencies : ndarray of shape (n_samples // 2 + 1,)
        Hz.
    amplitudes : ndarray of shape (..., n_samples // 2 + 1)
        In the unit of the signal. A line halfway between two frequencies shows 15 % (1.4 dB) less: the scalloping loss
        of the Hann window.

    Raises
    ------
    ValueError
        If the signal is empty or not finite, or the rate is not positive.

    Notes
    -----
    Scaled by the sum of the window (its coherent gain); G. Heinzel, A. Rüdiger, R. Schilling, *Spectrum and spectral
    density estimation by the DFT*, 2002, section 9.
    """
    array = records(signals)
    _positive_rate(sampling_rate)
    samples = array.shape[-1]
    # The periodic window, whose zeros fall on whole lines; the symmetric one of np.hanning leaks a little.
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(samples) / samples) if samples > 1 else np.ones(1)
    amplitudes = np.abs(np.fft.rfft(array * window.astype(array.dtype), axis=-1)) * (2.0 / window.sum())
    amplitudes[..., 0] /= 2.0  # the mean has no mirror image
    if samples % 2 == 0:
        amplitudes[..., -1] /= 2.0  # nor has the Nyquist frequency
    frequencies = np.arange(samples // 2 + 1) * (sampling_rate / samples)
    return frequencies, amplitudes.astype(np.float64)


def envelope(signals: ArrayLike, sampling_rate: float, band: tuple[float, float]) -> Floats:
    """Envelope of a band of the signal: the magnitude of its analytic signal.

    Parameters
    ----------
    signals : array_like of shape (n_samples,) or (n_records, n_samples)
    sampling_rate : float
        Hz.
    band : tuple of float
        Lower and upper limit in Hz.

    Returns
    -------
    ndarray of the signals' shape
        Not negative; a sine of amplitude A inside the band has A throughout.

    Raises
    ------
    ValueError
        If the signal is empty or not finite, the rate is not positive, or the band is upside down.
    """
    array = records(signals)
    _positive_rate(sampling_rate)
    lower, upper = band
    if not 0.0 <= lower < upper:
        raise ValueError(f"A band has a lower and a higher limit from 0 Hz on, not {band!r}.")
    samples = array.shape[-1]
    frequencies = np.fft.fftfreq(samples, 1.0 / sampling_rate)
    # Without the negative frequencies what is left is the analytic signal, filtered and shifted in one go.
    kept = (frequencies > 0.0) & (frequencies >= lower) & (frequencies <= upper)
    positive = np.zeros((*array.shape[:-1], samples), dtype=np.complex128)
    half = samples // 2 + 1
    positive[..., :half] = np.fft.rfft(array, axis=-1)
    positive *= 2.0 * kept
    result: Floats = np.abs(np.fft.ifft(positive, axis=-1))
    return result


def envelope_spectrum(
    signals: ArrayLike, sampling_rate: float, band: tuple[float, float] = (1000.0, 4000.0)
) -> tuple[Floats, Floats]:
    """Amplitude spectrum of the signal's envelope, where repeated impacts show as lines.

    Parameters
    ----------
    signals : array_like of shape (n_samples,) or (n_records, n_samples)
    sampling_rate : float
        Hz.
    band : tuple of float
        Band in Hz in which the impacts ring; the default holds the 1.5 to 2.5 kHz of cavitation.

    Returns
    -------
    frequencies : ndarray of shape (n_samples // 2 + 1,)
    amplitudes : ndarray of shape (..., n_samples // 2 + 1)
        The mean of the envelope is taken out first.

    Raises
    ------
    ValueError
        As `envelope`.
    """
    curve = envelope(signals, sampling_rate, band)
    return amplitude_spectrum(curve - curve.mean(axis=-1, keepdims=True), sampling_rate)


def band_edges(samples: int, sampling_rate: float, bands: int = BAND_COUNT) -> NDArray[np.intp]:
    """Edges of logarithmic bands as indices of spectral lines, each band at least one line wide.

    Parameters
    ----------
    samples : int
        Length of the records.
    sampling_rate : float
        Hz.
    bands : int
        Bands wanted; where lines are wider apart than bands, neighbours fall together and fewer come out.

    Returns
    -------
    ndarray of shape (n_bands + 1,)
        Rising; the mean (line 0) is left out.
    """
    _positive_rate(sampling_rate)
    lines = samples // 2 + 1
    if lines < 2:
        raise ValueError(f"A record of {samples} samples has no spectral line but its mean.")
    edges = np.unique(np.rint(np.geomspace(1, lines, bands + 1)).astype(np.intp))
    return edges if edges.size > 1 else np.array([1, lines], dtype=np.intp)


def log_band_spectrum(signals: ArrayLike, sampling_rate: float, bands: int = BAND_COUNT) -> Floats:
    """Logarithm of the amplitude in logarithmic bands: a short vector that models learn from.

    Parameters
    ----------
    signals : array_like of shape (n_samples,) or (n_records, n_samples)
    sampling_rate : float
        Hz.
    bands : int
        Bands wanted, see `band_edges`.

    Returns
    -------
    ndarray of shape (..., n_bands)
        Decades of root-sum-square amplitude, never below -5.

    Raises
    ------
    ValueError
        If a record is not finite or too short to have a spectral line.
    """
    array = records(signals)
    edges = band_edges(array.shape[-1], sampling_rate, bands)
    _, amplitudes = amplitude_spectrum(array, sampling_rate)
    power = np.add.reduceat(amplitudes**2, edges[:-1], axis=-1)
    result: Floats = np.log10(np.sqrt(power) + SPECTRUM_FLOOR)
    return result
