"""Mean curve and spread over the runs of one configuration with different seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spread:
    """Statistics over runs at each x; every array is of shape (n_x,).

    Parameters
    ----------
    x : ndarray
        Rising, each value once.
    mean, minimum, maximum : ndarray
        NaN where no run has a value.
    std : ndarray
        Sample standard deviation (n - 1); NaN where fewer than two runs have a value, since one run has no spread.
    n : ndarray of int64
        Runs that count at this x.
    """

    x: Floats
    mean: Floats
    std: Floats
    minimum: Floats
    maximum: Floats
    n: NDArray[np.int64]


def mean_and_spread(runs: Sequence[tuple[ArrayLike, ArrayLike]]) -> Spread:
    """Mean, spread and number of runs on the grid of all x that occur.

    Between two of its own points a run counts with the line that a chart would draw there; before its first and after
    its last point it does not count, so a run that ended early lowers `n` and bends no mean.

    Parameters
    ----------
    runs : sequence of (x, y)
        Curves of one configuration. A point with a NaN or infinity does not count, nor do the lines at its sides; of
        several points at one x the last counts.

    Returns
    -------
    Spread

    Raises
    ------
    ValueError
        If x and y of a run differ in length.
    """
    curves = [_sorted_run(x, y) for x, y in runs]
    grid: Floats = np.unique(np.concatenate([x for x, _ in curves])) if curves else np.empty(0)
    table = np.full((len(curves), grid.size), np.nan)
    for row, (x, y) in zip(table, curves, strict=True):
        if x.size == grid.size:
            row[:] = y
        elif x.size:
            row[:] = np.interp(grid, x, y, left=np.nan, right=np.nan)
            row[np.searchsorted(grid, x)] = y  # np.interp carries a NaN to the neighbours of its point
    counted = ~np.isnan(table)
    n = counted.sum(axis=0)
    with np.errstate(over="ignore"):  # beyond 1e154 a deviation is infinite, and shown as such
        mean = _over(np.where(counted, table, 0.0).sum(axis=0), n)
        squares = (np.where(counted, table - mean, 0.0) ** 2).sum(axis=0)
    return Spread(
        x=grid,
        mean=mean,
        std=np.sqrt(_over(squares, n - 1)),
        minimum=np.where(n > 0, np.where(counted, table, np.inf).min(axis=0, initial=np.inf), np.nan),
        maximum=np.where(n > 0, np.where(counted, table, -np.inf).max(axis=0, initial=-np.inf), np.nan),
        n=n,
    )


def _over(numerator: Floats, count: NDArray[np.int64]) -> Floats:
    """Quotient, NaN where nothing counts."""
    result: Floats = np.divide(numerator, count, out=np.full_like(numerator, np.nan), where=count > 0)
    return result


def _sorted_run(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """A run by rising x, each x once, infinite y as NaN."""
    places = np.asarray(x, dtype=np.float64).ravel()
    values = np.array(y, dtype=np.float64).ravel()
    if places.size != values.size:
        raise ValueError(f"{places.size} x do not fit {values.size} y.")
    known = np.isfinite(places)
    places, values = places[known], values[known]
    values[~np.isfinite(values)] = np.nan
    order = np.argsort(places, kind="stable")
    places, values = places[order], values[order]
    last = np.append(places[1:] != places[:-1], True)[: places.size]
    return places[last], values[last]
