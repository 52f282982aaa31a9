"""The rows of series and of their last chunks, read and written for many series at once: the hot path of a log call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable, Table, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from database.among import among
from database.prepared import Prepared, write
from models.metric_series import MetricChunk, MetricKey, MetricSeries

KEYS, SERIES, CHUNKS = MetricKey.__table__, MetricSeries.__table__, MetricChunk.__table__
Name = tuple[int, str]  # the number of an experiment, and the name of one of its metrics

# Asked for every point that a script logs by itself, so built once, and as plain columns: objects cost twice as much.
_KEYS = select(KEYS.c.name, KEYS.c.id).where(among(KEYS.c.name, "names"))
_ALL = CHUNKS.alias()
_LAST = select(func.max(_ALL.c.start)).where(_ALL.c.series_id == SERIES.c.id).correlate(SERIES).scalar_subquery()
_IS_LAST = (CHUNKS.c.series_id == SERIES.c.id) & (CHUNKS.c.start == _LAST)
_SERIES = Prepared(
    lambda _: (
        select(KEYS.c.name, SERIES, CHUNKS)
        .join_from(SERIES, KEYS, KEYS.c.id == SERIES.c.key_id)
        .outerjoin(CHUNKS, _IS_LAST)
        .where(among(SERIES.c.experiment_id, "experiment_ids"), among(KEYS.c.name, "names"))
        .order_by(SERIES.c.experiment_id, SERIES.c.key_id)
        .with_for_update(of=SERIES, key_share=True)
    )
)
_LAST_CHUNKS = select(CHUNKS).join_from(SERIES, CHUNKS, _IS_LAST).where(among(SERIES.c.id, "series_ids"))


@dataclass(slots=True)
class Series:
    """A series as its row says it; what is changed here is kept by `save`."""

    id: int
    experiment_id: int
    key_id: int
    points: int
    nonfinite: int
    first_step: int | None
    last_step: int | None
    last_value: float | None
    last_special: str | None
    last_time: float | None
    min_value: float | None
    min_step: int | None
    max_value: float | None
    max_step: int | None
    in_order: bool


class Chunk(NamedTuple):
    """A chunk as its row says it."""

    series_id: int
    start: int
    points: int
    step_codec: int
    first_step: int
    last_step: int
    low_step: int
    high_step: int
    steps: bytes
    values: bytes
    times: bytes


@lru_cache
def _insert_or_ignore(table: Table, dialect: str) -> Executable:
    made: Executable = (postgresql if dialect == "postgresql" else sqlite).insert(table).on_conflict_do_nothing()
    return made


@lru_cache
def _put(table: Table, dialect: str) -> Executable:
    """Write rows, new or not, in one statement: an UPDATE of many is a journey to PostgreSQL for each."""
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    keys = list(table.primary_key.columns)
    changed = {column.name: insert.excluded[column.name] for column in table.columns if column not in keys}
    made: Executable = insert.on_conflict_do_update(index_elements=keys, set_=changed)
    return made


_FIRST_OF_CHUNK = 1 + len(SERIES.columns)
_CHANGING = [column.name for column in SERIES.columns if column.name not in {"id", "experiment_id", "key_id"}]
_CHANGE = Prepared(
    lambda _: (
        update(MetricSeries)
        .where(SERIES.c.id == bindparam("number"))
        .values({SERIES.c[name]: bindparam(f"new_{name}", type_=SERIES.c[name].type) for name in _CHANGING})
    )
)
_PUT_CHUNK = Prepared(lambda dialect: _put(CHUNKS, dialect))


def locked(connection: Connection, wanted: Iterable[Name]) -> tuple[dict[Name, Series], dict[int, Chunk]]:
    """The series of these names, made where they are new, and their last chunks by the number of the series.

    Locked, in one order: two clients that log to one experiment wait for each other instead of losing points.
    """
    names = set(wanted)
    found, chunks = _found(connection, names)
    missing = sorted(names - found.keys())
    if missing:
        key_ids = numbers_of_keys(connection, sorted({name for _, name in missing}))
        blank = {"points": 0, "nonfinite": 0, "in_order": True}
        rows = [{"experiment_id": number, "key_id": key_ids[name], **blank} for number, name in missing]
        connection.execute(_insert_or_ignore(SERIES, connection.dialect.name), rows)
        found, chunks = _found(connection, names)
    return found, chunks


def _found(connection: Connection, names: set[Name]) -> tuple[dict[Name, Series], dict[int, Chunk]]:
    asked = {"experiment_ids": sorted({number for number, _ in names}), "names": sorted({name for _, name in names})}
    series: dict[Name, Series] = {}
    chunks: dict[int, Chunk] = {}
    moved = []
    for name, *columns in _SERIES.rows(connection, asked):
        row = Series(*columns[: _FIRST_OF_CHUNK - 1])
        if (row.experiment_id, name) not in names:
            continue
        series[row.experiment_id, name] = row
        if not row.points:
            continue
        chunks[row.id] = last = Chunk(*columns[_FIRST_OF_CHUNK - 1 :])
        if last.start is None or last.start + last.points != row.points:
            moved.append(row.id)
    if moved:
        # PostgreSQL reads a row anew that it had to wait for, and what is joined to it as it was before.
        chunks |= {chunk[0]: Chunk(*chunk) for chunk in connection.execute(_LAST_CHUNKS, {"series_ids": moved})}
    return series, chunks


def numbers_of_keys(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The number of each name of a metric, made where it is new."""
    known: dict[str, int] = dict(connection.execute(_KEYS, {"names": names}).all())
    missing = sorted(set(names) - known.keys())
    if missing:
        statement = _insert_or_ignore(KEYS, connection.dialect.name)
        connection.execute(statement, [{"name": name} for name in missing])
        known = dict(connection.execute(_KEYS, {"names": names}).all())
    return known


def save(connection: Connection, series: Sequence[Series], chunks: Sequence[Mapping[str, Any]]) -> None:
    """Keep series and chunks as they are now."""
    if len(series) == len(chunks) == 1:
        write(connection, (_CHANGE, [_changed(series[0])]), (_PUT_CHUNK, chunks))
        return
    dialect = connection.dialect.name
    rows = [{column.name: getattr(one, column.name) for column in SERIES.columns} for one in series]
    connection.execute(_put(SERIES, dialect), rows)
    connection.execute(_put(CHUNKS, dialect), chunks)


def _changed(one: Series) -> dict[str, Any]:
    return {"number": one.id} | {f"new_{name}": getattr(one, name) for name in _CHANGING}


def remove_chunks(connection: Connection, series_id: int, start: int) -> None:
    """Remove the chunks of a series from this place on."""
    connection.execute(delete(MetricChunk).where(CHUNKS.c.series_id == series_id, CHUNKS.c.start >= start))
