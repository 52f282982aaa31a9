"""Files that runs and models carry along: whose they are, which names and sizes they may have, who may do what."""

from dataclasses import dataclass
from typing import IO, Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.settings import settings
from models.experiment import Experiment
from services.actor import Actor
from services.storage.chosen import store
from services.storage.store import At, Opened, Writer
from services.tracking import ids, models, runs
from services.tracking.errors import InvalidParameter, TooLarge

CHUNK = 1_048_576  # bytes taken at once of a file of any size
LONGEST_PART, LONGEST_PATH, MOST_LISTED, MOST_NOTED = 255, 2000, 10_000, 200


@dataclass(frozen=True, slots=True)
class Place:
    """Whose file it is, and where among theirs; no parts: all that is theirs."""

    at: At
    run_id: str | None
    model_id: str | None


def _of_run(run_id: str, parts: tuple[str, ...]) -> Place:
    return Place(At(f"runs/{run_id}", parts), run_id, None)


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
        return Place(At(f"models/{rest[1]}", tuple(rest[3:])), None, rest[1])
    if rest[1] != "artifacts":
        raise InvalidParameter("Invalid path")
    return _of_run(rest[0], tuple(rest[2:]))


def of_run(run_id: str, path: str) -> Place:
    """The place of a path among the files of a run."""
    return _of_run(run_id, _parts(path))


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


def save(where: Place, stream: IO[bytes], announced: int | None) -> None:
    """Keep a stream of so many bytes, under its name only once all of it is there."""
    if not where.at.parts:
        raise InvalidParameter("Invalid path")
    with store().writing(where.at) as file:
        _copy(stream, file, announced)


def _copy(stream: IO[bytes], file: Writer, announced: int | None) -> None:
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


def opened(where: Place) -> Opened:
    """A file that is there."""
    return store().open(where.at)


def listed(where: Place) -> list[dict[str, Any]]:
    """What a folder holds; of a file, the file itself."""
    return [
        {"path": one.name, "is_dir": one.is_folder} | ({} if one.is_folder else {"file_size": one.size})
        for one in store().listed(where.at, MOST_LISTED)
    ]


def remove(where: Place) -> None:
    """Remove a file, or a folder with all that it holds."""
    store().remove(where.at)


def is_there(where: Place) -> bool:
    """Whether something lies at the top of the files by the name with which this place begins."""
    top = where.at.parts[:1]
    return bool(top) and store().exists(At(where.at.owner, top))


def note(session: Session, where: Place, there: bool) -> None:
    """Let the page of the experiment name what lies at the top of its files, as `is_there` has just found it."""
    if where.run_id is None:
        return
    number, noted = session.execute(
        select(Experiment.id, Experiment.artifact_paths).where(ids.run_condition(where.run_id)).with_for_update()
    ).one()
    top = where.at.parts[0] if where.at.parts else ""  # without one, all of them went
    names = [name for name in noted or [] if top and name != top]
    if there:
        names.append(top)
    if sorted(names) != sorted(noted or []) and len(names) <= MOST_NOTED:
        session.execute(update(Experiment).where(Experiment.id == number).values(artifact_paths=names or None))


def is_noted(session: Session, where: Place) -> bool:
    """Whether the page of the experiment names it already."""
    if where.run_id is None:
        return True
    noted = session.scalar(select(Experiment.artifact_paths).where(ids.run_condition(where.run_id)))
    return where.at.parts[0] in (noted or [])
