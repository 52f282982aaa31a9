"""Searches that a person keeps under a name; nobody else's are ever seen."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.permissions import Permission
from models.saved_search import SavedSearch
from services import cursors, owners
from services.actor import Actor
from services.errors import Conflict, NotFound
from services.text import clean

MOST = 200
LONGEST_QUERY = 4000


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of saved searches starts here: one's own."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    return select(SavedSearch).where(SavedSearch.user_id == (actor.user_id or 0))


def page(session: Session, actor: Actor, *, limit: int, cursor: str | None) -> tuple[Sequence[Any], str | None]:
    """One's own, the newest first, and where the next page begins."""
    about = ["saved-searches", actor.user_id]
    return cursors.page(session, visible_to(actor), SavedSearch.id, limit=limit, cursor=cursor, about=about)


def get(session: Session, actor: Actor, number: int, *, lock: bool = False) -> SavedSearch:
    """One of them."""
    query = visible_to(actor).where(SavedSearch.id == number)
    found: SavedSearch | None = session.scalar(query.with_for_update() if lock else query) if number < 2**31 else None
    if found is None:
        raise NotFound("saved search")
    return found


def create(session: Session, actor: Actor, *, name: str, query: str, is_pinned: bool = False) -> SavedSearch:
    """Keep a search; a name stands for one of them."""
    owners.hold(session, actor.user_id)  # the limit holds also for two at once
    held = session.scalar(select(func.count()).select_from(visible_to(actor).subquery())) or 0
    if held >= MOST:
        raise Conflict(f"A person keeps at most {MOST} searches.")
    made = SavedSearch(user_id=actor.user_id, is_pinned=is_pinned)
    _write(made, name, query)
    session.add(made)
    return _flushed(session, made)


def change(
    session: Session,
    actor: Actor,
    number: int,
    *,
    name: str | None = None,
    query: str | None = None,
    is_pinned: bool | None = None,
) -> SavedSearch:
    """Change what is given."""
    found = get(session, actor, number, lock=True)
    _write(found, found.name if name is None else name, found.query if query is None else query)
    if is_pinned is not None:
        found.is_pinned = is_pinned
    return _flushed(session, found)


def _write(search: SavedSearch, name: str, query: str) -> None:
    search.name = clean(name, field="name", longest=200, shortest=1)
    search.query = clean(query, field="query", longest=LONGEST_QUERY)


def _flushed(session: Session, search: SavedSearch) -> SavedSearch:
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise Conflict(f"You have a search “{search.name}” already.") from error
    return search


def delete(session: Session, actor: Actor, number: int) -> None:
    """It goes."""
    session.delete(get(session, actor, number, lock=True))
