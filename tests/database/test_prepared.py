"""Statements that are built once: they bind, read, fail and are counted as SQLAlchemy's own do."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Double,
    Engine,
    Enum,
    Executable,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    event,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from database import engine as engines
from database.engine import glance, transaction
from database.prepared import Prepared, write
from database.types import UTCDateTime
from models.experiment import ExperimentStatus
from tests.support.postgresql import cut_all

KINDS = Table(
    "prepared_kinds",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(20), unique=True),
    Column("figure", Double),
    Column("is_good", Boolean),
    Column("moment", UTCDateTime),
    Column("facts", JSON(none_as_null=True)),
    Column("status", Enum(ExperimentStatus, native_enum=False)),
    Column("packed", LargeBinary),
)
ROW = {
    "id": 1,
    "name": "100 % of “it”; --",
    "figure": 0.1,
    "is_good": True,
    "moment": datetime(2026, 11, 27, 12, 30, 0, 5, tzinfo=UTC),
    "facts": {"a": [1, None, "%(x)s"]},
    "status": ExperimentStatus.RUNNING,
    "packed": b"\x00\xff%s",
}
EMPTY = dict.fromkeys(ROW) | {"id": 2}
PUT = Prepared(lambda _: insert(KINDS))
ALL = Prepared(lambda _: select(KINDS).where(KINDS.c.id > bindparam("above"), KINDS.c.id < 100).order_by(KINDS.c.id))
RENAME = Prepared(
    lambda _: update(KINDS).where(KINDS.c.id == bindparam("number")).values(name=bindparam("said", type_=String()))
)


@pytest.fixture
def kinds(database: Engine) -> Iterator[Engine]:
    KINDS.create(database)
    yield database
    KINDS.drop(database)


@pytest.fixture
def postgresql(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(engines, "RESTED", float("inf"))  # nothing is asked before it is used
    engines.use_engine(engines.build_engine(postgresql_url))
    KINDS.create(engines.engine())
    yield engines.engine()
    KINDS.drop(engines.engine())
    engines.use_engine(None)


def plainly(engine: Engine, statement: Executable) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def test_values_are_kept_and_read_as_sqlalchemy_does(kinds: Engine) -> None:
    with transaction() as session:
        write(session.connection(), (PUT, [ROW]))
    with transaction() as session:
        session.execute(insert(KINDS), [EMPTY])
    assert plainly(kinds, select(KINDS).order_by(KINDS.c.id)) == [tuple(ROW.values()), tuple(EMPTY.values())]
    with transaction() as session:
        assert ALL.rows(session.connection(), {"above": 0}) == [tuple(ROW.values()), tuple(EMPTY.values())]
        assert ALL.rows(session.connection(), {"above": 1}) == [tuple(EMPTY.values())]


def test_several_statements_of_several_rows_are_carried_out_in_turn(kinds: Engine) -> None:
    with transaction() as session:
        write(
            session.connection(),
            (PUT, [ROW, EMPTY]),
            (RENAME, [{"number": 1, "said": "%(said)s; first"}, {"number": 2, "said": "second"}]),
            (RENAME, []),
            (RENAME, [{"number": 2, "said": "last"}]),
        )
    assert plainly(kinds, select(KINDS.c.name).order_by(KINDS.c.id)) == [("%(said)s; first",), ("last",)]


def test_nothing_asked_is_nothing_sent(kinds: Engine) -> None:
    heard: list[str] = []
    event.listen(kinds, "before_cursor_execute", lambda *given: heard.append(given[2].split()[0]))
    with transaction() as session:
        write(session.connection())
        write(session.connection(), (PUT, []))
    assert [word for word in heard if word != "BEGIN"] == []


def test_what_fails_later_takes_all_of_it_back(kinds: Engine) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        write(session.connection(), (PUT, [ROW]))
        raise ZeroDivisionError
    assert plainly(kinds, select(KINDS.c.id)) == []


def begun(connection: Connection) -> None:
    write(connection, (PUT, [ROW]))


def test_a_connection_that_has_not_begun_does(kinds: Engine) -> None:
    with kinds.connect() as connection:
        begun(connection)
        connection.rollback()
    with kinds.connect() as connection:
        begun(connection)
        connection.commit()
    assert plainly(kinds, select(KINDS.c.id)) == [(1,)]


@pytest.mark.parametrize("rows", [[ROW], [EMPTY, ROW]], ids=["one", "several"])
def test_a_refusal_is_told_as_sqlalchemy_tells_it(kinds: Engine, rows: Sequence[dict[str, Any]]) -> None:
    with transaction() as session:
        write(session.connection(), (PUT, [ROW]))
    with pytest.raises(IntegrityError) as plain, transaction() as session:
        session.execute(insert(KINDS), [ROW])
    with pytest.raises(IntegrityError) as told, transaction() as session:
        write(session.connection(), (PUT, rows))
    assert type(told.value.orig) is type(plain.value.orig)
    assert not told.value.connection_invalidated
    assert plainly(kinds, select(KINDS.c.id)) == [(1,)]


def test_whoever_listens_for_statements_hears_of_them(kinds: Engine) -> None:
    heard: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement.split()[0])

    event.listen(kinds, "before_cursor_execute", note)
    with transaction() as session:
        write(session.connection(), (PUT, [ROW, EMPTY]))
        found = ALL.rows(session.connection(), {"above": 0})
    assert [word for word in heard if word != "BEGIN"] == ["INSERT", "SELECT"]
    assert found == [tuple(ROW.values()), tuple(EMPTY.values())]


def test_on_postgresql_all_of_them_make_one_journey(postgresql: Engine) -> None:
    heard: list[str] = []
    event.listen(postgresql, "before_cursor_execute", lambda *given: heard.append(given[2]))
    renamed = [{"number": 1, "said": "a"}, {"number": 2, "said": "b"}]
    with transaction() as session:
        write(session.connection(), (PUT, [ROW, EMPTY]), (RENAME, renamed))
    assert len(heard) == 1
    assert plainly(postgresql, select(KINDS.c.name).order_by(KINDS.c.id)) == [("a",), ("b",)]


def test_the_driver_of_postgresql_is_handed_what_stands_in_the_text_and_nothing_else(postgresql: Engine) -> None:
    heard: list[Any] = []
    event.listen(postgresql, "before_cursor_execute", lambda *given: heard.append(given[2:4]))
    with glance() as connection:
        ALL.rows(connection, {"above": 0})
    ((sql, bound),) = heard
    assert 100 in bound.values()  # which stands in the statement itself
    assert sorted(bound) == sorted(re.findall(r"%\((\w+)\)s", sql))


class TestLostConnection:
    """Of PostgreSQL, which a restart of the server takes away."""

    @pytest.mark.parametrize(
        "act",
        [
            lambda connection: ALL.rows(connection, {"above": 0}),
            lambda connection: write(connection, (PUT, [ROW])),
            lambda connection: write(connection, (PUT, [ROW]), (RENAME, [{"number": 1, "said": "x"}])),
        ],
        ids=["read", "write", "write several"],
    )
    def test_it_costs_one_answer_however_many_rest_in_the_pool(
        self, postgresql: Engine, act: Callable[[Connection], object]
    ) -> None:
        resting = [postgresql.connect() for _ in range(3)]
        for one in resting:
            one.execute(text("SELECT 1"))
            one.rollback()
        for one in resting:
            one.close()
        cut_all(postgresql)
        with pytest.raises(DBAPIError) as told, transaction() as session:
            act(session.connection())
        assert isinstance(told.value, OperationalError) and told.value.connection_invalidated
        for _ in range(3):
            with transaction() as session:
                act(session.connection())
                session.rollback()

    def test_a_glance_finds_out_as_well(self, postgresql: Engine) -> None:
        with glance() as connection:
            assert ALL.rows(connection, {"above": 0}) == []
        cut_all(postgresql)
        with pytest.raises(OperationalError), glance() as connection:
            ALL.rows(connection, {"above": 0})
        with glance() as connection:
            assert ALL.rows(connection, {"above": 0}) == []
