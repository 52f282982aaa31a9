"""The file of root secrets: one a line, the newest first, readable by its owner only."""

import contextlib
import os
import secrets
from pathlib import Path

from config.errors import ConfigurationError

SHORTEST_KEY = 32  # characters
MOST_KEYS = 8


def read(path: Path) -> tuple[str, ...]:
    """The keys in the file, which is made with a first one where it is missing."""
    if not path.exists():
        partial = _written(path, [_new()])
        with contextlib.suppress(FileExistsError):  # of two starts, one wins
            os.link(partial, path)
        partial.unlink()
    keys = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    if not keys or any(len(key) < SHORTEST_KEY for key in keys):
        raise ConfigurationError(
            f"The secret key in {path} is damaged: it has fewer than {SHORTEST_KEY} characters. Restore the file from "
            "a backup: what was encrypted with it cannot be read with another."
        )
    return tuple(keys)


def add(path: Path) -> None:
    """Put a new key before the ones there are."""
    keys = [_new(), *read(path)][:MOST_KEYS]
    _written(path, keys).replace(path)


def keep_newest(path: Path) -> None:
    """Forget all keys but the newest, once nothing is encrypted with them any more."""
    _written(path, list(read(path)[:1])).replace(path)


def _new() -> str:
    return secrets.token_urlsafe(48)


def _written(path: Path, keys: list[str]) -> Path:
    """A file beside the other with these keys, whole before it gets its name, so that nobody ever reads half a key."""
    partial = path.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join(keys))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:  # a full disk
        partial.unlink()
        error.filename = str(path)
        raise
    return partial
