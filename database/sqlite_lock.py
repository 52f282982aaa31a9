"""The write lock of SQLite: who finds it taken looks again after a moment, whoever has waited how long.

SQLite itself looks again after pauses that grow to a tenth of a second, so that among many writers those who have
waited long look least often: one in a hundred waited for seconds.
"""

import sqlite3
from time import monotonic, sleep
from typing import Any

from sqlalchemy.engine import Connection

from database.prepared import sent
from database.sqlite_file import PRIMARY

PATIENCE = 10.0  # seconds
PAUSE = 0.002  # seconds, a little longer than a short transaction
BUSY_TIMEOUT = "PRAGMA busy_timeout=10000"  # of all other statements: those that read are hardly ever kept waiting

_BEGIN = "BEGIN IMMEDIATE"


def begin_writing(connection: Connection) -> None:
    """Begin a transaction that holds the write lock, or raise what SQLAlchemy raises where it cannot be had."""
    own: Any = connection.connection.driver_connection
    own.execute("PRAGMA busy_timeout=0")
    try:
        if not _is_had(own):
            with sent(connection, _BEGIN, ()):
                pass
    finally:
        own.execute(BUSY_TIMEOUT)


def _is_had(own: sqlite3.Connection) -> bool:
    """Whether the lock was given in time; False too where another try would tell another fault."""
    end = monotonic() + PATIENCE
    while True:
        try:
            own.execute(_BEGIN)
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0)
            if code & PRIMARY != sqlite3.SQLITE_BUSY or monotonic() >= end:
                return False
        else:
            return True
        sleep(PAUSE)
