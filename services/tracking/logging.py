"""What runs log, in one function: all of a request is kept, or nothing of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from models.experiment import ACTIVE, Experiment
from models.permissions import PermissionDenied
from services.actor import Actor
from services.curves import writing
from services.curves.packing import Points
from services.curves.series_rows import Name
from services.errors import AppError
from services.experiments import lifecycle
from services.tracking import epochs, params, runs, tags, values
from services.tracking.errors import InvalidParameter
from services.tracking.runs import Target

MOST_METRICS, MOST_PARAMS, MOST_TAGS, MOST_AT_ONCE = 1000, 100, 100, 1000


def metrics(given: Any) -> dict[str, Points]:
    """The metrics of a request as points of their series, in the order in which they came."""
    if given is None:
        return {}
    if not isinstance(given, list):
        raise InvalidParameter("Invalid value for parameter 'metrics' supplied: Value must be a list of objects.")
    if len(given) > MOST_METRICS:
        raise InvalidParameter(
            f"A batch logging request can contain at most {MOST_METRICS} metrics. Got {len(given)} metrics."
        )
    found: dict[str, tuple[list[int], list[float], list[int]]] = {}
    for place, one in enumerate(given):
        if not isinstance(one, dict):
            raise InvalidParameter("Invalid value for parameter 'metrics' supplied: Value must be a list of objects.")
        name = one.get("key")
        columns = found.get(name) if isinstance(name, str) else None
        if columns is None:
            columns = found[values.key(name, f"metrics[{place}].name")] = ([], [], [])
        _add(columns, one, place)
    return {name: _points(*columns) for name, columns in found.items()}


def _add(columns: tuple[list[int], list[float], list[int]], one: Mapping[str, Any], place: int) -> None:
    steps, numbers, times = columns
    step, value, time = one.get("step", 0), one.get("value"), one.get("timestamp")
    # What nearly every request holds is taken as it is; the rest is looked at closely, and named where it is wrong.
    if not (type(value) is float and type(step) is int and type(time) is int and 0 <= step < 2**31):
        if value is None or time is None:
            missing = "value" if value is None else "timestamp"
            raise InvalidParameter(f"Missing value for required parameter 'metrics[{place}].{missing}'.")
        value = values.number(value, f"metrics[{place}].value")
        step = values.step(0 if step is None else step, f"metrics[{place}].step")
    if not (type(time) is int and 0 <= time <= values.LATEST):
        time = values.milliseconds(time, f"metrics[{place}].timestamp")
    steps.append(step)
    numbers.append(value)
    times.append(time)


def _points(steps: list[int], numbers: list[float], times: list[int]) -> Points:
    found = np.asarray(numbers, dtype=np.float64)
    # One NaN for all: the bits that tell NaNs apart are lost in packing, and a repeated request would look new.
    found[np.isnan(found)] = np.nan
    return Points.of(steps, found, np.asarray(times, dtype=np.float64) / 1000)


@dataclass(frozen=True, slots=True)
class Said:
    """What one request wants to be kept of a run."""

    actor: Actor
    run_id: Any
    points: Mapping[str, Points] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def log(session: Session, asked: Sequence[Said]) -> list[Exception | None]:
    """Keep metrics, parameters and tags of runs; what was logged before and comes again is kept once.

    Says of each request why it was refused, if it was. All of a request is kept or nothing, whatever the others hold.
    """
    # The runs before their series, as everybody locks them: two writers of one run wait instead of locking each
    # other out.
    locked = runs.lock_logged(session, (one.run_id for one in asked))
    refusals: list[Exception | None] = []
    aims: dict[int, Target] = {}
    points: dict[Name, list[Points]] = {}
    for one in asked:
        try:
            aim = _take_words(session, one, locked)
        except (AppError, PermissionDenied) as refusal:
            refusals.append(refusal)
            continue
        refusals.append(None)
        aims[aim.id] = aim
        for key, its in one.points.items():
            points.setdefault((aim.id, key), []).append(its)
    batches = {name: its[0] if len(its) == 1 else Points.concatenate(its) for name, its in points.items()}
    extended = writing.extend(session, batches)
    epochs.take(session, extended, {aim.id: aim.epochs_completed for aim in aims.values()})
    for number in {number for number, _ in extended}:
        if aims[number].status not in ACTIVE:
            # Its summary was made when it ended.
            lifecycle.summarise(session, session.get_one(Experiment, number))
    return refusals


def _take_words(session: Session, one: Said, locked: Mapping[str, Any]) -> Target:
    """Keep the parameters and tags of a request, and say to which run its points go."""
    if len(one.params) > MOST_PARAMS or len(one.tags) > MOST_TAGS:
        kind = "params" if len(one.params) > MOST_PARAMS else "tags"
        number = max(len(one.params), len(one.tags))
        raise InvalidParameter(f"A batch logging request can contain at most 100 {kind}. Got {number} {kind}.")
    total = sum(len(its) for its in one.points.values()) + len(one.params) + len(one.tags)
    if total > MOST_AT_ONCE:
        raise InvalidParameter(
            f"A batch logging request can contain at most {MOST_AT_ONCE} metrics, params and tags. Got {total}."
        )
    aim = runs.logged_target(session, one.actor, one.run_id, locked)
    if one.params or one.tags:
        with session.begin_nested():
            params.put(session, aim.id, aim.run_id, one.params)
            tags.put(session, aim.id, one.tags)
    return aim
