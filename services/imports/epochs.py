"""Epoch rows out of metric series, only where the steps prove what an epoch is.

The number of an epoch counts finished epochs: 1 to n, also where the source counts from 0. The steps are taken as

1. the epochs themselves when the caller knows it (a CSV file with an epoch column);
2. what a series named “epoch” says for each step (Lightning, Hugging Face);
3. epoch × constant, found from a training series at steps 0, d, 2d … or d, 2d, …. Validation may be written at the
   end of its epoch under the step of the next one: the wall times tell, or, without them, that d is a batch count.

“Every 50 batches” looks like 3 as well. So d > 1 needs a second series of about as many points from validation or an
epoch timer, or a key with the word epoch; d = 1 without one is taken up to 1,000 points. All else stays steps.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.imports.run import ImportedEpoch, ImportedSeries
from services.imports.synonyms import (
    EVALUATION_COLUMNS,
    Column,
    is_epoch_number,
    meaning_of,
    names_epochs,
    seconds_per_unit,
)

MOST_UNCONFIRMED_EPOCHS = 1000
LARGEST_EPOCH = 2**31 - 1
_REFERENCE_ORDER: tuple[Column, ...] = ("train_loss", "train_accuracy", "duration_seconds", "val_loss", "val_accuracy")
_UNIT_TOLERANCE = 1.6  # the timer may leave out saving and checking, but not as much as to look like another unit

Points = dict[int, float]  # step or epoch -> value


@dataclass(frozen=True)
class _Candidate:
    column: Column
    series: ImportedSeries
    values: Points  # a step written twice keeps the later value: a resumed run repeats its last epoch
    times: Points

    @property
    def steps(self) -> list[int]:
        return sorted(self.values)


def epochs_from_series(
    series: Iterable[ImportedSeries],
    *,
    steps_are_epochs: bool = False,
    evaluation: bool = False,
    extra: Mapping[str, Column] | None = None,
) -> tuple[ImportedEpoch, ...]:
    """Fill the columns of training_runs from series whose steps are epochs or epoch × constant; else nothing."""
    every = [one for one in series if len(one)]
    candidates = _candidates(every, evaluation, extra)
    numbers = next((one for one in every if is_epoch_number(one.key)), None)
    if steps_are_epochs:
        return _by_step(every, candidates)
    return _rows(_by_spacing(candidates) if numbers is None else _by_epoch_series(candidates, numbers))


def _candidates(
    series: Sequence[ImportedSeries], evaluation: bool, extra: Mapping[str, Column] | None
) -> list[_Candidate]:
    ranked = []
    for one in series:
        meaning = meaning_of(one.key, evaluation=evaluation, extra=extra)
        if meaning is None:
            continue
        values = one.values
        if meaning.column == "duration_seconds":
            unit = seconds_per_unit(one.key) or _unit_from_wall_time(one)
            if unit is None:
                continue  # a duration in a wrong unit is worse than none; the series itself is kept
            values = values * unit
        steps = one.steps.tolist()
        points = dict(zip(steps, values.tolist(), strict=True))
        times = dict(zip(steps, one.times.tolist(), strict=True))
        ranked.append((meaning.rank, _Candidate(meaning.column, one, points, times)))
    return [candidate for _, candidate in sorted(ranked, key=lambda pair: pair[0])]


def _unit_from_wall_time(series: ImportedSeries) -> float | None:
    between = np.diff(series.times)
    usable = np.isfinite(between) & (between > 0) & (series.values[1:] > 0)
    if not usable.any():
        return None
    ratio = float(np.median(between[usable] / series.values[1:][usable]))
    for unit in (1.0, 60.0, 3600.0, 0.001):
        if 1 / _UNIT_TOLERANCE <= ratio / unit <= _UNIT_TOLERANCE:
            return unit
    return None


def _by_step(every: Sequence[ImportedSeries], candidates: Sequence[_Candidate]) -> tuple[ImportedEpoch, ...]:
    """Each step is an epoch, also one of which only other metrics tell than those with columns of their own."""
    steps = {step for one in every for step in one.steps.tolist()}
    first = 1 if 0 in steps else 0
    columns: dict[Column, Points] = {}
    for candidate in candidates:
        columns.setdefault(candidate.column, {step + first: value for step, value in candidate.values.items()})
    return _rows(columns, {step + first for step in steps})


def _by_epoch_series(candidates: Sequence[_Candidate], numbers: ImportedSeries) -> dict[Column, Points]:
    epochs: NDArray[np.float64] = numbers.values
    if not np.isfinite(epochs).all() or epochs.min() < 0 or epochs.max() > LARGEST_EPOCH:
        return {}
    whole = epochs == np.floor(epochs)
    # Hugging Face logs 0.5, 1.0, 1.5: epochs done so far. Only whole numbers can be indices that begin at 0.
    first = 1 if whole.all() and epochs.min() == 0 else 0
    at_step = {int(s): int(e) + first for s, e, w in zip(numbers.steps, epochs, whole, strict=True) if w}
    columns: dict[Column, Points] = {}
    for candidate in candidates:
        placed = {at_step[step]: value for step, value in candidate.values.items() if step in at_step}
        if len(placed) == len(candidate.values):  # else it is written more often than once per epoch
            columns.setdefault(candidate.column, placed)
    return columns


def _by_spacing(candidates: Sequence[_Candidate]) -> dict[Column, Points]:
    in_order = [one for column in _REFERENCE_ORDER for one in candidates if one.column == column]
    for reference in in_order:
        spacing = _spacing(reference.steps)
        if spacing is None:
            continue
        columns: dict[Column, Points] = {}
        used: list[_Candidate] = []
        for candidate in [reference, *(one for one in candidates if one is not reference)]:
            placed = None if candidate.column in columns else _place(candidate, reference, spacing)
            if placed is not None:
                columns[candidate.column] = placed
                used.append(candidate)
        if _is_confirmed(reference, spacing, used):
            return columns
    return {}


def _spacing(steps: list[int]) -> int | None:
    """The constant d when the steps are 0, d, 2d … or d, 2d, 3d …, else None."""
    if len(steps) == 1:
        return max(steps[0], 1) if steps[0] >= 0 else None
    distance = steps[1] - steps[0]
    regular = all(later - step == distance for step, later in pairwise(steps))
    return distance if regular and steps[0] in (0, distance) else None


def _place(candidate: _Candidate, reference: _Candidate, spacing: int) -> Points | None:
    """Epoch → value for one series, or None when it does not go with the epochs of the reference."""
    steps = candidate.steps
    if reference.steps == [0] and steps[0] > 1 and len(steps) == 1:
        return {1: candidate.values[steps[0]]}  # the first epoch alone: its end is the only later step there is
    if any(step % spacing for step in steps):
        own = _spacing(steps)  # one batch more or less per epoch, as a loader that drops the last batch counts
        if own is None or abs(len(steps) - len(reference.steps)) > 1:
            return None
        shift = 1 if steps[0] == 0 else 0
        return {step // own + shift: value for step, value in candidate.values.items()}
    if reference.steps[0] == 0:
        shift = 0 if _is_written_at_the_end(candidate, reference, spacing) else 1
    else:
        early = steps[0] == 0 and candidate.column not in EVALUATION_COLUMNS and len(steps) == len(reference.steps)
        shift = 1 if early else 0
    # An evaluation before any training would be epoch 0: it stays a point of its series.
    return {step // spacing + shift: value for step, value in candidate.values.items() if step // spacing + shift > 0}


def _is_written_at_the_end(candidate: _Candidate, reference: _Candidate, spacing: int) -> bool:
    """Whether a step of the candidate names the end of an epoch where the reference names its start."""
    first = candidate.steps[0]
    if first == 0:
        return False
    mine, theirs = candidate.times[first], reference.times.get(first, math.nan)
    if not math.isnan(mine) and not math.isnan(theirs):
        return mine < theirs
    return spacing > 1


def _is_confirmed(reference: _Candidate, spacing: int, used: Sequence[_Candidate]) -> bool:
    count = len(reference.values)
    if any(names_epochs(one.series.key) for one in used):
        return True
    if count < 2:
        return False  # a single point is as well the summary of a finished run
    checks = (*EVALUATION_COLUMNS, "duration_seconds")
    if any(2 * len(one.values) >= count for one in used if one is not reference and one.column in checks):
        return True
    return spacing == 1 and count <= MOST_UNCONFIRMED_EPOCHS


def _rows(columns: Mapping[Column, Points], known: Iterable[int] = ()) -> tuple[ImportedEpoch, ...]:
    epochs = sorted({*known, *(epoch for points in columns.values() for epoch in points)})
    if not epochs or epochs[0] < 0 or epochs[-1] > LARGEST_EPOCH:
        return ()
    return tuple(
        ImportedEpoch(epoch, **{column: points.get(epoch) for column, points in columns.items()}) for epoch in epochs
    )
