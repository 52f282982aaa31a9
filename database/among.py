"""Several values as one: a list as one parameter, since a hundred in the statement itself make it anew each time, and
what belongs to a row as one column, since another statement is another journey to the database."""

import json
from collections.abc import Sequence
from typing import Any

import orjson
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
        return values if dialect.name == "postgresql" else _as_json(values)

    def process_result_value(self, value: Any, dialect: Dialect) -> list[Any]:
        if not value:
            return []
        return list(value) if dialect.name == "postgresql" else list(json.loads(value))


def _as_json(values: list[Any]) -> str:
    try:
        return orjson.dumps(values).decode()
    except TypeError:  # half a character, which orjson refuses and nothing in the database equals
        return json.dumps(values)


class _OneOf(FunctionElement[Any]):
    """The right side of the comparison, its operator included: the two databases have no common one."""

    type = NullType()
    inherit_cache = True


@compiles(_OneOf, "postgresql")
def _on_postgresql(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"= ANY ({compiler.process(element.clauses, **options)})"


@compiles(_OneOf, "sqlite")
def _on_sqlite(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    ids = compiler.process(element.clauses, **options)
    return f"IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - a placeholder, not a value


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Whether the column holds one of the values that the statement is given as a list under the parameter's name."""
    return column.bool_op("")(_OneOf(bindparam(parameter, type_=ListOf(column.type))))


class gathered(FunctionElement[Sequence[Any]]):
    """All values of a column as one list, none being an empty one; to be used in a sub-select of its own."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.type = ListOf(column.type)
        super().__init__(column)


@compiles(gathered, "postgresql")
def _gathered_on_postgresql(element: gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"array_agg({compiler.process(element.clauses, **options)})"


@compiles(gathered, "sqlite")
def _gathered_on_sqlite(element: gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"
