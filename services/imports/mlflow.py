"""Runs from an MLflow file store or an MLflow database in SQLite; the source id is MLflow's own run id."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.imports import mlflow_database, mlflow_files
from services.imports.limits import located
from services.imports.run import BadRun, ImportedRun, ImportSourceError

_SQLITE_MAGIC = b"SQLite format 3\x00"


def read_runs(path_or_uri: str | os.PathLike[str]) -> Iterator[ImportedRun | BadRun]:
    """Read every run, deleted ones too; a parent may come after its children."""
    path = _local_path(path_or_uri)
    if path.is_file():
        yield from mlflow_database.read_runs(path)
    else:
        yield from mlflow_files.read_runs(path)


def count_runs(path_or_uri: str | os.PathLike[str]) -> int:
    """Count the runs without reading them."""
    path = _local_path(path_or_uri)
    return mlflow_database.count_runs(path) if path.is_file() else mlflow_files.count_runs(path)


def _local_path(path_or_uri: str | os.PathLike[str]) -> Path:
    """Give the database file or the folder of the file store that a path or an address names."""
    named = os.fspath(path_or_uri)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", named)
    if scheme is None:
        path = located(named)
    elif scheme[1].lower().split("+")[0] == "sqlite":
        path = _sqlite_path(named)
    elif scheme[1].lower() == "file":
        path = Path(unquote(urlsplit(named).path))
    else:
        raise ImportSourceError(
            f"Only MLflow file stores and SQLite files are read, not “{scheme[1]}:” addresses: "
            "name the mlruns folder or the .db file of the server."
        )
    path = located(path)
    if path.is_dir():
        return _database_inside(path) or path
    if not path.is_file():  # a pipe would be waited for without end
        raise ImportSourceError(f"{path_or_uri} is neither a folder nor an SQLite database.")
    if not _is_sqlite(path):
        raise ImportSourceError(f"{path_or_uri} is neither a folder nor an SQLite database.")
    return path


def _sqlite_path(address: str) -> Path:
    # As SQLAlchemy reads it: three slashes before a relative path, four before an absolute one.
    rest = address.split(":", 1)[1]
    if not rest.startswith("///"):
        raise ImportSourceError(f"“{address}” names no file; write sqlite:///path/to/mlflow.db.")
    return Path(unquote(rest[3:].split("?", 1)[0]))


def _database_inside(folder: Path) -> Path | None:
    # New MLflow versions keep runs in mlflow.db and only artifacts in mlruns beside it; a server's may have any name.
    if mlflow_files.is_store(folder):
        return None
    database = folder / "mlflow.db"
    if database.is_file():
        return database
    found = sorted(path for path in folder.glob("*.db") if path.is_file())
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:5])
        raise ImportSourceError(f"{folder} holds several databases ({names}); name the one to read.")
    return found[0] if found and _is_sqlite(found[0]) else None


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    except OSError as error:
        raise ImportSourceError(f"{path} cannot be read: {error.strerror or error}.") from error
