"""The owner of a thing: named, an account that was deleted as nobody; and held while what is theirs is counted."""

from typing import Any

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from models.user import User

DELETED = "Deleted user"


def shown_name(users: Any = User) -> ColumnElement[Any]:
    """The name of an account, from the mapped class, an alias of it, or the columns of its table."""
    return case((users.deleted_at.is_not(None), DELETED), else_=users.username)


def hold(session: Session, user_id: int | None) -> None:
    """Lock the account before what belongs to it: another act upon what is theirs comes before or after, never amid."""
    session.execute(select(User.id).where(User.id == (user_id or 0)).with_for_update(key_share=True))
