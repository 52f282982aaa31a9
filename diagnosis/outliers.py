"""Which values of a curve are far outliers: spikes that squeeze the rest of the picture, not where a curve begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

FAR: Final = 3.0  # times the range between the quartiles, Tukey's outer fence
FEWEST: Final = 8  # of fewer values quartiles say nothing
LONGEST: Final = 0.05  # of all values: what lasts longer is a part of the course
FALL: Final = 20.0  # how many times what follows a curve may fall, or rise, at once where it begins
LEAP: Final = 3.0  # the same where it does not come from further off already


def core_range(y: ArrayLike) -> tuple[float, float] | None:
    """Range of a curve without its far outliers.

    Parameters
    ----------
    y : array_like of shape (n_points,)
        In the order in which they came.

    Returns
    -------
    tuple of float, or None
        Lowest and highest of the values that are no far outliers; None if none is one, if there are fewer than 8 finite
        values, or if the middle half of them is one value, which tells nothing about what is far.

    Notes
    -----
    A far outlier lies beyond Tukey's outer fences (J. W. Tukey, *Exploratory Data Analysis*, 1977). The fences alone
    would take the beginning of every healthy curve, which falls from far above its plateau. So what lies beyond a fence
    counts only if it is short and, at either end of the curve, if it is reached by a leap: there the values are walked
    from the plateau outwards, and each that is not much further off than all before it belongs to the curve.
    """
    values = np.asarray(y, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    if values.size < FEWEST:
        return None
    # Halved, because the distance of two finite numbers can be infinite.
    half = 0.5 * values
    first, third = (float(limit) for limit in np.percentile(half, (25, 75)))
    if not first < third:
        return None
    reach = FAR * (third - first)
    far = _far(half, half > third + reach) | _far(-half, half < first - reach)
    if not far.any():
        return None
    kept = values[~far]
    low, high = float(kept.min()), float(kept.max())
    return None if low <= values.min() and high >= values.max() else (low, high)


def _far(y: Floats, beyond: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the values above the fence are outliers; `y` is turned over for the other fence."""
    far = np.zeros(y.size, dtype=np.bool_)
    longest = max(1, int(LONGEST * y.size))
    low, high = float(y[~beyond].min()), float(y[~beyond].max())
    for start, end in _runs(beyond):
        if start == 0:
            far[:end] = ~_walked(y[:end][::-1], low, high)[::-1]
            high = max(high, float(y[:end][~far[:end]].max(initial=high)))
    for start, end in _runs(beyond):
        if start == 0:
            continue
        if end == y.size:
            far[start:end] = ~_walked(y[start:end], low, high, falls=False)
        else:
            far[start:end] = end - start <= longest
    return far


def _runs(beyond: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Beginning and end of each run of values that follow one another beyond the fence."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], beyond, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _walked(y: Floats, low: float, high: float, *, falls: bool = True) -> NDArray[np.bool_]:
    """Which values belong to the curve, walked from its plateau (`low` to `high`) outwards.

    Where it `falls` from values as high further out it may come a long way at once; a value that stands out from both
    its sides may not.
    """
    beyond = np.concatenate((np.maximum.accumulate(y[::-1])[::-1][1:], [np.inf if falls else -np.inf]))
    allowed = np.where(falls & (beyond >= y), FALL, LEAP)
    before = np.concatenate(([high], np.maximum(np.maximum.accumulate(y)[:-1], high)))
    with np.errstate(over="ignore"):
        kept = y - before <= allowed * (before - low)
    if kept.all():
        return kept
    top = high
    for place, value in enumerate(y.tolist()):
        kept[place] = value - top <= float(allowed[place]) * (top - low)
        if kept[place]:
            top = max(top, value)
    return kept
