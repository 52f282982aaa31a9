"""Dividing records into training, validation and test part, and scaling them by the training part alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Split(NamedTuple):
    """Row numbers of the three parts, each rising; together they are all rows, none twice."""

    train: Indices
    val: Indices
    test: Indices


def stratified_split(labels: ArrayLike, seed: int, fractions: tuple[float, float, float] = (0.70, 0.15, 0.15)) -> Split:
    """Random division in which each class has the same share in every part, as near as whole records allow.

    Parameters
    ----------
    labels : array_like of shape (n_records,)
    seed : int
    fractions : tuple of float
        Shares of training, validation and test part, adding up to 1.

    Returns
    -------
    Split
        A class with a single record is in the training part.

    Raises
    ------
    ValueError
        If the fractions are negative or do not add up to 1, or training gets nothing.

    Examples
    --------
    >>> [part.size for part in stratified_split([0] * 20 + [1] * 20, seed=1)]
    [28, 6, 6]
    """
    # Said as what must hold, because NaN fails every comparison.
    if not (min(fractions) >= 0.0 and abs(sum(fractions) - 1.0) <= 1e-9 and fractions[0] > 0.0):
        raise ValueError(
            f"The shares are not negative, the first is positive and they add up to 1, unlike {fractions!r}."
        )
    rng = np.random.default_rng(seed)
    classes = np.asarray(labels).ravel()
    parts: tuple[list[Indices], list[Indices], list[Indices]] = ([], [], [])
    for label in np.unique(classes):
        rows = rng.permutation(np.flatnonzero(classes == label))
        ends = np.cumsum(_whole_shares(rows.size, fractions))
        for part, chosen in zip(parts, np.split(rows, ends[:2]), strict=True):
            part.append(chosen)
    return Split(*(np.sort(np.concatenate(part)) if part else np.array([], dtype=np.intp) for part in parts))


def _whole_shares(count: int, fractions: tuple[float, float, float]) -> NDArray[np.intp]:
    """Whole numbers near the shares that add up to the count, by largest remainder, ties to the earlier part."""
    exact = count * np.asarray(fractions)
    shares = np.floor(exact + 1e-9).astype(np.intp)
    order = np.argsort(-(exact - shares), kind="stable")
    shares[order[: count - int(shares.sum())]] += 1
    return shares


@dataclass(frozen=True, eq=False)
class Standardiser:
    """Scaling to mean 0 and standard deviation 1 of the data it was fitted on.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_columns,)
        A column without spread has scale 1, so that it becomes 0 and not NaN.
    """

    mean: Floats
    scale: Floats

    @classmethod
    def fit(cls, x_train: ArrayLike) -> Standardiser:
        """Scaling of a training part of shape (n_records, n_columns)."""
        matrix = np.asarray(x_train, dtype=np.float64)
        mean, spread = matrix.mean(axis=0), matrix.std(axis=0)
        # Compared to the mean, because rounding leaves a constant column a spread of about 1e-16 of it.
        flat = spread <= 1e-12 * np.maximum(np.abs(mean), 1e-300)
        return cls(mean=mean, scale=np.where(flat, 1.0, spread))

    def transform(self, x: ArrayLike) -> Floats:
        """Scaled copy of a matrix of shape (n_records, n_columns)."""
        scaled: Floats = (np.asarray(x, dtype=np.float64) - self.mean) / self.scale
        return scaled


def standardise(x_train: ArrayLike, *others: ArrayLike) -> tuple[Floats, ...]:
    """Training part and others, all scaled by the training part, so that nothing of the others leaks into it.

    Parameters
    ----------
    x_train, *others : array_like of shape (n_records, n_columns)

    Returns
    -------
    tuple of ndarray
        In the order given.
    """
    scaling = Standardiser.fit(x_train)
    return tuple(scaling.transform(x) for x in (x_train, *others))
