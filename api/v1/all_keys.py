"""`/api/v1/all-api-keys`: everybody's keys, for those who manage them."""

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import cursors, key_list
from services.actor import Actor
from services.api_keys.keys import State
from services.api_requests import usage
from web.rest.answers import Answer, Listed, Reply, listed
from web.rest.asked import Body
from web.rest.kinds import NAMED, Paged, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_all_keys", __name__, url_prefix=PREFIX)
KEYS = "/all-api-keys"


class AnyKey(Answer):
    """A key and whose it is, with its requests of the last thirty days; its secret is nowhere."""

    id: int
    name: str
    prefix: str
    owner: str
    scopes: list[str]
    rate_limit: int
    state: State
    reason: str | None
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    last_address: str | None
    may_revoke: bool
    requests: int

    @classmethod
    def of(cls, found: key_list.ListedKey, used: usage.Use) -> "AnyKey":
        """From a row of the list."""
        return cls.from_row(found, scopes=list(found.scopes), requests=used.total)


class KeyQuery(Paged):
    """Which keys."""

    text: Annotated[str, line(100)] = ""
    state: State | None = None


class Revocation(Body):
    """Why a key ends, which its owner is told."""

    reason: Annotated[str, line(255, 1), NAMED]


@operation(
    blueprint,
    "GET",
    KEYS,
    permission=Permission.MANAGE_API_KEYS,
    query=KeyQuery,
    answer=Listed[AnyKey],
    table=AnyKey,
)
def list_all_api_keys(session: Session, actor: Actor, query: KeyQuery) -> Reply:
    """Everybody's API keys, the newest first"""
    about = ["all-api-keys", query.text, query.state]
    before = cursors.read(query.cursor, about)[0] if query.cursor else None
    found, following = key_list.page(
        session, actor, text=query.text, state=query.state, before=before, limit=query.limit
    )
    cursor = None if following is None else cursors.write(about, [following])
    uses = usage.of_keys(session, [one.id for one in found])
    return listed(Listed[AnyKey](items=[AnyKey.of(one, uses[one.id]) for one in found], next=cursor))


@operation(
    blueprint,
    "POST",
    f"{KEYS}/<int:number>/revoke",
    permission=Permission.MANAGE_API_KEYS,
    body=Revocation,
    answer=None,
    status=204,
    sudo=True,
)
def revoke_any_api_key(session: Session, actor: Actor, number: int, body: Revocation, **_: Any) -> None:
    """End somebody's key from its next request on, and tell them why"""
    key_list.revoke(session, actor, number, body.reason)
