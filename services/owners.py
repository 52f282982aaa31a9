"""How the owner of a thing is named: an account that was deleted is named as nobody."""

from typing import Any

from sqlalchemy import ColumnElement, case

from models.user import User

DELETED = "Deleted user"


def shown_name(users: Any = User) -> ColumnElement[Any]:
    """The name of an account, from the mapped class, an alias of it, or the columns of its table."""
    return case((users.deleted_at.is_not(None), DELETED), else_=users.username)
