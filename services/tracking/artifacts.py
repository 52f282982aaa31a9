"""Files that runs and models carry along: streamed to a folder of ours and back, one for each run or model."""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.settings import settings
from models.experiment import Experiment
from services.actor import Actor
from services.tracking import ids, models, runs
from services.tracking.errors import DiskFull, InvalidParameter, NotThere, TooLarge

CHUNK = 1_048_576  # bytes held in memory of a file of any size
LONGEST_PART, LONGEST_PATH, MOST_LISTED, MOST_NOTED = 255, 2000, 10_000, 200
_COMING = ".coming"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose file it is, and where among theirs; no parts: the folder itself."""

    owner: Path
    parts: tuple[str, ...]
    run_id: str | None
    model_id: str | None

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.owner.joinpath(*self.parts)


def root() -> Path:
    """The folder of all artifacts."""
    return settings().artifacts_dir


def coming() -> Path:
    """Where files lie until all of them is there."""
    return root() / _COMING


def largest() -> int:
    """How many bytes a file may have."""
    return settings().artifact_bytes


def place(address: str) -> Place:
    """What an address below the artifacts means: “12/<run>/artifacts/…” or “12/models/<model>/artifacts/…”."""
    group, *rest = _parts(address) or ("",)
    if len(rest) < 2 or not (group.isascii() and group.isdecimal()):
        raise InvalidParameter("Invalid path")
    if rest[0] == "models":
        if len(rest) < 3 or rest[2] != "artifacts":
            raise InvalidParameter("Invalid path")
        return Place(root() / "models" / rest[1], tuple(rest[3:]), None, rest[1])
    if rest[1] != "artifacts":
        raise InvalidParameter("Invalid path")
    return Place(root() / "runs" / rest[0], tuple(rest[2:]), rest[0], None)


def of_run(run_id: str, path: str) -> Place:
    """The place of a path among the files of a run."""
    return Place(root() / "runs" / run_id, _parts(path), run_id, None)


def _parts(path: str) -> tuple[str, ...]:
    """The names of a path, of which none leads elsewhere."""
    parts = tuple(part for part in path.split("/") if part)
    if path.startswith("/") or len(path.encode("utf-8", "replace")) > LONGEST_PATH or not all(map(_is_plain, parts)):
        raise InvalidParameter("Invalid path")
    return parts


def _is_plain(part: str) -> bool:
    # U+FFFD stands for bytes that were no UTF-8.
    if part in (".", "..") or "\\" in part or "\ufffd" in part or not part.isprintable():
        return False
    return len(part.encode("utf-8", "replace")) <= LONGEST_PART


def require_reading(session: Session, actor: Actor, where: Place) -> None:
    """Refuse unless the actor sees whose file it is."""
    if where.run_id is not None:
        runs.number_of(session, actor, where.run_id)
    else:
        models.get(session, actor, str(where.model_id), deleted=True)


def require_writing(session: Session, actor: Actor, where: Place) -> None:
    """Refuse unless the actor may write to whose file it is."""
    if where.run_id is not None:
        runs.target(session, actor, where.run_id)
    else:
        models.writable(session, actor, str(where.model_id))


def _inside(where: Place) -> Path:
    """The path, unless a link would lead it out of the owner's folder."""
    path = where.path
    if not path.resolve().is_relative_to(where.owner.resolve()) or not where.owner.resolve().is_relative_to(
        root().resolve()
    ):
        raise InvalidParameter("Invalid path")
    return path


def save(where: Place, stream: IO[bytes], announced: int | None) -> None:
    """Keep a stream of so many bytes, under its name only once all of it is there."""
    if not where.parts:
        raise InvalidParameter("Invalid path")
    path = _inside(where)
    half = coming() / secrets.token_hex(16)
    half.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with half.open("xb") as file:
            _copy(stream, file, announced)
            file.flush()
            os.fsync(file.fileno())
        with _as_refusal():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            half.replace(path)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull from error
    finally:
        half.unlink(missing_ok=True)


def note(session: Session, where: Place) -> None:
    """Let the page of the experiment name what lies at the top of its files."""
    if where.run_id is None:
        return
    number, noted = session.execute(
        select(Experiment.id, Experiment.artifact_paths).where(ids.run_condition(where.run_id)).with_for_update()
    ).one()
    top = where.parts[0] if where.parts else ""  # without one, all of them went
    names = [name for name in noted or [] if top and name != top]
    if top and where.owner.joinpath(top).exists():
        names.append(top)
    if sorted(names) != sorted(noted or []) and len(names) <= MOST_NOTED:
        session.execute(update(Experiment).where(Experiment.id == number).values(artifact_paths=names or None))


def is_noted(session: Session, where: Place) -> bool:
    """Whether the page of the experiment names it already."""
    if where.run_id is None:
        return True
    noted = session.scalar(select(Experiment.artifact_paths).where(ids.run_condition(where.run_id)))
    return where.parts[0] in (noted or [])


def _copy(stream: IO[bytes], file: IO[bytes], announced: int | None) -> None:
    most, total = largest(), 0
    while block := _next(stream):
        total += len(block)
        if total > most:
            raise TooLarge(f"An artifact has at most {most:,} bytes (PFD_ARTIFACT_BYTES).")
        file.write(block)
    if announced is not None and total != announced:
        raise InvalidParameter(f"The file broke off: {total:,} of {announced:,} bytes have come.")


def _next(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(CHUNK)
    except (TimeoutError, ConnectionError) as error:
        raise InvalidParameter("The file broke off: nothing more has come.") from error


@contextlib.contextmanager
def _as_refusal() -> Iterator[None]:
    """A file where a folder is wanted, or the reverse, is the caller's mistake."""
    try:
        yield
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise InvalidParameter("There is a file where this path has a folder, or a folder where it has a file.") from (
            error
        )


def file(where: Place) -> Path:
    """A file that is there."""
    path = _inside(where)
    if not where.parts or not path.is_file() or path.is_symlink():
        raise NotThere("No such artifact")
    return path


def listed(where: Place) -> list[dict[str, Any]]:
    """What a folder holds; of a file, the file itself."""
    path = _inside(where)
    if path.is_file():
        return [_entry(path)]
    if not path.is_dir():
        return []
    found: list[dict[str, Any]] = []
    with os.scandir(path) as entries:
        for entry in entries:
            if len(found) >= MOST_LISTED:
                break
            if not entry.is_symlink():
                found.append(_entry(Path(entry.path)))
    return sorted(found, key=lambda one: str(one["path"]))


def _entry(path: Path) -> dict[str, Any]:
    if path.is_dir():
        return {"path": path.name, "is_dir": True}
    return {"path": path.name, "is_dir": False, "file_size": path.stat().st_size}


def remove(where: Place) -> None:
    """Remove a file, or a folder with all that it holds."""
    path = _inside(where)
    if path.is_dir():
        shutil.rmtree(path)
    elif path.is_file():
        path.unlink()
    else:
        raise NotThere("No such artifact")
