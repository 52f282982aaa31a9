"""Connections to PostgreSQL: a dead one is noticed after a rest, and a glance costs one journey."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, select, text
from sqlalchemy.exc import OperationalError

from database import engine as engines
from database.engine import glance, snapshot, transaction
from models import Dataset


@pytest.fixture
def postgresql(postgresql_url: str) -> Any:
    engines.use_engine(engines.build_engine(postgresql_url))
    yield engines.engine()
    engines.use_engine(None)


def use() -> int:
    with snapshot() as session:
        return int(session.scalar(text("SELECT 1")) or 0)


def cut_all(engine: Engine) -> None:
    """What a restart of the server does to connections that rest in the pool."""
    other = create_engine(engine.url)
    with other.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()


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


@pytest.mark.parametrize("read", [glance, snapshot])
def test_what_was_committed_is_read(database: Engine, read: Callable[[], Any]) -> None:
    with transaction() as session:
        session.add(Dataset(name="d"))
    with read() as session:
        assert session.scalars(select(Dataset.name)).all() == ["d"]


def test_after_a_glance_a_transaction_is_one_again(database: Engine) -> None:
    with glance() as session:
        assert session.scalars(select(Dataset.name)).all() == []
    with pytest.raises(RuntimeError), transaction() as session:
        session.add(Dataset(name="d"))
        session.flush()
        raise RuntimeError
    with snapshot() as session:
        assert session.scalars(select(Dataset.name)).all() == []


def test_a_glance_opens_no_transaction(postgresql: Engine) -> None:
    states: list[bool] = []

    def note(connection: Any, *_: Any) -> None:
        states.append(connection.connection.driver_connection.autocommit)

    event.listen(postgresql, "before_cursor_execute", note)
    with glance() as session:
        session.scalar(text("SELECT 1"))
    with snapshot() as session:
        session.scalar(text("SELECT 1"))
    assert states == [True, False]
