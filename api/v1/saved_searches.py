"""`/api/v1/saved-searches`: one's own."""

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import saved_searches
from services.actor import Actor
from web.rest.answers import Answer, Listed, Reply, listed, require_state, tagged
from web.rest.asked import Body
from web.rest.kinds import NAMED, Paged, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_saved_searches", __name__, url_prefix=PREFIX)
SEARCHES = "/saved-searches"


class SavedSearch(Answer):
    """A query that you keep under a name."""

    id: int
    name: str
    query: str
    is_pinned: bool
    usage_count: int
    last_used_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewSavedSearch(Body):
    """A search to keep."""

    name: Annotated[str, line(200, 1), NAMED]
    query: Annotated[str, line(4000)]
    is_pinned: bool = False


class SavedSearchChange(Body):
    """What changes; what is left out stays."""

    name: Annotated[str, line(200, 1), NAMED] | None = None
    query: Annotated[str, line(4000)] | None = None
    is_pinned: bool | None = None


@operation(
    blueprint,
    "GET",
    SEARCHES,
    permission=Permission.VIEW_EXPERIMENTS,
    query=Paged,
    answer=Listed[SavedSearch],
    table=SavedSearch,
)
def list_saved_searches(session: Session, actor: Actor, query: Paged) -> Reply:
    """Your saved searches, the newest first"""
    rows, following = saved_searches.page(session, actor, limit=query.limit, cursor=query.cursor)
    return listed(Listed[SavedSearch](items=[SavedSearch.from_row(row[0]) for row in rows], next=following))


@operation(
    blueprint,
    "POST",
    SEARCHES,
    permission=Permission.VIEW_EXPERIMENTS,
    body=NewSavedSearch,
    answer=SavedSearch,
    status=201,
    tagged=True,
    refusals=(409,),
)
def create_saved_search(session: Session, actor: Actor, body: NewSavedSearch, **_: Any) -> Reply:
    """Keep a search"""
    made = saved_searches.create(session, actor, **body.model_dump())
    return tagged(SavedSearch.from_row(made), {"Location": f"{PREFIX}{SEARCHES}/{made.id}"})


@operation(
    blueprint,
    "GET",
    f"{SEARCHES}/<int:number>",
    permission=Permission.VIEW_EXPERIMENTS,
    answer=SavedSearch,
    tagged=True,
)
def get_saved_search(session: Session, actor: Actor, number: int, **_: Any) -> Reply:
    """One of your saved searches"""
    return tagged(SavedSearch.from_row(saved_searches.get(session, actor, number)))


@operation(
    blueprint,
    "PATCH",
    f"{SEARCHES}/<int:number>",
    permission=Permission.VIEW_EXPERIMENTS,
    body=SavedSearchChange,
    answer=SavedSearch,
    tagged=True,
    conditional=True,
    refusals=(409,),
)
def change_saved_search(
    session: Session, actor: Actor, number: int, body: SavedSearchChange, expected: tuple[str, ...], **_: Any
) -> Reply:
    """Change a saved search"""
    before = SavedSearch.from_row(saved_searches.get(session, actor, number, lock=True))
    require_state(before, expected, "saved search")
    changed = saved_searches.change(session, actor, number, **body.model_dump(exclude_none=True))
    return tagged(SavedSearch.from_row(changed))


@operation(
    blueprint,
    "DELETE",
    f"{SEARCHES}/<int:number>",
    permission=Permission.VIEW_EXPERIMENTS,
    answer=None,
    status=204,
)
def delete_saved_search(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """Remove a saved search"""
    saved_searches.delete(session, actor, number)
