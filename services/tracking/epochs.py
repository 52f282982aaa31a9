"""Epochs out of what a run logs while it runs, from the new points alone.

A series tells epochs where its steps count them: from 0 or 1 on, one by one (a resumed run may repeat some). Others of
the same run are placed by it: a validation at every fifth epoch. A single point is as well the summary of a finished
run and waits for the second one; a series that is longer than any training has epochs is one of batches.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Double, Executable, Integer, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from database.among import ListOf
from database.prepared import Prepared, write
from database.types import now
from models.experiment import Experiment
from models.metric_series import MetricKey, MetricSeries
from models.training_run import TrainingRun
from services.curves.series_rows import Name
from services.curves.writing import Extended
from services.imports.synonyms import EVALUATION_COLUMNS, Meaning, meaning_of, seconds_per_unit

LARGEST_EPOCH = 1_000_000
EPOCHS: Any = TrainingRun.__table__
RUNS = Experiment.__table__
MOST_EPOCHS = 10_000  # of a series whose steps are taken for epochs; a longer one is of batches
_Cells = dict[tuple[int, int], float]  # of an experiment and an epoch
_FURTHER = Prepared(
    lambda _: (
        update(Experiment)
        .where(RUNS.c.id == bindparam("number"), RUNS.c.epochs_completed < bindparam("furthest"))
        .values(epochs_completed=bindparam("furthest"), updated_at=bindparam("moment"))
    )
)


@lru_cache(maxsize=4096)
def _meaning(key: str) -> Meaning | None:
    return meaning_of(key)


def take(session: Session, extended: Mapping[Name, Extended], completed: Mapping[int, int]) -> None:
    """Fill the epochs that these points tell of; `completed` are those of each experiment until now."""
    meant = [(meaning, name, one) for name, one in extended.items() if (meaning := _meaning(name[1])) is not None]
    if not meant:
        return
    # The lowest rank last, so that of two keys of one column the better one stays.
    meant.sort(key=lambda item: -item[0].rank)
    furthest = dict(completed)
    values: dict[Meaning, _Cells] = {}
    for meaning, name, one in meant:
        shift = _shift_of(one)
        if shift is None and meaning.column in EVALUATION_COLUMNS and furthest[name[0]]:
            shift = _shift_of_others(session, name[0])
        cells = {} if shift is None else _cells(name[1], meaning, one, shift)
        if cells:
            _join(values.setdefault(meaning, {}), name[0], meaning, cells)
            furthest[name[0]] = max(furthest[name[0]], *cells)
    connection, moment = session.connection(), now()
    further = [
        {"number": number, "furthest": last, "moment": moment}
        for number, last in sorted(furthest.items())
        if last > completed[number]
    ]
    placed = [(_upsert(meaning), _placed(connection, meaning, found, moment)) for meaning, found in values.items()]
    write(connection, *placed, (_FURTHER, further))


def _join(known: _Cells, number: int, meaning: Meaning, cells: Mapping[int, float]) -> None:
    """Of several keys that mean one column, the last counts where they are as good as it gets, else the first."""
    for epoch, value in cells.items():
        if meaning.rank == 0:
            known[number, epoch] = value
        else:
            known.setdefault((number, epoch), value)


def _shift_of(one: Extended) -> int | None:
    row = one.series
    return _shift(row.points, row.first_step, row.last_step)


def _shift(points: int, first: int | None, last: int | None) -> int | None:
    """What makes an epoch of a step: 1 where they count from 0; None where they do not count epochs."""
    if first not in (0, 1) or last is None or not 2 <= points <= MOST_EPOCHS or last - first >= points:
        return None
    return 1 - first


def _shift_of_others(session: Session, experiment_id: int) -> int | None:
    rows = session.execute(
        select(MetricKey.name, MetricSeries.points, MetricSeries.first_step, MetricSeries.last_step)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(MetricSeries.experiment_id == experiment_id, MetricSeries.first_step.in_((0, 1)))
        .limit(1000)
    ).all()
    known = (_shift(points, first, last) for name, points, first, last in rows if _meaning(name) is not None)
    return next((shift for shift in known if shift is not None), None)


def _cells(key: str, meaning: Meaning, one: Extended, shift: int) -> dict[int, float]:
    """Epoch → value; an infinite or missing value is none."""
    unit = seconds_per_unit(key) if meaning.column == "duration_seconds" else 1.0
    if unit is None:
        return {}
    points = dict(zip(one.fresh.steps.tolist(), one.fresh.values.tolist(), strict=True))
    if one.last_before is not None and one.series.points - len(one.fresh) == 1:
        points.setdefault(*one.last_before)  # the first point, which had waited
    return {
        step + shift: value * unit
        for step, value in points.items()
        if 0 < step + shift <= LARGEST_EPOCH and math.isfinite(value)
    }


def _placed(connection: Connection, meaning: Meaning, cells: _Cells, moment: datetime) -> list[dict[str, Any]]:
    """The values of one column as its statement takes them, in the order in which everybody writes them."""
    placed = sorted(cells.items())
    if connection.dialect.name == "postgresql":
        numbers, epochs = zip(*(place for place, _ in placed), strict=True)
        figures = [value for _, value in placed]
        return [{"numbers": numbers, "epochs": epochs, "figures": figures, "moment": moment}]
    stamps = {"created_at": moment, "updated_at": moment}
    return [{"experiment_id": at, "epoch": epoch, meaning.column: value, **stamps} for (at, epoch), value in placed]


def _from_arrays(meaning: Meaning) -> Any:
    """Rows out of three arrays, which PostgreSQL takes in a tenth of the time of as many lists of values."""
    columns: dict[str, TypeEngine[Any]] = {"numbers": Integer(), "epochs": Integer(), "figures": Double()}
    arrays = [bindparam(name, type_=ListOf(item)) for name, item in columns.items()]
    row = func.unnest(*arrays).table_valued(*columns).render_derived(name="row")
    moment = bindparam("moment", type_=EPOCHS.c.created_at.type)
    names = ["experiment_id", "epoch", meaning.column, "created_at", "updated_at"]
    rows = select(*(row.c[name] for name in columns), moment, moment)
    return postgresql.insert(EPOCHS).from_select(names, rows)


@lru_cache
def _upsert(meaning: Meaning) -> Prepared:
    return Prepared(lambda dialect: _upserting(meaning, dialect))


def _upserting(meaning: Meaning, dialect: str) -> Executable:
    insert: Any = _from_arrays(meaning) if dialect == "postgresql" else sqlite.insert(EPOCHS)
    column = EPOCHS.c[meaning.column]
    said = insert.excluded[meaning.column]
    # A second-best key, such as “loss” beside “train_loss”, only fills what is empty.
    value = said if meaning.rank == 0 else func.coalesce(column, said)
    made: Executable = insert.on_conflict_do_update(
        index_elements=[EPOCHS.c.experiment_id, EPOCHS.c.epoch],
        set_={meaning.column: value, "updated_at": insert.excluded.updated_at},
    )
    return made
