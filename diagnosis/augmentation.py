"""Variations of a record that keep its class: shift in time, scale and added noise (DOMAIN A1.5)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

METHODS: Final = ("time_shift", "amplitude_scale", "noise_injection")


def augment(
    signal: NDArray[np.float32], seed: int | np.random.Generator | None, methods: tuple[str, ...] = METHODS
) -> NDArray[np.float32]:
    """Record with the chosen variations applied in the order given.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
    seed : int, numpy.random.Generator or None
    methods : tuple of str
        Out of ``time_shift`` (by up to 2 % of the record, around its end), ``amplitude_scale`` (0.85 to 1.15) and
        ``noise_injection`` (standard deviation 0.02 to 0.05).

    Returns
    -------
    ndarray of shape (n_samples,), float32
        A new array; the input stays as it is.

    Raises
    ------
    ValueError
        If a method is not known.
    """
    rng = np.random.default_rng(seed)
    varied = np.array(signal, dtype=np.float32)
    for method in methods:
        if method == "time_shift":
            most = int(0.02 * varied.size)
            varied = np.roll(varied, int(rng.integers(-most, most + 1)))
        elif method == "amplitude_scale":
            varied = varied * np.float32(rng.uniform(0.85, 1.15))
        elif method == "noise_injection":
            strength = np.float32(rng.uniform(0.02, 0.05))
            varied = varied + strength * rng.standard_normal(varied.size, dtype=np.float32)
        else:
            raise ValueError(f"No augmentation is called {method!r}; known are {', '.join(METHODS)}.")
    return varied
