"""The file of an SQLite database: made on purpose only, missed when it is gone, named when it is damaged."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError

from config.errors import ConfigurationError

PRIMARY = 0xFF  # the lower byte of SQLite's extended error codes
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def path_of(url: URL) -> Path | None:
    """The file; None for PostgreSQL, a database in memory, or an address that SQLite itself takes apart."""
    name = url.database or ":memory:"
    if url.get_backend_name() != "sqlite" or name.startswith((":memory:", "file:")):
        return None
    return Path(name).absolute()


def is_missing(url: URL) -> bool:
    """Whether the file would have to be made first."""
    path = path_of(url)
    return path is not None and not path.exists()


def make(url: URL) -> None:
    """Make the file, empty, when it is not there; no connection does."""
    path = path_of(url)
    if path is None:
        return
    try:
        path.touch()
    except OSError as error:
        raise ConfigurationError(f"The database {path} cannot be reached: {error.strerror or error}.") from error


def watch(engine: Engine) -> None:
    """Let connections neither make a new file nor go on with one that was deleted or replaced.

    SQLite would put an empty database in the place of a missing one, and a connection that is open would write
    into the deleted file until it closes.
    """
    path = path_of(engine.url)
    if path is None:
        return
    address = f"{path.as_uri()}?mode=rw"

    @event.listens_for(engine, "do_connect")
    def _open_only(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        arguments[0], options["uri"] = address, True

    @event.listens_for(engine, "connect")
    def _remember(_connection: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = _identity(path)

    @event.listens_for(engine, "checkout")
    def _compare(_connection: sqlite3.Connection, record: Any, _proxy: Any) -> None:
        if record.info.get("file") != _identity(path):
            raise DisconnectionError(f"{path} is another file now")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def complaint(url: URL, error: DBAPIError) -> str | None:
    """What to do about a file that cannot be used; None when the error tells something else."""
    path, code = path_of(url), getattr(error.orig, "sqlite_errorcode", None)
    if path is None or code is None:
        return None
    if code & PRIMARY in _DAMAGED:
        return (
            f"{path} is no database of SQLite, or a damaged one ({error.orig}). Put a backup in its place, "
            "or move it away to begin with an empty one."
        )
    if code & PRIMARY == sqlite3.SQLITE_CANTOPEN:
        return f"The database {path} cannot be reached: {error.orig}."
    return None
