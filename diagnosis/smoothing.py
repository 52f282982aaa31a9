"""Time-weighted exponential moving average of a curve.

How much of the past a point keeps depends on how far back along x it lies, so curves logged at different densities are
smoothed alike. Smooth before down-sampling: the other way round the average sees only the points that were kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

VIEWPORT_SCALE: Final = 1000.0  # how many steps of decay the whole range of x is worth at most
STRONGEST: Final = 0.999
BLOCK: Final = 16  # points; the fastest of 8 to 256 for 100,000 points


def scale_for(lengths: Iterable[int]) -> float:
    """Scale for the curves of one chart: as many steps as the longest has points, at most 1000.

    With 1000 for a curve of 50 epochs, a slider at 0.6 would keep 0.6²⁰ of the past, which is nothing. With this scale
    the slider means on the longest curve of a chart what it means in an ordinary moving average, and on the others the
    same stretch of x. Give every curve of a chart the same scale and the same `x_range`.

    Parameters
    ----------
    lengths : iterable of int
        Points of each curve before down-sampling.

    Returns
    -------
    float
        1 to 1000.
    """
    return float(min(VIEWPORT_SCALE, max(1, *lengths, 1)))


def smooth(
    x: ArrayLike,
    y: ArrayLike,
    smoothing: float,
    *,
    scale: float = VIEWPORT_SCALE,
    x_range: float | None = None,
) -> Floats:
    """Time-weighted, debiased exponential moving average.

    For finite points in their order, with ``w[i] = smoothing ** (|x[i] - x[i-1]| * scale / x_range)``::

        total[i] = w[i] * total[i-1] + y[i]
        weight[i] = w[i] * weight[i-1] + 1
        smoothed[i] = total[i] / weight[i]

    Parameters
    ----------
    x : array_like of shape (n_points,)
        Steps or times; need not be evenly spaced. Where x steps back, the distance counts.
    y : array_like of shape (n_points,)
    smoothing : float
        0 (nothing) to 1; above 0.999 it counts as 0.999. (W&B takes the square root of its slider first.)
    scale : float
        Steps of decay that the whole range is worth; see `scale_for`.
    x_range : float, optional
        Range of x that `scale` refers to, by default that of the finite points. Pass the range of the whole curve when
        x is a part of it, so that zooming does not change what was smoothed.

    Returns
    -------
    ndarray of shape (n_points,), float64
        NaN and infinity stay where they are and touch no neighbour; a point whose x is not finite stays as it is.
        With smoothing 0, or all finite y equal, the values of y unchanged.

    Raises
    ------
    ValueError
        If x and y differ in length, or smoothing is outside 0 and 1, or scale or x_range is not positive.

    Notes
    -----
    After the time-weighted EMA in the documentation of Weights & Biases ("Smooth line plots").

    Examples
    --------
    >>> smooth([0, 1], [0.0, 1.0], 0.5, scale=1).round(4).tolist()
    [0.0, 0.6667]
    """
    places = np.asarray(x, dtype=np.float64).ravel()
    values = np.asarray(y, dtype=np.float64).ravel()
    if places.size != values.size:
        raise ValueError(f"{places.size} x do not fit {values.size} y.")
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError(f"smoothing lies between 0 and 1, not at {smoothing!r}.")
    if not 0.0 < scale <= 1e9 or (x_range is not None and not 0.0 < x_range < np.inf):
        raise ValueError(f"scale (to 1e9) and x_range are finite numbers above 0, not {scale!r} and {x_range!r}.")
    finite = np.isfinite(places) & np.isfinite(values)
    if finite.all():
        known_x, known_y = places, values
    else:
        known_x, known_y = places[finite], values[finite]
    if smoothing == 0.0 or known_y.size < 2:
        return values.copy()
    lowest, highest = known_y.min(), known_y.max()
    if lowest == highest:
        return values.copy()
    weights = _weights(known_x, min(smoothing, STRONGEST), scale, x_range)
    # Sums of many values must not overflow; a power of two changes no digit.
    unit = 2.0 ** max(0, int(np.frexp(max(abs(lowest), abs(highest)))[1]) - 900)
    smoothed = _average(known_y, weights) if unit == 1.0 else _average(known_y / unit, weights) * unit
    if known_y is values:
        return smoothed
    result = values.copy()
    result[finite] = smoothed
    return result


def _weights(x: Floats, smoothing: float, scale: float, x_range: float | None) -> Floats:
    """What each point keeps of the sum before it; 1 for the first and where x does not move."""
    extent = x_range if x_range is not None else float(x.max()) - float(x.min())
    if not np.isfinite(extent):
        # The distance of two finite numbers can be infinite; the ratio of distances is the same at half the size.
        return _weights(0.5 * x, smoothing, scale, None)
    weights = np.empty(x.size)
    weights[0] = 1.0
    if extent == 0.0:
        weights.fill(1.0)
        return weights
    # In place throughout: for 100,000 points, fresh arrays cost more than the arithmetic.
    exponents = weights[1:]
    with np.errstate(under="ignore", over="ignore"):
        np.subtract(x[1:], x[:-1], out=exponents)
        np.abs(exponents, out=exponents)
        exponents /= extent
        exponents *= scale * np.log(smoothing)
        np.exp(exponents, out=exponents)
    return weights


def _average(y: Floats, weights: Floats) -> Floats:
    """Debiased average by the recurrence of `smooth`."""
    with np.errstate(under="ignore"):
        steps = _blocks((y, np.ones(1)), weights)
        _accumulate(steps)
        sums = steps[:, 0]
        sums /= steps[:, 1]
    return sums.T.reshape(-1)[: y.size]


def _blocks(terms: tuple[Floats, ...], weights: Floats) -> Floats:
    """Terms and weights cut into blocks of neighbours, of shape (points of a block, n_rows + 1, n_blocks).

    Steps within a block come first, so that each step reads neighbouring memory. What is left over in the last block is
    filled with terms of 1 and weights of 0. A row of terms with one value has it throughout.
    """
    depth = min(weights.size, BLOCK)
    full, rest = divmod(weights.size, depth)
    steps = np.empty((depth, len(terms) + 1, full + bool(rest)))
    for row, values in enumerate((*terms, weights)):
        target = steps[:, row]
        if values.size == 1 and weights.size > 1:
            target.fill(values[0])
            continue
        target[:, :full] = values[: full * depth].reshape(full, depth).T
        if rest:
            target[:, full] = 0.0 if values is weights else 1.0
            target[:rest, full] = values[full * depth :]
    return steps


def _accumulate(steps: Floats) -> None:
    """Recurrence ``sum[i] = weights[i] * sum[i-1] + terms[i]`` in place, terms becoming sums.

    It first runs down all blocks at once, each from zero; then, by the same recurrence over the blocks, each gets what
    it inherits. It is the recurrence itself and no sum of logarithms, so it agrees with the plain loop to rounding,
    however small the weights become.
    """
    sums, kept = steps[:, :-1], steps[:, -1]
    for step in range(1, steps.shape[0]):
        sums[step] += kept[step] * sums[step - 1]
        kept[step] *= kept[step - 1]
    if steps.shape[2] > 1:
        ends = _blocks(tuple(sums[-1]), kept[-1])
        _accumulate(ends)
        inherited = ends[:, :-1].transpose(1, 2, 0).reshape(sums.shape[1], -1)[:, : steps.shape[2] - 1]
        for step in range(steps.shape[0]):
            sums[step, :, 1:] += kept[step, 1:] * inherited
