"""The system log as those read it who may: searched, exported, and its chain checked."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson
from sqlalchemy import Select, case, func, literal, select
from sqlalchemy.orm import Session, aliased

from models.permissions import Permission
from models.system_log import SystemLog
from models.user import User
from services import audit
from services.actor import SYSTEM, Actor
from services.errors import Invalid, NotFound
from services.experiments.options import csv_cell
from services.owners import shown_name
from services.refusals import NOBODY, STATUS
from services.text import clean

EXPORTED = ("id", "user", *audit.HASHED, "created_at", "previous_hash", "row_hash")
PAGE, MOST_EXPORTED, MOST_ACTIONS, BATCH = 50, 10_000, 200, 1000
STATUSES = ("success", STATUS, "failed")
LOGS = audit.LOGS
# Without an account it was the machine itself, or somebody who was refused before anybody knew who they are.
_NAMELESS = case((SystemLog.status == STATUS, NOBODY.username), else_=SYSTEM.username)
_NAME = case((SystemLog.user_id.is_(None), _NAMELESS), else_=shown_name())


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are asked for; `until` is the first moment that is not."""

    action: str | None = None
    status: str | None = None
    user: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log."""

    id: int
    moment: datetime
    user: str
    action: str
    status: str
    details: dict[str, Any]
    error: str | None
    address: str | None
    request_id: str | None
    previous_hash: str | None
    row_hash: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain has found; `broken` is the id of the first row that does not fit."""

    rows: int
    before_the_chain: int
    broken: int | None = None
    reason: str = ""
    head: str = ""


def wanted(action: str = "", status: str = "", user: str = "", since: str = "", until: str = "") -> Wanted:
    """What was asked for in the words of an address, or what is wrong with it."""
    if status and status not in STATUSES:
        raise Invalid("There is no such status.", field="status")
    begin, end = _day(since, "since"), _day(until, "until")
    if begin is not None and end is not None and begin > end:
        raise Invalid("The first day comes after the last.", field="until")
    return Wanted(
        action=clean(action, field="action", longest=100) or None,
        status=status or None,
        user=clean(user, field="user", longest=100),
        since=begin,
        until=None if end is None else end + timedelta(days=1),
    )


def _day(text: str, field: str) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("A day is written as 2026-01-31.", field=field) from error
    if not 2000 <= day.year <= 2200:
        raise Invalid("A day lies between the years 2000 and 2200.", field=field)
    return datetime.combine(day, time(), UTC)


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of the log starts here: all rows with the present names of people, for those who may read it."""
    actor.require(Permission.VIEW_AUDIT_LOGS)
    return select(SystemLog, _NAME).outerjoin(User, User.id == SystemLog.user_id)


def page(
    session: Session, actor: Actor, asked: Wanted, *, before: int | None = None, limit: int = PAGE
) -> tuple[list[Entry], int | None]:
    """The newest rows, or those before a row, and where the next page begins if there is one."""
    query = _filtered(visible_to(actor), asked)
    if before is not None:
        query = query.where(SystemLog.id < before)
    rows = session.execute(query.order_by(SystemLog.id.desc()).limit(limit + 1)).all()
    return [_entry(row) for row in rows[:limit]], rows[limit - 1][0].id if len(rows) > limit else None


def _filtered(query: Select[Any], asked: Wanted) -> Select[Any]:
    if asked.action is not None:
        query = query.where(SystemLog.action == asked.action)
    if asked.status is not None:
        query = query.where(SystemLog.status == asked.status)
    if asked.user:
        query = query.where(_NAME.icontains(asked.user, autoescape=True))
    if asked.since is not None:
        query = query.where(SystemLog.created_at >= asked.since)
    if asked.until is not None:
        query = query.where(SystemLog.created_at < asked.until)
    return query


def _entry(row: Any) -> Entry:
    log, name = row
    details = log.details if isinstance(log.details, dict) else {}
    return Entry(
        id=log.id,
        moment=log.created_at,
        user=name,
        action=log.action,
        status=log.status,
        details=details,
        error=log.error_message,
        address=log.ip_address,
        request_id=log.request_id,
        previous_hash=log.previous_hash,
        row_hash=log.row_hash,
    )


def one(session: Session, actor: Actor, entry_id: int) -> Entry:
    """One row."""
    row = session.execute(visible_to(actor).where(SystemLog.id == entry_id)).first()
    if row is None:
        raise NotFound("entry")
    return _entry(row)


def actions(session: Session, actor: Actor) -> list[str]:
    """The actions that there are, in order; one index step per action instead of one per row."""
    actor.require(Permission.VIEW_AUDIT_LOGS)
    first = select(func.min(SystemLog.action).label("name"), literal(1).label("place"))
    names = first.cte("names", recursive=True)
    step = aliased(SystemLog)
    following = select(func.min(step.action)).where(step.action > names.c.name).correlate(names).scalar_subquery()
    names = names.union_all(
        select(following, names.c.place + 1).where(names.c.name.is_not(None), names.c.place < MOST_ACTIONS)
    )
    return list(session.scalars(select(names.c.name).where(names.c.name.is_not(None))))


def as_csv(session: Session, actor: Actor, asked: Wanted) -> str:
    """The rows as CSV, the newest first, safe to open in a spreadsheet; the export is itself a row."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(EXPORTED)
    for values in _exported(session, actor, asked, "csv"):
        cells = {**values, "details": orjson.dumps(values["details"]).decode()}
        writer.writerow([csv_cell(cells[name]) for name in EXPORTED])
    return out.getvalue()


