"""Scores per class from a confusion matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Scores of a confusion matrix; NaN where a score is 0/0.

    Parameters
    ----------
    precision : ndarray of shape (n_classes,)
        Right ones among those predicted; NaN for a class that was never predicted.
    recall : ndarray of shape (n_classes,)
        Right ones among those there are; NaN for a class without records.
    f1 : ndarray of shape (n_classes,)
        Harmonic mean of both; 0 for a class that is there and never found, NaN for one neither there nor predicted.
    support : ndarray of shape (n_classes,)
        Records of each class.
    accuracy : float
        Right ones among all; NaN without records.
    macro_f1 : float
        Mean f1 over the classes that have one; NaN if none has.
    """

    precision: Floats
    recall: Floats
    f1: Floats
    support: NDArray[np.int64]
    accuracy: float
    macro_f1: float


def confusion_matrix(true: ArrayLike, predicted: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Count of records by true class (rows) and predicted class (columns).

    Parameters
    ----------
    true, predicted : array_like of shape (n_records,)
        Labels from 0 to ``n_classes - 1``.
    n_classes : int

    Raises
    ------
    ValueError
        If the lengths differ or a label is out of range.
    """
    rows, columns = np.asarray(true, dtype=np.int64).ravel(), np.asarray(predicted, dtype=np.int64).ravel()
    if rows.size != columns.size:
        raise ValueError(f"{rows.size} true labels do not fit {columns.size} predictions.")
    for labels in (rows, columns):
        if labels.size and not 0 <= labels.min() <= labels.max() < n_classes:
            raise ValueError(f"Labels go from 0 to {n_classes - 1}, not to {labels.min()} or {labels.max()}.")
    return np.bincount(rows * n_classes + columns, minlength=n_classes * n_classes).reshape(n_classes, n_classes)


def class_scores(confusion: ArrayLike) -> ClassScores:
    """Precision, recall, f1 and support of each class, with the accuracy and macro f1 of all.

    Parameters
    ----------
    confusion : array_like of shape (n_classes, n_classes)
        Counts, rows are the true classes.

    Raises
    ------
    ValueError
        If the matrix is not square or holds a negative count.
    """
    matrix = np.asarray(confusion, dtype=np.int64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"A confusion matrix is square, not of shape {matrix.shape}.")
    if (matrix < 0).any():
        raise ValueError("A confusion matrix counts records, so no entry is negative.")
    right = np.diag(matrix).astype(np.float64)
    support, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    f1 = _quotient(2.0 * right, support + predicted)
    defined = f1[~np.isnan(f1)]
    records = int(matrix.sum())
    return ClassScores(
        precision=_quotient(right, predicted),
        recall=_quotient(right, support),
        f1=f1,
        support=support,
        accuracy=float(right.sum() / records) if records else float("nan"),
        macro_f1=float(defined.mean()) if defined.size else float("nan"),
    )


def _quotient(numerator: Floats, denominator: NDArray[np.int64]) -> Floats:
    """Quotient, NaN where the denominator is 0, without numpy's warning."""
    result: Floats = np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)
    return result
