"""`/api/v1/system-log`, for those who may read it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import cursors, trail
from services.actor import Actor
from web.rest.answers import Answer, Listed, Reply, file_form, listed
from web.rest.kinds import Json, Paged, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_admin", __name__, url_prefix=PREFIX)


class LogEntry(Answer):
    """One act, how it ended, and the hashes by which the row is bound to the one before it."""

    id: int
    moment: datetime
    user: str
    action: str
    status: str
    details: Json
    error: str | None
    address: str | None
    request_id: str | None
    previous_hash: str | None
    row_hash: str | None


class LogActions(Answer):
    """The words for which `action` finds something."""

    actions: list[str]


class Verdict(Answer):
    """What a walk along the chain has found; `broken` is the id of the first row that does not fit, and why."""

    rows: int
    before_the_chain: int
    broken: int | None
    reason: str
    head: str


class LogQuery(Paged):
    """Which entries; days are of UTC."""

    action: Annotated[str, line(100)] = ""
    status: Literal["success", "refused", "failed"] | None = None
    user: Annotated[str, line(100)] = ""
    since: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    until: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


@operation(
    blueprint,
    "GET",
    "/system-log",
    permission=Permission.VIEW_AUDIT_LOGS,
    query=LogQuery,
    answer=Listed[LogEntry],
    table=LogEntry,
    export=True,
)
def list_system_log(session: Session, actor: Actor, query: LogQuery) -> Reply:
    """What happened on this installation, the newest first"""
    words = (query.action, query.status or "", query.user, query.since or "", query.until or "")
    about = ["system-log", *words]
    before = cursors.read(query.cursor, about)[0] if query.cursor else None
    wanted = trail.wanted(*words)
    found, following = trail.page(session, actor, wanted, before=before, limit=query.limit)
    if form := file_form():
        trail.note_export(session, actor, wanted, form, len(found))
    cursor = None if following is None else cursors.write(about, [following])
    return listed(Listed[LogEntry](items=[LogEntry.from_row(one) for one in found], next=cursor))


@operation(blueprint, "GET", "/system-log/actions", permission=Permission.VIEW_AUDIT_LOGS, answer=LogActions)
def list_system_log_actions(session: Session, actor: Actor, **_: Any) -> LogActions:
    """The kinds of acts that there are, 200 at the most"""
    return LogActions(actions=trail.actions(session, actor))


@operation(
    blueprint,
    "GET",
    "/system-log/verification",
    permission=Permission.VIEW_AUDIT_LOGS,
    answer=Verdict,
    description="It reads every row, and unlike the button of the page leaves none.",
)
def verify_system_log(session: Session, actor: Actor, **_: Any) -> Verdict:
    """Check the whole chain of the system log"""
    return Verdict.from_row(trail.verify(session, actor))
