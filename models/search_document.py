"""What full-text search looks at, in the words of each database."""

from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement

SEARCHED = ("name", "given_name", "group_name", "model_type", "notes")


class search_document(ColumnElement[str]):
    """The text of an experiment that search looks at: a tsvector on PostgreSQL, plain text on SQLite."""

    type = Text()
    inherit_cache = True
    _is_implicitly_boolean = False


def _joined() -> str:
    return " || ' ' || ".join(f"coalesce({column}, '')" for column in SEARCHED)


@compiles(search_document, "postgresql")
def _postgresql(_element: search_document, _compiler: SQLCompiler, **_: Any) -> str:
    # A name such as UNet_lr7e_5/run-3 is found by its parts, so what joins parts becomes a blank.
    return f"to_tsvector('simple', translate({_joined()}, '_-/.=:', '      '))"


@compiles(search_document)
def _default(_element: search_document, _compiler: SQLCompiler, **_: Any) -> str:
    return _joined()
