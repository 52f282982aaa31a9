"""Fewer points for the same picture: which points of a long curve to draw, and which part of it is in view."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tsdownsample import LTTBDownsampler, MinMaxDownsampler

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_MIN_MAX: Final = MinMaxDownsampler()  # type: ignore[no-untyped-call]
_LTTB: Final = LTTBDownsampler()  # type: ignore[no-untyped-call]
FEWEST_POINTS: Final = 4  # first, last, lowest, highest


def downsample(x: ArrayLike, y: ArrayLike, max_points: int, *, log_x: bool = False, even: bool = False) -> Indices:
    """Indices of the points that draw a curve: its spikes and, by MinMaxLTTB, its shape.

    Parameters
    ----------
    x, y : array_like of shape (n_points,)
        Not necessarily sorted by x.
    max_points : int
        How many to keep, at least 4.
    log_x : bool
        Buckets even in log x, for a logarithmic axis. Points with x ≤ 0 have no place on it and are left out.
    even : bool
        Said of finite x that rises by the same from point to point: the stretches are then told by counting.

    Returns
    -------
    ndarray of shape (n_kept,), intp
        Rising, n_kept ≤ max_points. All finite points if they are few enough; otherwise the first, the last, the lowest
        and the highest of them; in each of ``max_points // 8`` even stretches of the axis the lowest, the highest and
        the two that stand out most from their neighbours; and the points that MinMaxLTTB finds to carry the shape.
        Points with a NaN or infinity are never here: see `nonfinite_indices`.

    Raises
    ------
    ValueError
        If x and y differ in length or fewer than 4 points are wanted.

    Notes
    -----
    J. Van Der Donckt et al., *MinMaxLTTB: leveraging MinMax-preselection to scale LTTB*, 2023, arXiv:2305.00332.
    """
    places = np.asarray(x, dtype=np.float64).ravel()
    values = np.asarray(y, dtype=np.float64).ravel()
    if places.size != values.size:
        raise ValueError(f"{places.size} x do not fit {values.size} y.")
    if max_points < FEWEST_POINTS:
        raise ValueError(f"max_points is at least {FEWEST_POINTS}, not {max_points!r}.")
    if even and not log_x and np.isfinite((values.min(initial=0.0), values.max(initial=0.0))).all():
        return _kept(None, values, max_points, log_x)
    if _is_plain(places, values, log_x):
        return _kept(places, values, max_points, log_x)
    drawable = np.isfinite(values) & np.isfinite(places)
    if log_x:
        drawable &= places > 0.0
    known = np.flatnonzero(drawable)
    places = places[known]
    # A resumed run steps back; the buckets need x in order, the answer is in the order of the input.
    order = np.argsort(places, kind="stable")
    return np.sort(known[order[_kept(places[order], values[known[order]], max_points, log_x)]])


def _is_plain(x: Floats, y: Floats, log_x: bool) -> bool:
    """Whether all points are finite and x rises, seen without a mask of all of them."""
    if not x.size:
        return True
    ends = x[0], x[-1], y.min(), y.max()  # a NaN anywhere is the lowest value; in x it makes a comparison false
    return bool(np.isfinite(ends).all() and (x[0] > 0.0 or not log_x) and (x[1:] >= x[:-1]).all())


def _kept(x: Floats | None, y: Floats, max_points: int, log_x: bool) -> Indices:
    """As `downsample`, for finite points with rising x; None where it rises evenly."""
    if y.size <= max_points:
        return np.arange(y.size)
    lowest, highest = int(y.argmin()), int(y.argmax())
    ends = np.array([0, y.size - 1, lowest, highest], dtype=np.intp)
    y = _scaled(y, float(y[lowest]), float(y[highest]))
    buckets = max_points // 8
    if buckets < 2:
        return np.unique(np.concatenate((ends, _shape(y, max_points - 2))))
    place = None if x is None else _place(x, buckets, log_x)
    extremes = _lowest_and_highest(place, y, buckets)
    # On a steep stretch a spike is neither lowest nor highest, but it is far from the line between its neighbours.
    standing_out = np.zeros_like(y)
    inner = standing_out[1:-1]
    np.add(y[:-2], y[2:], out=inner)
    inner *= -0.5
    inner += y[1:-1]
    spikes = _lowest_and_highest(place, standing_out, buckets)
    # LTTB keeps one point a bucket and would lose the smaller of two spikes, so it gets the places that are left.
    if place is not None:
        place *= 8.0
    candidates = _lowest_and_highest(place, y, 8 * buckets)
    shape = candidates[_shape(y[candidates], max_points - extremes.size - spikes.size - ends.size + 2)]
    return np.unique(np.concatenate((ends, extremes, spikes, shape)))


def _shape(y: Floats, points: int) -> Indices:
    """Indices that LTTB picks, the first and last among them; none if so few are wanted that it cannot."""
    if y.size <= points:
        return np.arange(y.size)
    if points < 3:
        return np.arange(0)
    return np.asarray(_LTTB.downsample(y, n_out=points)).astype(np.intp)


def _place(x: Floats, buckets: int, log_x: bool) -> Floats:
    """Rising x moved to 0 … buckets, both exactly; evenly by rank where x does not move.

    With the borders of the buckets at whole numbers nothing is rounded. Otherwise tsdownsample 0.1.5 may place the last
    border behind the last x by rounding, read past the end and panic, which no `except Exception` holds.
    """
    # Halved before they are subtracted, because the distance of two finite numbers can be infinite.
    place = np.log(x) if log_x else 0.5 * x
    place -= place[0]
    if not place[-1] > 0.0:
        place = np.arange(x.size, dtype=np.float64)
    place /= float(place[-1])
    place *= buckets
    return place


def _lowest_and_highest(place: Floats | None, y: Floats, buckets: int) -> Indices:
    """Indices of the lowest and highest y between each whole number and the next; without places, of as many each."""
    along = (y,) if place is None else (place, y)
    return np.asarray(_MIN_MAX.downsample(*along, n_out=2 * buckets)).astype(np.intp)


def _scaled(values: Floats, low: float, high: float) -> Floats:
    """Values as they are, or moved into 0 to 1 where a difference would overflow or a triangle's area vanish."""
    half = 0.5 * high - 0.5 * low
    if half == 0.0 or 1e-100 < half < 1e100:
        return values
    return (0.5 * values - 0.5 * low) / half


