"""LIKE and ILIKE that mean the same on both databases: SQLite's own LIKE does not tell cases apart."""

import operator
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.tracking.errors import InvalidParameter

_ESCAPE = "\x1f"  # backslashes are letters in MLflow's patterns
_PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(
    session: Session, column: ColumnElement[Any] | InstrumentedAttribute[Any], comparator: str, value: Any
) -> ColumnElement[bool]:
    """The condition that a column keeps a comparison of a filter."""
    if comparator in _PLAIN:
        found: ColumnElement[bool] = _PLAIN[comparator](column, value)
        return found
    if comparator == "IN":
        return column.in_(value)
    if comparator == "NOT IN":
        return column.not_in(value)
    if _ESCAPE in value:
        raise InvalidParameter("A pattern holds no control characters.")
    if comparator == "ILIKE":
        return func.lower(column).like(value.lower(), escape=_ESCAPE)
    if session.get_bind().dialect.name == "sqlite":
        return column.op("GLOB", is_comparison=True)(_glob(value))
    return column.like(value, escape=_ESCAPE)


def _glob(pattern: str) -> str:
    special = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
    return "".join(special.get(letter, letter) for letter in pattern)
