"""`/api/v1/sessions` and `/api/v1/sign-ins`: where one is signed in, and each attempt to be."""

from datetime import datetime
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import cursors, session_list, sign_ins
from services.actor import Actor
from web.identity import current_session
from web.rest.answers import Answer, Listed, Reply, listed
from web.rest.kinds import Paged
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_your_sessions", __name__, url_prefix=PREFIX)
SESSIONS = "/sessions"
SIGNED_IN = "For who is signed in; a key never touches accounts."


class OpenSession(Answer):
    """A browser that is signed in to your account; device and address are what it and its network say."""

    id: int
    device: str
    kind: str
    address: str
    place: str
    first_seen: datetime
    last_seen: datetime
    ends: datetime
    is_this: bool


class EndedSessions(Answer):
    """How many sessions were ended."""

    sessions_ended: int


class SignIn(Answer):
    """An attempt to sign in to your account; the place is guessed from the address."""

    id: int
    moment: datetime
    method: str
    succeeded: bool
    reason: str | None
    address: str
    place: str
    device: str


class SignInQuery(Paged):
    """Which attempts."""

    result: sign_ins.Result = "all"


@operation(
    blueprint,
    "GET",
    SESSIONS,
    permission=Permission.MANAGE_OWN_ACCOUNT,
    answer=Listed[OpenSession],
    table=OpenSession,
    description=f"The 200 that were used last. {SIGNED_IN}",
)
def list_sessions(session: Session, actor: Actor, **_: Any) -> Reply:
    """Where you are signed in, this session first"""
    found = session_list.open_sessions(session, actor, current_session().session_id)
    return listed(Listed[OpenSession](items=[OpenSession.from_row(one) for one in found]))


@operation(
    blueprint,
    "DELETE",
    f"{SESSIONS}/<int:number>",
    permission=Permission.MANAGE_OWN_ACCOUNT,
    answer=None,
    status=204,
    sudo=True,
    refusals=(409,),
)
def end_session(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """End one of your sessions: its next request is refused"""
    session_list.end_one(session, actor, number, current_session().session_id)


@operation(
    blueprint,
    "POST",
    "/end-other-sessions",
    permission=Permission.MANAGE_OWN_ACCOUNT,
    answer=EndedSessions,
    sudo=True,
)
def end_other_sessions(session: Session, actor: Actor, **_: Any) -> EndedSessions:
    """End all your sessions but this one"""
    return EndedSessions(sessions_ended=session_list.end_others(session, actor, current_session().session_id))


@operation(
    blueprint,
    "GET",
    "/sign-ins",
    permission=Permission.MANAGE_OWN_ACCOUNT,
    query=SignInQuery,
    answer=Listed[SignIn],
    table=SignIn,
    description=SIGNED_IN,
)
def list_sign_ins(session: Session, actor: Actor, query: SignInQuery) -> Reply:
    """The attempts to sign in to your account, the newest first"""
    about = ["sign-ins", query.result]
    before = cursors.read(query.cursor, about)[0] if query.cursor else None
    found, following = sign_ins.page(session, actor, result=query.result, before=before, limit=query.limit)
    cursor = None if following is None else cursors.write(about, [following])
    return listed(Listed[SignIn](items=[SignIn.from_row(one) for one in found], next=cursor))
