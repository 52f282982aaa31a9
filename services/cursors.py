"""Where the next page of a list begins: a sealed word, good for the same question alone."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.errors import Invalid
from services.tracking import paging
from services.tracking.errors import TrackingError


def write(about: Any, place: list[Any]) -> str:
    """The word for a place in the answer to a question."""
    return paging.write(about, place)


def read(cursor: str, about: Any) -> list[Any]:
    """The place; a word that is not ours, or belongs to another question, is refused."""
    try:
        return paging.read(cursor, about)
    except TrackingError as error:
        raise Invalid("This cursor does not belong to this list.", field="cursor") from error


def page(
    session: Session,
    statement: Select[Any],
    key: InstrumentedAttribute[int],
    *,
    limit: int,
    cursor: str | None,
    about: Any,
    ascending: bool = False,
) -> tuple[Sequence[Any], str | None]:
    """Some rows by their numbers, the newest first unless told otherwise, and where the next page begins.

    The statement selects the number's row first.
    """
    if cursor is not None:
        (last,) = read(cursor, about)
        statement = statement.where(key > last if ascending else key < last)
    order = key.asc() if ascending else key.desc()
    rows = session.execute(statement.order_by(order).limit(limit + 1)).all()
    here = rows[:limit]
    following = write(about, [getattr(here[-1][0], key.key)]) if len(rows) > limit else None
    return here, following
