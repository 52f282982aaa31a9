"""Connections to PostgreSQL: a dead one is noticed after a rest, at the cost of one answer otherwise."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from database import engine as engines
from database.engine import glance, snapshot


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


def test_one_that_dies_while_it_is_put_back_is_told_like_any_that_died(
    postgresql: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(_connection: Any) -> None:
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(postgresql.dialect, "reset_isolation_level", dead)
    with pytest.raises(OperationalError, match="server closed"), glance() as connection:
        connection.scalar(text("SELECT 1"))


def test_of_threads_that_ask_first_all_get_one_engine_and_none_replaces_that_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, begun, go_on = [], threading.Event(), threading.Event()
    build, chosen = engines.build_engine, engines.build_engine(f"sqlite:///{tmp_path / 'chosen'}")

    def slowly(_url: str) -> Engine:
        begun.set()
        go_on.wait(10)
        made.append(build(f"sqlite:///{tmp_path / 'first'}"))
        return made[-1]

    monkeypatch.setattr(engines, "build_engine", slowly)
    engines.use_engine(None)
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(engines.engine) for _ in range(2)]
        assert begun.wait(10)
        choosing = threads.submit(engines.use_engine, chosen)
        go_on.set()
        choosing.result(10)
        got = {id(one.result(10)) for one in asked}
    assert len(made) == 1
    assert got <= {id(made[0]), id(chosen)}
    assert engines.engine() is chosen
    engines.use_engine(None)