def nonfinite_indices(y: ArrayLike, max_points: int) -> Indices:
    """Indices of NaN and infinite values, so that a chart marks them instead of hiding them.

    Parameters
    ----------
    y : array_like of shape (n_points,)
    max_points : int
        At most so many; beyond it an even choice with the first and the last of them.

    Returns
    -------
    ndarray of shape (n_marked,), intp
        Rising.

    Raises
    ------
    ValueError
        If max_points is less than 1.
    """
    if max_points < 1:
        raise ValueError(f"max_points is at least 1, not {max_points!r}.")
    values = np.asarray(y, dtype=np.float64).ravel()
    if np.isfinite((values.min(initial=0.0), values.max(initial=0.0))).all():  # seen without a mask of all of them
        return np.arange(0)
    found = np.flatnonzero(~np.isfinite(values))
    if found.size <= max_points:
        return found
    return found[np.linspace(0, found.size - 1, max_points).astype(np.intp)]


def window(x: ArrayLike, low: float, high: float) -> slice:
    """Part of a curve between two x, with one neighbour at each side so that lines run out of the picture.

    Parameters
    ----------
    x : array_like of shape (n_points,)
        Rising; NaN only at the end.
    low, high : float
        Limits, both included, in either order (a reversed axis has them so).

    Returns
    -------
    slice
        Empty only if x is.

    Raises
    ------
    ValueError
        If a limit is NaN.
    """
    places = np.asarray(x).ravel()
    if np.isnan(low) or np.isnan(high):
        raise ValueError("The limits of a window are numbers.")
    low, high = min(low, high), max(low, high)
    first = int(np.searchsorted(places, low, side="left"))
    beyond = int(np.searchsorted(places, high, side="right"))
    return slice(max(first - 1, 0), min(beyond + 1, places.size))
