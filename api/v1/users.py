"""`/api/v1/users`: the people of an installation, for admins who are signed in; a key never touches accounts."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import cursors, deletion, people
from services.actor import Actor
from services.second_factor import reset
from web.rest.answers import Answer, Listed, Reply, listed, require_state, tagged
from web.rest.asked import Body, Query
from web.rest.kinds import CURSOR_WORDS, NAMED, Cursor, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_users", __name__, url_prefix=PREFIX)
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


class NewPerson(Body):
    """Who is to be invited."""

    username: Annotated[str, line(100, 1), NAMED]
    email: Annotated[str, line(255, 1), NAMED]
    role: Role


class Invitation(Answer):
    """The link with which an invited person opens their account; it works once and is shown this once."""

    id: int
    username: str
    link: str


class Ended(Answer):
    """How many sessions were ended."""

    sessions_ended: int


class Deletion(Answer):
    """What goes with an account and what stays when it is deleted; nothing is named that there is none of."""

    username: str
    goes: dict[str, int]
    stays: dict[str, int]


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
    return Person.from_row(people.get(session, actor, user_id))


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
    people.changeable(session, actor, user_id)
    require_state(_person(session, actor, user_id), expected, "account")
    if body.role is not None:
        people.set_role(session, actor, user_id, body.role)
    if body.is_active is not None:
        people.set_active(session, actor, user_id, body.is_active)
    session.flush()
    return tagged(_person(session, actor, user_id))


@operation(
    blueprint,
    "POST",
    "/users",
    permission=Permission.MANAGE_USERS,
    body=NewPerson,
    answer=Invitation,
    status=201,
    sudo=True,
    secret=True,
    refusals=(409,),
)
def invite_user(session: Session, actor: Actor, body: NewPerson, **_: Any) -> Reply:
    """Invite somebody: an account that waits for its owner, and their link, which is mailed as well"""
    user, link = people.add_invited(session, actor, username=body.username, email=body.email, role=body.role)
    told = Invitation(id=user.id, username=user.username, link=link)
    return Reply(told, {"Location": f"{PREFIX}/users/{user.id}"})


@operation(
    blueprint,
    "POST",
    f"{ONE}/invitation",
    permission=Permission.MANAGE_USERS,
    answer=Invitation,
    sudo=True,
    secret=True,
    refusals=(409,),
)
def invite_user_again(session: Session, actor: Actor, user_id: int, **_: Any) -> Invitation:
    """Make a new link for somebody who has not come yet; the earlier one ends"""
    link = people.invite_again(session, actor, user_id)
    found = _person(session, actor, user_id)
    return Invitation(id=found.id, username=found.username, link=link)


@operation(
    blueprint,
    "POST",
    f"{ONE}/end-sessions",
    permission=Permission.MANAGE_USERS,
    answer=Ended,
    sudo=True,
    refusals=(409,),
)
def end_user_sessions(session: Session, actor: Actor, user_id: int, **_: Any) -> Ended:
    """Sign somebody out everywhere"""
    return Ended(sessions_ended=people.end_sessions(session, actor, user_id))


@operation(
    blueprint,
    "POST",
    f"{ONE}/require-new-password",
    permission=Permission.MANAGE_USERS,
    answer=Ended,
    sudo=True,
    refusals=(409,),
)
def require_new_password(session: Session, actor: Actor, user_id: int, **_: Any) -> Ended:
    """Let the present password open nothing any more: sessions and keys end, and its owner chooses a new one"""
    return Ended(sessions_ended=people.require_new_password(session, actor, user_id))


@operation(
    blueprint,
    "POST",
    f"{ONE}/reset-second-factor",
    permission=Permission.MANAGE_USERS,
    answer=Person,
    sudo=True,
    refusals=(409,),
)
def reset_second_factor(session: Session, actor: Actor, user_id: int, **_: Any) -> Person:
    """Take a lost second factor off somebody's account; their sessions end"""
    reset.reset(session, actor, user_id)
    session.flush()
    return _person(session, actor, user_id)


@operation(blueprint, "GET", f"{ONE}/deletion", permission=Permission.MANAGE_USERS, answer=Deletion)
def preview_user_deletion(session: Session, actor: Actor, user_id: int, **_: Any) -> Deletion:
    """What would go and what would stay if an account were deleted"""
    found = deletion.preview(session, actor, user_id)
    return Deletion(username=found.username, goes=found.goes, stays=found.stays)


@operation(
    blueprint,
    "DELETE",
    ONE,
    permission=Permission.MANAGE_USERS,
    answer=None,
    status=204,
    sudo=True,
    refusals=(409,),
    description="What is personal goes, what the person made stays. It cannot be undone.",
)
def delete_user(session: Session, actor: Actor, user_id: int, **_: Any) -> None:
    """Delete an account"""
    deletion.delete(session, actor, user_id)
