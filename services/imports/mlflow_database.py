"""MLflow's database in SQLite, of any version, read without writing a byte to it or beside it."""

import math
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.imports.limits import checked_count, clean_text, decode
from services.imports.mlflow_run import MlflowRecord, imported, seconds, series_from
from services.imports.run import BadRun, BadValue, ImportedRun, ImportSourceError

_NEEDED = {"runs": {"run_uuid", "status"}, "metrics": {"key", "value", "run_uuid"}, "params": {"key", "value"}}
_MAX_CELL_BYTES = 16 * 1024 * 1024
# Python fails to decode SQLite's own message when damage has reached the names of tables.
_DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)
Columns = dict[str, set[str]]


def count_runs(path: Path) -> int:
    """Count the rows of `runs`."""
    with _opened(path) as (connection, _):
        count = int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
    if count == 0:
        raise ImportSourceError(f"{path} holds no MLflow runs.")
    return count


def read_runs(path: Path) -> Iterator[ImportedRun | BadRun]:
    """Read the runs in order of their start; a run whose rows break a rule is a BadRun."""
    with _opened(path) as (connection, columns):
        experiments = _experiments(connection, columns)
        order = "start_time, run_uuid" if "start_time" in columns["runs"] else "run_uuid"
        found = connection.execute(f"SELECT run_uuid FROM runs ORDER BY {order}")  # noqa: S608 - fixed words
        run_ids = [row[0] for row in found]
        if not run_ids:
            raise ImportSourceError(f"{path} holds no MLflow runs.")
        for run_id in run_ids:
            yield _read_run(connection, columns, experiments, run_id)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[sqlite3.Connection, Columns]]:
    connection = _connect(path)
    try:
        try:
            yield connection, _columns(connection, path)
        except _DAMAGE as error:
            raise ImportSourceError(f"{path} cannot be read as an MLflow database: {_words(error)}.") from error
    finally:
        connection.close()


def _words(error: Exception | None) -> str:
    return "it is damaged" if isinstance(error, UnicodeDecodeError) else clean_text(str(error))


def _connect(path: Path) -> sqlite3.Connection:
    # A database in WAL mode needs its side files, which a read-only folder does not let SQLite make. Where there is no
    # WAL file nobody has it open, so that it can be read as it stands; this also leaves no side files behind.
    with path.open("rb") as file:
        is_wal = file.read(20)[18:20] == b"\x02\x02"
    has_wal_file = path.with_name(f"{path.name}-wal").exists()
    modes = ("immutable=1", "mode=ro") if is_wal and not has_wal_file else ("mode=ro", "immutable=1")
    last_error: Exception | None = None
    for mode in modes:
        connection = sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True)
        try:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_CELL_BYTES)
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA query_only = ON")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except _DAMAGE as error:
            connection.close()
            last_error = error
        else:
            connection.text_factory = decode
            return connection
    raise ImportSourceError(f"{path} cannot be opened: {_words(last_error)}.")


def _columns(connection: sqlite3.Connection, path: Path) -> Columns:
    """Table → its columns; views and virtual tables do not count, as they run what their author wrote."""
    columns: Columns = {}
    for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
        if name in ("runs", "metrics", "params", "tags", "experiments") and not sql.upper().startswith(
            "CREATE VIRTUAL"
        ):
            columns[name] = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
    for table, needed in _NEEDED.items():
        if not needed <= columns.get(table, set()):
            raise ImportSourceError(f"{path} is an SQLite database, but not one of MLflow: “{table}” is missing.")
    return columns


def _experiments(connection: sqlite3.Connection, columns: Columns) -> dict[int, tuple[str, bool]]:
    if not {"experiment_id", "name"} <= columns.get("experiments", set()):
        return {}
    stage = "lifecycle_stage" if "lifecycle_stage" in columns["experiments"] else "NULL"
    rows = connection.execute(f"SELECT experiment_id, name, {stage} FROM experiments")  # noqa: S608 - fixed words
    return {row[0]: (str(row[1]), row[2] == "deleted") for row in rows}


def _read_run(
    connection: sqlite3.Connection, columns: Columns, experiments: dict[int, tuple[str, bool]], run_id: Any
) -> ImportedRun | BadRun:
    shown = clean_text(str(run_id))[:200]
    try:
        if not isinstance(run_id, str) or not 0 < len(run_id) <= 200:
            raise BadValue("Its run id is not text of at most 200 characters.")
        cursor = connection.execute("SELECT * FROM runs WHERE run_uuid = ?", (run_id,))
        row = cursor.fetchone()
        if row is None:  # deleted meanwhile, or its id or index is damaged
            raise BadValue("Its row cannot be found again.")
        info = dict(zip((column[0] for column in cursor.description), row, strict=True))
        name, is_deleted = experiments.get(info.get("experiment_id", -1), (None, False))
        record = MlflowRecord(run_id, info, name, is_deleted)
        record.params = _texts(connection, "params", run_id)
        record.tags = _texts(connection, "tags", run_id) if "tags" in columns else {}
        points = _points(connection, columns["metrics"], run_id)
        record.metrics = [series_from(key, rows) for key, rows in points.items()]
        return imported(record)
    except BadValue as error:
        return BadRun(shown, shown, str(error))
    except (sqlite3.DataError, OverflowError) as error:
        return BadRun(shown, shown, f"One of its values is too large: {error}.")


def _texts(connection: sqlite3.Connection, table: str, run_id: str) -> dict[str, str]:
    found: dict[str, str] = {}
    query = f"SELECT key, value FROM {table} WHERE run_uuid = ?"  # noqa: S608 - fixed words
    for key, value in connection.execute(query, (run_id,)):
        found[str(key)] = "" if value is None else str(value)
        checked_count(len(found), "key")
    return dict(sorted(found.items()))


def _points(
    connection: sqlite3.Connection, columns: set[str], run_id: str
) -> dict[str, list[tuple[int, float, float]]]:
    """Key → points in the order in which they were stored, so that a grown run only adds to the end."""
    step = "step" if "step" in columns else "0"
    is_nan = "is_nan" if "is_nan" in columns else "0"
    timestamp = "timestamp" if "timestamp" in columns else "NULL"
    found: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    wanted = f"key, value, {timestamp}, {step}, {is_nan}"
    query = f"SELECT {wanted} FROM metrics WHERE run_uuid = ? ORDER BY rowid"  # noqa: S608 - fixed words
    rows = connection.execute(query, (run_id,))
    for key, value, when, at, nan in rows:
        where = f"Metric “{str(key)[:40]}”"
        if not isinstance(at, int):
            raise BadValue(f"{where} has a step that is no integer.")
        found[str(key)].append((at, _value(value, nan, where), seconds(when, f"A time of {where.lower()}")))
        checked_count(len(found), "metric")
    return dict(sorted(found.items()))


def _value(value: Any, is_nan: Any, where: str) -> float:
    if is_nan:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue(f"{where} has a value that is no number.")
    # MLflow cannot store infinity in a column and writes the largest double instead.
    return math.copysign(math.inf, value) if abs(value) >= sys.float_info.max else float(value)
