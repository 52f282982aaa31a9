"""What every place for files can do; the rules (whose file, which names, how large) stand elsewhere."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol

KINDS = ("runs", "models")  # whose files they can be


@dataclass(frozen=True, slots=True)
class At:
    """A place in the store: whose (“runs/<id>”), and where among theirs; no parts: all that is theirs."""

    owner: str
    parts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder in a list; a folder has no size."""

    name: str
    size: int | None

    @property
    def is_folder(self) -> bool:
        return self.size is None


class Writer(Protocol):
    """What a file on its way in takes."""

    def write(self, data: bytes, /) -> int:
        """Add to its end."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file to be read from its beginning, or after a `seek`; whoever asked for it closes it."""

    stream: IO[bytes]
    size: int
    changed_at: datetime
    version: str  # another one for other content


class Store(Protocol):
    """A folder or a bucket. All of it raises what `errors.py` lists, and nothing of a library."""

    def writing(self, at: At) -> AbstractContextManager[Writer]:
        """A file to write to, there under its name once the block has ended well, and never otherwise."""

    def open(self, at: At) -> Opened:
        """A file that is there."""

    def listed(self, at: At, most: int) -> list[Entry]:
        """What a folder holds, by name and no more than so many; of a file, the file itself."""

    def exists(self, at: At) -> bool:
        """Whether there is a file or a folder."""

    def remove(self, at: At) -> None:
        """Remove a file, or a folder with all that it holds."""

    def owners(self, kind: str) -> Iterator[str]:
        """Who has files here, of one of the `KINDS`."""

    def remove_broken_off(self, seconds: float) -> int:
        """Remove what has been on its way in for longer; returns how many."""
