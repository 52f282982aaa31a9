"""Buckets in a small SQLite file of their own, shared by the processes of this machine.

It is written without waiting for the disk: a killed process loses nothing, a power cut a few requests.
"""

import os
import sqlite3
import threading
import time
from pathlib import Path

from services.limits import gcra
from services.limits.gcra import Decision, Policy

_TAKE = """
INSERT INTO buckets (bucket, full_at) VALUES (:bucket, :now + :interval)
ON CONFLICT (bucket) DO UPDATE
    SET full_at = CASE WHEN full_at > :now + :horizon THEN :now ELSE max(full_at, :now) END + :interval
    WHERE full_at <= :now + :tolerance OR full_at > :now + :horizon
RETURNING full_at
"""

_of_parents: list[sqlite3.Connection] = []


class SideFile:
    """One connection a process: its threads wait here, where it costs less than at the file."""

    def __init__(self, path: Path) -> None:
        self._path, self._process = path, 0
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def take(self, bucket: str, policy: Policy, now: int | None = None) -> Decision:
        """Let a request through, or not."""
        with self._lock:
            connection = self._open()
            moment = time.time_ns() if now is None else now  # only now: it may have waited for the lock
            values = {
                "bucket": bucket,
                "now": moment,
                "interval": policy.interval,
                "tolerance": policy.tolerance,
                "horizon": policy.horizon,
            }
            made = connection.execute(_TAKE, values).fetchall()
            if made:
                return gcra.told(policy, made[0][0], moment, allowed=True)
            kept = connection.execute("SELECT full_at FROM buckets WHERE bucket = ?", (bucket,)).fetchone()
        return gcra.told(policy, kept[0] if kept else moment, moment, allowed=False)

    def forget_rested(self, now: int | None = None) -> int:
        """Remove the buckets whose whole quota is there again, which a missing one says as well."""
        with self._lock:
            gone = self._open().execute("DELETE FROM buckets WHERE full_at < ?", (now or time.time_ns(),))
            return gone.rowcount

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._process != os.getpid():
            # Forked: to close the parent's connection here could take the log of the file away from under it.
            _of_parents.append(self._connection)
            self._connection = None
        if self._connection is None:
            made = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
            made.execute("PRAGMA journal_mode = WAL")
            made.execute("PRAGMA synchronous = NORMAL")
            made.execute(
                "CREATE TABLE IF NOT EXISTS buckets (bucket TEXT PRIMARY KEY, full_at INTEGER NOT NULL) WITHOUT ROWID"
            )
            self._path.chmod(0o600)
            self._connection, self._process = made, os.getpid()
        return self._connection
