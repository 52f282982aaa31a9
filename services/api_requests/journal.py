"""Where each request is noted before its answer leaves: a file a process, which a killed process loses nothing of."""

import errno
import fcntl
import os
import secrets
import threading
from pathlib import Path
from typing import Any

import orjson

FOLDER, SUFFIX = "requests", ".jsonl"
LARGEST = 1_000_000  # bytes of a file; the next one follows, and this one goes once it is taken over


class JournalFull(OSError):
    """So much waits for the database already that no more is taken."""


class Journal:
    """A file that only this process adds to; whoever holds no lock on it any more is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._process, self._file, self._size, self._is_torn = 0, -1, 0, False
        self.is_full = False

    def append(self, record: dict[str, Any]) -> None:
        """Add one record; with the return of this it survives whatever happens to the process."""
        if self.is_full:
            raise JournalFull(errno.EDQUOT, "too many records wait for the database")
        line = orjson.dumps(record) + b"\n"
        with self._lock:
            file = self._open()
            if self._is_torn:
                line = b"\n" + line  # apart from what a full disk has cut short
            written = os.write(file, line)
            self._size += written
            self._is_torn = written < len(line)
            if self._is_torn:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self._size >= LARGEST:
                self._close()

    def close(self) -> None:
        """End the file; another begins with the next record."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _open(self) -> int:
        if self._process != os.getpid():  # forked: the file is the parent's
            self._close()
            self._process = os.getpid()
        if self._file < 0:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._folder / f"{os.getpid()}-{secrets.token_hex(12)}{SUFFIX}"
            # It gets its name once it is locked, or it would look like that of a dead process for a moment.
            early = path.with_suffix(".new")
            file = os.open(early, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            early.rename(path)
            self._file, self._size, self._is_torn = file, 0, False
        return self._file


def waiting(folder: Path) -> int:
    """How many bytes lie in the journals."""
    sizes = 0
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            sizes += path.stat().st_size
        except FileNotFoundError:
            continue
    return sizes
