"""How Alembic reaches the database: with the connection it is given, else with this installation's own."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, Enum

import models
from database.engine import engine
from database.types import UTCDateTime

target_metadata = models.Base.metadata


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave out the full-text tables of SQLite, which no model describes."""
    return not (kind == "table" and name is not None and name.startswith("experiments_fts"))


def include_object(_item: Any, name: str | None, kind: str, _reflected: bool, _compared: Any) -> bool:
    """SQLite searches in its full-text table and has no GIN index."""
    return not (
        kind == "index" and name == "ix_experiments_search_vector" and context.get_context().dialect.name == "sqlite"
    )


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Write our column types as plain ones, so that a migration stays what it was when the types change."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        words = ", ".join(repr(word) for word in item.enums)
        return f"sa.Enum({words}, name={item.name!r}, native_enum=False, create_constraint=True, length={item.length})"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        include_name=include_name,
        include_object=include_object,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is None:
    with engine().connect() as own:
        run(own)
        own.commit()
elif isinstance(given, Connection):
    run(given)
else:
    with given.connect() as own:
        run(own)
        own.commit()
