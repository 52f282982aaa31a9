"""Connections to PostgreSQL: a dead one is noticed after a rest, at the cost of one answer otherwise."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from database import engine as engines
from database.engine import glance, snapshot
from services.curves import series_rows
from services.limits.gcra import Policy
from services.limits.rows import Rows
from tests.support.postgresql import cut_all


@pytest.fixture
def postgresql(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(engines, "RESTED", float("inf"))  # however long a busy machine pauses, nothing has rested
    engines.use_engine(engines.build_engine(postgresql_url))
    yield engines.engine()
    engines.use_engine(None)


def use() -> int:
    with snapshot() as session:
        return int(session.scalar(text("SELECT 1")) or 0)


def test_after_a_rest_a_dead_one_is_replaced_before_anybody_notices(
    postgresql: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "RESTED", 0.0)
    assert use() == 1
    cut_all(postgresql)
    assert use() == 1


def test_one_that_dies_while_it_is_busy_costs_one_answer_and_no_more(postgresql: Engine) -> None:
    assert use() == 1
    cut_all(postgresql)
    with pytest.raises(OperationalError):
        use()
    assert use() == 1


def test_one_that_dies_while_it_is_put_back_is_told_like_any_that_died(
    postgresql: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(_connection: Any, *wanted: bool) -> None:
        if wanted != (True,):  # back to what a connection is before it was used
            raise psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(postgresql.dialect, "set_readonly", dead)
    with pytest.raises(OperationalError, match="server closed"):
        use()


def test_one_that_dies_as_a_limit_is_counted_costs_one_answer_and_no_more(postgresql: Engine) -> None:
    limits = Rows(postgresql)
    assert limits.take("a", Policy(2)).remaining == 1
    cut_all(postgresql)
    with pytest.raises(OperationalError):
        limits.take("a", Policy(2))
    assert limits.take("a", Policy(2)).remaining == 0


def test_a_limit_is_counted_in_one_journey_which_is_committed(postgresql: Engine) -> None:
    sent: list[str] = []
    event.listen(postgresql, "before_cursor_execute", lambda *given: sent.append(given[2]))
    Rows(postgresql).take("a", Policy(5))
    assert len(sent) == 1
    with postgresql.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None and not driver.autocommit  # as the next one expects it
        assert connection.scalar(text("SELECT count(*) FROM api_rate_limits")) == 1


class Counting(psycopg2.extensions.cursor):
    """A cursor that counts how often something is sent and waited for."""

    journeys = 0

    def execute(self, *given: Any) -> None:
        """One, whatever it holds."""
        Counting.journeys += 1
        super().execute(*given)

    def executemany(self, statement: Any, rows: Any) -> None:
        """One for each row."""
        Counting.journeys += len(rows)
        super().executemany(statement, rows)


def test_many_rows_that_may_be_there_already_go_in_few_journeys(postgresql: Engine) -> None:
    event.listen(postgresql, "connect", lambda connection, _: setattr(connection, "cursor_factory", Counting))
    names = [f"metric {number}" for number in range(500)]
    before = Counting.journeys
    with engines.transaction() as session:
        first = series_rows.numbers_of_keys(session.connection(), names)
    assert Counting.journeys - before <= 20
    with engines.transaction() as session:
        assert series_rows.numbers_of_keys(session.connection(), [*names, "further"]).items() >= first.items()


def test_a_glance_is_one_journey_and_leaves_the_connection_as_it_was(postgresql: Engine) -> None:
    with glance() as connection:
        in_transaction = text("SELECT pg_current_xact_id_if_assigned() IS NULL AND now() = statement_timestamp()")
        assert connection.scalar(in_transaction)
        number = connection.scalar(text("SELECT pg_backend_pid()"))
        assert connection.connection.driver_connection.info.transaction_status == 0  # nothing was begun
    with engines.transaction() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) == number
        session.execute(text("CREATE TABLE of_this_test ()"))
        session.rollback()
    with glance() as connection:
        assert connection.scalar(text("SELECT to_regclass('of_this_test')")) is None


def test_what_fails_at_a_glance_leaves_the_connection_as_it_was(postgresql: Engine) -> None:
    with pytest.raises(ProgrammingError), glance() as connection:
        connection.execute(text("SELECT no_such_column"))
    with engines.transaction() as session:
        assert not session.connection().connection.driver_connection.autocommit


def test_one_that_dies_at_a_glance_costs_one_answer_and_no_more(postgresql: Engine) -> None:
    assert use() == 1
    cut_all(postgresql)
    with pytest.raises(OperationalError), glance() as connection:
        connection.scalar(text("SELECT 1"))
    assert use() == 1


def test_of_threads_that_ask_first_all_get_one_engine_and_none_replaces_that_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, begun, go_on = [], threading.Event(), threading.Event()
    build, chosen = engines.build_engine, engines.build_engine(f"sqlite:///{tmp_path / 'chosen'}")

    def slowly(_url: str) -> Engine:
        begun.set()
        go_on.wait(60)
        made.append(build(f"sqlite:///{tmp_path / 'first'}"))
        return made[-1]

    monkeypatch.setattr(engines, "build_engine", slowly)
    engines.use_engine(None)
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(engines.engine) for _ in range(2)]
        assert begun.wait(60)
        choosing = threads.submit(engines.use_engine, chosen)
        go_on.set()
        choosing.result(60)
        got = {id(one.result(60)) for one in asked}
    assert len(made) == 1
    assert got <= {id(made[0]), id(chosen)}
    assert engines.engine() is chosen
    engines.use_engine(None)
