"""“One of these values” as one parameter: a list of a hundred in the statement itself is made anew each time."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine


class ListOf(TypeDecorator[Sequence[Any]]):
    """Several values in one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = String
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return values if dialect.name == "postgresql" else json.dumps(values)


class _OneOf(FunctionElement[Any]):
    """The right side of the comparison, its operator included: the two databases have no common one."""

    type = NullType()
    inherit_cache = True


@compiles(_OneOf, "postgresql")
def _on_postgresql(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"= ANY ({compiler.process(element.clauses, **options)})"


@compiles(_OneOf, "sqlite")
def _on_sqlite(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    ids = compiler.process(element.clauses, **options)  # a placeholder, not a value
    return f"IN (SELECT value FROM json_each({ids}))"  # noqa: S608


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Whether the column holds one of the values that the statement is given as a list under the parameter's name."""
    return column.bool_op("")(_OneOf(bindparam(parameter, type_=ListOf(column.type))))
