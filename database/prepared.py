"""Statements that every log call sends: built by SQLAlchemy once, and handed to the driver as text from then on.

To look a statement up, bind its values and set up its result costs SQLAlchemy several times what SQLite needs to carry
it out. Errors, events and lost connections are told as for any other statement.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

Processor = Callable[[Any], Any]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Text:
    sql: str
    parameters: tuple[tuple[str, Processor | None], ...]  # in the order of the text
    constants: Values  # what stands in the statement itself
    is_positional: bool

    def bound(self, values: Values) -> Any:
        """The values as the driver takes them."""
        given = {**self.constants, **values} if self.constants else values
        if self.is_positional:
            return tuple([one(given[name]) if one else given[name] for name, one in self.parameters])
        return {name: one(given[name]) if one else given[name] for name, one in self.parameters}


class Prepared:
    """One statement, for both databases."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        self._build = build  # given the name of the dialect
        self._texts: dict[str, _Text] = {}
        self._results: dict[str, list[tuple[int, Processor]]] = {}

    def rows(self, connection: Connection, values: Values) -> list[tuple[Any, ...]]:
        """What a SELECT finds."""
        dialect = connection.dialect
        text = self._text(dialect, values)
        with sent(connection, text.sql, text.bound(values)) as cursor:
            found: list[tuple[Any, ...]] = cursor.fetchall()
            processors = self._results.get(dialect.name)
            if processors is None:
                processors = self._results[dialect.name] = self._processors(dialect, cursor)
        return [_processed(row, processors) for row in found] if processors else found

    def _text(self, dialect: Dialect, values: Values) -> _Text:
        made = self._texts.get(dialect.name)
        if made is None:
            made = self._texts[dialect.name] = _compiled(self._build(dialect.name), dialect, values)
        return made

    def _processors(self, dialect: Dialect, cursor: Any) -> list[tuple[int, Processor]]:
        statement = self._build(dialect.name)
        assert isinstance(statement, Select) and len(statement.selected_columns) == len(cursor.description)
        found = (
            (place, column.type.dialect_impl(dialect).result_processor(dialect, cursor.description[place][1]))
            for place, column in enumerate(statement.selected_columns)
        )
        return [(place, processor) for place, processor in found if processor is not None]


def write(connection: Connection, *asked: tuple[Prepared, Sequence[Values]]) -> None:
    """Carry out statements in turn, each for all of its rows; on PostgreSQL all of them make one journey."""
    if not connection.in_transaction():
        connection.begin()
    dialect = connection.dialect
    found = [(one._text(dialect, rows[0]), rows) for one, rows in asked if rows]
    if dialect.name != "postgresql":
        for text, rows in found:
            bound = [text.bound(values) for values in rows]
            with sent(connection, text.sql, bound if len(bound) > 1 else bound[0]):
                pass
        return
    sql, values = [], {}
    for place, (text, its) in enumerate((text, its) for text, rows in found for its in rows):
        sql.append(text.sql.replace("%(", f"%({place}_"))
        values.update({f"{place}_{name}": value for name, value in text.bound(its).items()})
    if sql:
        with sent(connection, ";\n".join(sql), values):
            pass


@contextmanager
def sent(connection: Connection, sql: str, bound: Any) -> Iterator[Any]:
    """The driver's cursor after a statement; what goes wrong is told as SQLAlchemy tells it."""
    if connection.dispatch.before_cursor_execute:  # somebody counts statements, or looks at them
        with connection.exec_driver_sql(sql, bound) as result:
            yield result.cursor
        return
    dialect, its = connection.dialect, connection.connection
    cursor = its.cursor()
    try:
        if isinstance(bound, list):
            cursor.executemany(sql, bound)
        else:
            cursor.execute(sql, bound)
        yield cursor
    except dialect.loaded_dbapi.Error as error:
        is_lost = dialect.is_disconnect(error, its.driver_connection, cursor)
        if is_lost:  # let SQLAlchemy find out by itself: it replaces all that rest in the pool, too
            with suppress(DBAPIError):
                connection.exec_driver_sql("SELECT 1")
        told = DBAPIError.instance(
            sql, bound, error, dialect.loaded_dbapi.Error, connection_invalidated=is_lost, dialect=dialect
        )
        raise told from error
    finally:
        cursor.close()


def _compiled(statement: Executable, dialect: Dialect, values: Values) -> _Text:
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(values))  # type: ignore[attr-defined]
    assert not (compiled.insert_prefetch or compiled.update_prefetch), "a column that SQLAlchemy would fill in"
    sql = str(compiled)
    # What stands in the statement itself is known under a name that is not yet the text's as well.
    binds = {name: bind for name, bind in compiled.binds.items() if compiled.positional or f"%({name})s" in sql}
    names: Sequence[str] = compiled.positiontup if compiled.positional else list(binds)
    return _Text(
        sql,
        tuple((name, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names),
        {name: bind.effective_value for name, bind in binds.items() if not bind.required},
        bool(compiled.positional),
    )


def _processed(row: tuple[Any, ...], processors: Sequence[tuple[int, Processor]]) -> tuple[Any, ...]:
    made = list(row)
    for place, processor in processors:
        made[place] = processor(made[place])
    return tuple(made)
