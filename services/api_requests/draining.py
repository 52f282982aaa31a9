"""Make rows of what stands in the journals, each record once, whenever and wherever it is killed."""

import contextlib
import fcntl
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from database.engine import transaction
from database.types import now
from models.api_journal import APIJournal
from models.api_key import APIKey, APIUsage
from models.api_request_log import APIRequestLog
from services.api_metrics import counts
from services.api_requests.journal import SUFFIX

logger = logging.getLogger(__name__)

CHUNK = 400_000  # bytes in one transaction, so that no other writer waits long
DONE = ".done"
FORGOTTEN = 3600.0  # seconds
FIELDS = (
    "endpoint", "method", "status_code", "response_time_ms", "request_size_bytes", "response_size_bytes", "ip_address",
    "user_agent", "error_message", "request_id", "request_payload_sample", "response_payload_sample",
)  # fmt: skip
# What a record raises that no row can be made of: a journal may be of another version, and its disk may be failing.
UNFIT = (DataError, IntegrityError, KeyError, TypeError, ValueError, OverflowError)


class Drain:
    """Takes over the journals of a folder; of all processes one does at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._positions: dict[str, int] = {}  # up to where this process knows each to be taken over

    def run(self) -> int | None:
        """Take over what is there; how many records it were, or None where another process is at it."""
        if not self._folder.is_dir():
            return 0
        with _alone(self._folder / "lock") as mine:
            if not mine:
                return None
            for path in self._folder.glob(f"*{DONE}"):
                self._end(path)
            for path in self._folder.glob("*.new"):  # of a process that was killed before it wrote anything
                with contextlib.suppress(FileNotFoundError):  # it has its first record by now, and another name
                    if path.stat().st_mtime < time.time() - FORGOTTEN:
                        path.unlink()
            return sum(self._take(path) for path in sorted(self._folder.glob(f"*{SUFFIX}")))

    def _take(self, path: Path) -> int:
        # Asked first: what a process that is gone by now has written is all there when the file is read.
        is_ended = _is_nobodys(path)
        taken, name = 0, path.name
        while path.stat().st_size > self._positions.get(name, -1):
            try:
                count, position, following = _step(path, write)
            except UNFIT:  # one that no row can be made of must not hold up all behind it
                count, position, following = _step(path, _write_each)
            taken += count
            self._positions[name] = following
            if following == position:
                break  # what is left is half a record
        if is_ended:
            self._end(path.rename(path.with_name(f"{name}{DONE}")))
        return taken

    def _end(self, path: Path) -> None:
        """Forget a file; in this order it is never taken over again, and leaves no row behind."""
        name = path.name.removesuffix(DONE)
        with transaction() as session:
            session.execute(delete(APIJournal).where(APIJournal.name == name))
        path.unlink(missing_ok=True)
        self._positions.pop(name, None)


def _step(path: Path, keep: Callable[[Session, list[dict[str, Any]]], None]) -> tuple[int, int, int]:
    """Take over the next records in one transaction; how many, and from where to where."""
    with transaction() as session:
        position = _locked_position(session, path.name)
        records, following = _read(path, position)
        if records:
            keep(session, records)
        if following > position:
            session.execute(update(APIJournal).where(APIJournal.name == path.name).values(position=following))
    return len(records), position, following


def _write_each(session: Session, records: list[dict[str, Any]]) -> None:
    for record in records:
        try:
            with session.begin_nested():
                write(session, [record])
        except UNFIT as error:
            logger.error("a record of a request was left out: %s", type(error).__name__)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[bool]:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _is_nobodys(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _locked_position(session: Session, name: str) -> int:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(APIJournal).values(name=name, position=0).on_conflict_do_nothing())
    held = select(APIJournal.position).where(APIJournal.name == name).with_for_update()
    return session.scalars(held).one()


def _read(path: Path, position: int) -> tuple[list[dict[str, Any]], int]:
    """The whole records from here on, and where they end."""
    with path.open("rb") as file:
        file.seek(position)
        chunk = file.read(CHUNK)
    end = chunk.rfind(b"\n") + 1
    records = []
    for line in chunk[:end].splitlines():
        if not line:
            continue
        try:
            records.append(orjson.loads(line))
        except orjson.JSONDecodeError:  # cut short by a full disk, so its answer was not recorded
            logger.warning("half a record of a request was left out")
    return records, position + end


def write(session: Session, records: list[dict[str, Any]]) -> None:
    """Make rows; a key that is gone by now has no usage, and its requests are nobody's."""
    prefixes = {record["key"] for record in records if record["key"]}
    ids: dict[str, int] = {}
    if prefixes:
        held = select(APIKey.prefix, APIKey.id).where(APIKey.prefix.in_(prefixes)).order_by(APIKey.id)
        rows = session.execute(held.with_for_update(read=True, key_share=True))
        ids = {prefix: number for prefix, number in rows}  # noqa: C416 - rows are no pairs to mypy
    moment = now()
    usage, logs = [], []
    for record in records:
        key_id = ids.get(record["key"])
        asked = datetime.fromtimestamp(record["time"] / 1e6, UTC)
        known = {name: record[name] for name in FIELDS}
        logs.append({**known, "request_time": asked, "api_key_id": key_id, "created_at": moment, "updated_at": moment})
        if key_id is not None:
            usage.append(
                {
                    "api_key_id": key_id,
                    "endpoint": record["endpoint"],
                    "method": record["method"],
                    "status_code": record["status_code"],
                    "response_time_ms": round(record["response_time_ms"]),
                    "timestamp": asked,
                }
            )
    session.execute(insert(APIRequestLog), logs)
    counts.add(session, logs)
    if usage:
        session.execute(insert(APIUsage), usage)
