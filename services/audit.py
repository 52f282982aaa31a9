"""The record of who did what: rows that are only ever added, each bound to the one before by its hash."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import event, func, insert, select
from sqlalchemy.orm import Session, SessionTransaction

from database.types import now
from models.system_log import SystemLog
from models.user import User
from services import context
from services.actor import Actor
from services.text import harmless

BEFORE_THE_FIRST = "0" * 64
LONGEST_TEXT = 1000
LOGS = SystemLog.__table__
HASHED = ("user_id", "action", "status", "details", "error_message", "ip_address", "request_id")
_WAITING = "system_log"  # in the session's own notes: rows that are written as it commits
_CHAIN = 0x5046_445F_4C4F  # the advisory lock under which PostgreSQL lets one writer at a time take the last hash


def record(
    session: Session, actor: Actor, action: str, *, status: str = "success", error: str | None = None, **details: Any
) -> None:
    """Write one act with the caller's transaction, so that act and record stand or fall together.

    It is written as the last thing before the commit: whoever waits for the last hash waits for that commit alone.
    """
    came_from = context.origin()
    row = {
        "user_id": actor.user_id,
        "action": action,
        "status": status,
        "details": _plain({"by": actor.username, **details}),
        "error_message": None if error is None else harmless(error)[:LONGEST_TEXT],
        "ip_address": came_from.address,
        "request_id": came_from.request_id,
        "created_at": now(),
    }
    session.info.setdefault(_WAITING, []).append((session.get_nested_transaction(), row))


def _plain(details: Mapping[str, Any]) -> Any:
    """The details as they come back from the database, or the hash would not be theirs."""
    return orjson.loads(orjson.dumps(_harmless(details), option=orjson.OPT_NON_STR_KEYS, default=str))


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)[:LONGEST_TEXT]
    if isinstance(value, Mapping):
        return {harmless(str(name))[:LONGEST_TEXT]: _harmless(item) for name, item in value.items()}
    return [_harmless(item) for item in value] if isinstance(value, list | tuple | set | frozenset) else value


def hash_of(row: Mapping[str, Any], previous: str) -> str:
    """The SHA-256 over what a row says and the hash of the row before it."""
    created: datetime = row["created_at"]
    told = {name: row[name] for name in HASHED} | {"created_at": created.astimezone(UTC).isoformat(), "after": previous}
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def hold_chain(session: Session, *people: int | None) -> None:
    """Let nobody else add a row until this transaction ends; SQLite has one writer at a time anyway.

    First the people whom the rows will name: whoever holds the chain must wait for nobody, or two would wait for each
    other.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    named = sorted({number for number in people if number is not None})
    if named:
        share = select(User.id).where(User.id.in_(named)).order_by(User.id)
        session.execute(share.with_for_update(read=True, key_share=True))
    session.execute(select(func.pg_advisory_xact_lock(_CHAIN)))


def _append(session: Session) -> None:
    """Bind the waiting rows to the chain and write them."""
    if session.in_nested_transaction():
        return  # a savepoint ends, which is no commit yet
    waiting = session.info.pop(_WAITING, [])
    if not waiting:
        return
    session.flush()
    hold_chain(session, *(row["user_id"] for _, row in waiting))
    previous = session.scalar(select(LOGS.c.row_hash).order_by(LOGS.c.id.desc()).limit(1)) or BEFORE_THE_FIRST
    for _, row in waiting:
        digest = hash_of(row, previous)
        session.execute(insert(SystemLog).values(**row, previous_hash=previous, row_hash=digest))
        previous = digest


def _forget(session: Session, ended: SessionTransaction) -> None:
    """What was rolled back is not recorded."""
    waiting = session.info.get(_WAITING)
    if waiting:
        session.info[_WAITING] = [item for item in waiting if ended.nested and item[0] is not ended]


event.listen(Session, "before_commit", _append)
event.listen(Session, "after_soft_rollback", _forget)
