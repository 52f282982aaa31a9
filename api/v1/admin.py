"""`/api/v1/users` and `/api/v1/system-log`, for those who may."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import cursors, people, trail
from services.actor import Actor
from web.rest.answers import Answer, Listed, Reply, listed, require_state, tagged
from web.rest.asked import Body, Query
from web.rest.kinds import CURSOR_WORDS, Cursor, Json, Paged, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_admin", __name__, url_prefix=PREFIX)
Role = Literal["viewer", "operator", "admin", "super_admin"]
ONE = "/users/<int:user_id>"


class Person(Answer):
    """An account as those see it who manage users."""

    id: int
    username: str
    email: str
    role: Role
    state: Literal["active", "disabled", "invited", "invitation ended"]
    two_factor: bool
    must_choose_password: bool
    last_sign_in: datetime | None
    sessions: int
    keys: int
    created: datetime
    may_change: bool


class PersonQuery(Query):
    """Which people; a page has a hundred."""

    text: Annotated[str, line(100)] = Field("", description="Part of the name or the address.")
    role: Role | None = None
    cursor: Cursor | None = Field(None, description=CURSOR_WORDS)


class PersonChange(Body):
    """What changes; what is left out stays."""

    role: Role | None = None
    is_active: bool | None = None


class LogEntry(Answer):
    """One act, and how it ended."""

    id: int
    moment: datetime
    user: str
    action: str
    status: str
    details: Json
    error: str | None
    address: str | None
    request_id: str | None


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
    "/users",
    permission=Permission.MANAGE_USERS,
    query=PersonQuery,
    answer=Listed[Person],
    table=Person,
    description="For admins who are signed in; a key never touches accounts.",
)
def list_users(session: Session, actor: Actor, query: PersonQuery) -> Reply:
    """The people of this installation by name"""
    about = ["users", query.text, query.role]
    after = cursors.read(query.cursor, about)[0] if query.cursor else None
    found, following = people.page(session, actor, text=query.text, role=query.role, after=after)
    cursor = None if following is None else cursors.write(about, [following])
    return listed(Listed[Person](items=[Person.from_row(one) for one in found], next=cursor))


@operation(blueprint, "GET", ONE, permission=Permission.MANAGE_USERS, answer=Person, tagged=True)
def get_user(session: Session, actor: Actor, user_id: int, **_: Any) -> Reply:
    """One person"""
    return tagged(_person(session, actor, user_id))


def _person(session: Session, actor: Actor, user_id: int) -> Person:
    return Person.from_row(people.get(session, actor, min(user_id, 2**31 - 1)))


@operation(
    blueprint,
    "PATCH",
    ONE,
    permission=Permission.MANAGE_USERS,
    body=PersonChange,
    answer=Person,
    tagged=True,
    conditional=True,
    sudo=True,
    refusals=(409,),
)
def change_user(
    session: Session, actor: Actor, user_id: int, body: PersonChange, expected: tuple[str, ...], **_: Any
) -> Reply:
    """Give somebody another role, shut them out or let them in again"""
    number = min(user_id, 2**31 - 1)
    people.changeable(session, actor, number)
    require_state(_person(session, actor, number), expected, "account")
    if body.role is not None:
        people.set_role(session, actor, number, body.role)
    if body.is_active is not None:
        people.set_active(session, actor, number, body.is_active)
    session.flush()
    return tagged(_person(session, actor, number))


@operation(
    blueprint,
    "GET",
    "/system-log",
    permission=Permission.VIEW_AUDIT_LOGS,
    query=LogQuery,
    answer=Listed[LogEntry],
    table=LogEntry,
)
def list_system_log(session: Session, actor: Actor, query: LogQuery) -> Reply:
    """What happened on this installation, the newest first"""
    words = (query.action, query.status or "", query.user, query.since or "", query.until or "")
    about = ["system-log", *words]
    before = cursors.read(query.cursor, about)[0] if query.cursor else None
    found, following = trail.page(session, actor, trail.wanted(*words), before=before, limit=query.limit)
    cursor = None if following is None else cursors.write(about, [following])
    return listed(Listed[LogEntry](items=[LogEntry.from_row(one) for one in found], next=cursor))
