"""The tags that there are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.permissions import Permission
from models.tag import Tag
from services import cursors
from services.actor import Actor


def page(
    session: Session, actor: Actor, *, text: str = "", limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """Tags by name, those that hold the text, and where the next page begins."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    about = ["tags", text]
    query = select(Tag).where(Tag.name.icontains(text, autoescape=True)).order_by(Tag.name).limit(limit + 1)
    if cursor is not None:
        query = query.where(Tag.name > cursors.read(cursor, about)[0])
    rows = session.scalars(query).all()
    return rows[:limit], cursors.write(about, [rows[limit - 1].name]) if len(rows) > limit else None