def as_json(session: Session, actor: Actor, asked: Wanted) -> str:
    """The same as JSON, with all that is needed to check the hashes elsewhere."""
    return orjson.dumps(list(_exported(session, actor, asked, "json")), option=orjson.OPT_INDENT_2).decode()


def _exported(session: Session, actor: Actor, asked: Wanted, form: str) -> Iterator[dict[str, Any]]:
    rows = session.execute(_filtered(visible_to(actor), asked).order_by(SystemLog.id.desc()).limit(MOST_EXPORTED)).all()
    note_export(session, actor, asked, form, len(rows))
    for log, name in rows:
        values = {column: getattr(log, column) for column in EXPORTED if column != "user"}
        yield {**values, "user": name, "created_at": log.created_at.isoformat()}


def note_export(session: Session, actor: Actor, asked: Wanted, form: str, rows: int) -> None:
    """Write down that somebody takes this many rows along."""
    audit.record(session, actor, "trail.export", form=form, rows=rows, asked=_words(asked))


def _words(asked: Wanted) -> dict[str, str]:
    given = {name: getattr(asked, name) for name in ("action", "status", "user", "since", "until")}
    return {name: str(value) for name, value in given.items() if value}


def verify(session: Session, actor: Actor) -> Verdict:
    """Walk along the whole chain, a batch at a time, and stop at the first row that does not fit."""
    actor.require(Permission.VIEW_AUDIT_LOGS)
    rows = early = 0
    previous, after = None, 0
    while True:
        batch = session.execute(select(*LOGS.c).where(LOGS.c.id > after).order_by(LOGS.c.id).limit(BATCH)).mappings()
        found = batch.all()
        for row in found:
            if previous is None and row["row_hash"] is None:
                early += 1
                continue
            reason = _fault(row, audit.BEFORE_THE_FIRST if previous is None else previous)
            if reason:
                return Verdict(rows, early, row["id"], reason, previous or "")
            rows, previous = rows + 1, row["row_hash"]
        if len(found) < BATCH:
            return Verdict(rows, early, head=previous or "")
        after = found[-1]["id"]


def _fault(row: Any, previous: str) -> str:
    if row["row_hash"] is None:
        return "it has no hash"
    if row["previous_hash"] != previous:
        return "the row before it was removed, or changed together with its hash"
    return "" if audit.hash_of(row, previous) == row["row_hash"] else "what it says was changed"


def record_verdict(session: Session, actor: Actor, verdict: Verdict) -> None:
    """Remember that somebody has checked the chain, and where it ended then."""
    status = "success" if verdict.broken is None else "failed"
    error = None if verdict.broken is None else f"Row {verdict.broken}: {verdict.reason}."
    audit.record(session, actor, "trail.verify", status=status, error=error, rows=verdict.rows, head=verdict.head)
