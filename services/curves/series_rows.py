"""The rows of series and of their last chunks, read and written for many series at once: the hot path of a log call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Executable, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from database.among import among
from models.metric_series import MetricChunk, MetricKey, MetricSeries

KEYS, SERIES, CHUNKS = MetricKey.__table__, MetricSeries.__table__, MetricChunk.__table__
Name = tuple[int, str]  # the number of an experiment, and the name of one of its metrics

# Asked for every point that a script logs by itself, so built once, and as plain columns: objects cost twice as much.
_KEYS = select(KEYS.c.name, KEYS.c.id).where(among(KEYS.c.name, "names"))
_SERIES = (
    select(KEYS.c.name, SERIES)
    .join_from(SERIES, KEYS, KEYS.c.id == SERIES.c.key_id)
    .where(among(SERIES.c.experiment_id, "experiment_ids"), among(KEYS.c.name, "names"))
    .order_by(SERIES.c.experiment_id, SERIES.c.key_id)
    .with_for_update(of=SERIES, key_share=True)
)
_LATEST = (
    select(CHUNKS.c.series_id, func.max(CHUNKS.c.start).label("start"))
    .where(among(CHUNKS.c.series_id, "series_ids"))
    .group_by(CHUNKS.c.series_id)
    .subquery()
)
_LAST_CHUNKS = select(CHUNKS).join(
    _LATEST, (_LATEST.c.series_id == CHUNKS.c.series_id) & (_LATEST.c.start == CHUNKS.c.start)
)


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


def locked(connection: Connection, wanted: Iterable[Name]) -> dict[Name, Series]:
    """The series of these names, made where they are new.

    Locked, in one order: two clients that log to one experiment wait for each other instead of losing points.
    """
    names = set(wanted)
    found = _found(connection, names)
    missing = sorted(names - found.keys())
    if missing:
        key_ids = numbers_of_keys(connection, sorted({name for _, name in missing}))
        blank = {"points": 0, "nonfinite": 0, "in_order": True}
        rows = [{"experiment_id": number, "key_id": key_ids[name], **blank} for number, name in missing]
        connection.execute(_insert_or_ignore(SERIES, connection.dialect.name), rows)
        found = _found(connection, names)
    return found


def _found(connection: Connection, names: set[Name]) -> dict[Name, Series]:
    asked = {"experiment_ids": sorted({number for number, _ in names}), "names": sorted({name for _, name in names})}
    rows = connection.execute(_SERIES, asked)
    return {(row[2], row[0]): Series(*row[1:]) for row in rows if (row[2], row[0]) in names}


def numbers_of_keys(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The number of each name of a metric, made where it is new."""
    known: dict[str, int] = dict(connection.execute(_KEYS, {"names": names}).all())
    missing = sorted(set(names) - known.keys())
    if missing:
        statement = _insert_or_ignore(KEYS, connection.dialect.name)
        connection.execute(statement, [{"name": name} for name in missing])
        known = dict(connection.execute(_KEYS, {"names": names}).all())
    return known


def last_chunks(connection: Connection, series_ids: Sequence[int]) -> dict[int, Any]:
    """The last chunk of each series, in one query."""
    if not series_ids:
        return {}
    return {row.series_id: row for row in connection.execute(_LAST_CHUNKS, {"series_ids": series_ids})}


def save(connection: Connection, series: Iterable[Series], chunks: Sequence[Mapping[str, Any]]) -> None:
    """Keep series and chunks as they are now."""
    dialect = connection.dialect.name
    connection.execute(_put(SERIES, dialect), [asdict(one) for one in series])
    connection.execute(_put(CHUNKS, dialect), chunks)


def remove_chunks(connection: Connection, series_id: int, start: int) -> None:
    """Remove the chunks of a series from this place on."""
    connection.execute(delete(MetricChunk).where(CHUNKS.c.series_id == series_id, CHUNKS.c.start >= start))


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
