"""What a run logs, in one function: all of a request is kept, or nothing of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from models.experiment import ACTIVE, Experiment
from services.actor import Actor
from services.curves import writing
from services.curves.packing import Points
from services.experiments import lifecycle
from services.tracking import epochs, params, runs, tags, values
from services.tracking.errors import InvalidParameter

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


def log(
    session: Session,
    actor: Actor,
    run_id: Any,
    points: Mapping[str, Points],
    given_params: Mapping[str, str],
    given_tags: Mapping[str, str],
) -> None:
    """Keep metrics, parameters and tags of a run; what was logged before and comes again is kept once."""
    if len(given_params) > MOST_PARAMS or len(given_tags) > MOST_TAGS:
        kind = "params" if len(given_params) > MOST_PARAMS else "tags"
        number = max(len(given_params), len(given_tags))
        raise InvalidParameter(f"A batch logging request can contain at most 100 {kind}. Got {number} {kind}.")
    total = sum(len(one) for one in points.values()) + len(given_params) + len(given_tags)
    if total > MOST_AT_ONCE:
        raise InvalidParameter(
            f"A batch logging request can contain at most {MOST_AT_ONCE} metrics, params and tags. Got {total}."
        )
    # The run before its series, as everybody locks them: two writers of one run wait instead of locking each other out.
    aim = runs.target(session, actor, run_id, lock=True)
    params.put(session, aim.id, aim.run_id, given_params)
    tags.put(session, aim.id, given_tags)
    extended = writing.extend(session, aim.id, points)
    epochs.take(session, aim.id, extended, aim.epochs_completed)
    if extended and aim.status not in ACTIVE:
        # Its summary was made when it ended.
        lifecycle.summarise(session, session.get_one(Experiment, aim.id))
