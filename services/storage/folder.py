"""Files in a folder of this machine."""

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from services.errors import Invalid
from services.storage.errors import Full, InTheWay, Missing
from services.storage.store import At, Entry, Opened

FULL = "The disk of the server is full: nothing can be saved until somebody makes room on it."
_COMING = ".coming"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of its own for every run and model; what comes in lies apart until all of it is there."""

    root: Path

    @contextlib.contextmanager
    def writing(self, at: At) -> Iterator[IO[bytes]]:
        """Written beside, and moved under its name in one step."""
        path = self._inside(at)
        half = self.root / _COMING / secrets.token_hex(16)
        try:
            half.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with half.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            with _as_refusal():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                half.replace(path)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Full(FULL) from error
        finally:
            half.unlink(missing_ok=True)

    def open(self, at: At) -> Opened:
        """A file that is there; what takes its place meanwhile does not disturb the reader."""
        path = self._inside(at)
        if not at.parts or not path.is_file() or path.is_symlink():
            raise Missing
        file = path.open("rb")
        found = os.fstat(file.fileno())
        changed_at = datetime.fromtimestamp(found.st_mtime, UTC)
        return Opened(file, found.st_size, changed_at, f"{found.st_mtime_ns:x}-{found.st_size:x}")

    def listed(self, at: At, most: int) -> list[Entry]:
        """What a folder holds, without links."""
        path = self._inside(at)
        if path.is_file():
            return [_entry(path)]
        if not path.is_dir():
            return []
        found: list[Entry] = []
        with os.scandir(path) as entries:
            for entry in entries:
                if len(found) >= most:
                    break
                if not entry.is_symlink():
                    found.append(_entry(Path(entry.path)))
        return sorted(found, key=lambda one: one.name)

    def exists(self, at: At) -> bool:
        """Whether there is a file or a folder."""
        return self._inside(at).exists()

    def remove(self, at: At) -> None:
        """Remove a file, or a folder with all that it holds."""
        path = self._inside(at)
        if path.is_dir():
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
        else:
            raise Missing

    def owners(self, kind: str) -> Iterator[str]:
        """The folders of runs or of models."""
        folder = self.root / kind
        with os.scandir(folder) if folder.is_dir() else contextlib.nullcontext(()) as entries:
            yield from (entry.name for entry in entries)

    def remove_broken_off(self, seconds: float) -> int:
        """Remove halves that nobody has written to for so long."""
        gone = 0
        for path in (self.root / _COMING).glob("*"):
            if path.stat().st_mtime < time.time() - seconds:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _inside(self, at: At) -> Path:
        """The path, unless a link would lead it out of the owner's folder."""
        owner = self.root / at.owner
        path = owner.joinpath(*at.parts)
        if not path.resolve().is_relative_to(owner.resolve()) or not owner.resolve().is_relative_to(
            self.root.resolve()
        ):
            raise Invalid("Invalid path")
        return path


def _entry(path: Path) -> Entry:
    return Entry(path.name, None if path.is_dir() else path.stat().st_size)


@contextlib.contextmanager
def _as_refusal() -> Iterator[None]:
    try:
        yield
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise InTheWay from error
