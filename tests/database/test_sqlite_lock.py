"""Writers on SQLite: each looks again as often as the others, and what it cannot have it is told."""

import sqlite3
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError

from database import sqlite_lock
from database.engine import snapshot, transaction
from models import MetricKey
from tests.support.waiting import wait_until


@pytest.fixture
def holder(sqlite: Engine) -> Iterator[sqlite3.Connection]:
    """Another process's connection, which holds the write lock."""
    made = sqlite3.connect(sqlite.url.database or "", isolation_level=None, check_same_thread=False)
    made.execute("BEGIN IMMEDIATE")
    yield made
    made.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the writer rested before each further look."""
    seen: list[float] = []

    def rest(seconds: float) -> None:
        seen.append(seconds)
        time.sleep(seconds)

    monkeypatch.setattr(sqlite_lock, "sleep", rest)
    return seen


def add(name: str) -> None:
    with transaction() as session:
        session.add(MetricKey(name=name))


def test_one_that_has_waited_long_looks_as_often_as_one_that_has_just_come(
    holder: sqlite3.Connection, pauses: list[float]
) -> None:
    writer = threading.Thread(target=add, args=("late",))
    writer.start()
    wait_until(lambda: len(pauses) >= 100)
    holder.execute("ROLLBACK")
    writer.join(60)
    with snapshot() as session:
        assert session.scalar(select(func.count()).select_from(MetricKey)) == 1
    assert set(pauses) == {sqlite_lock.PAUSE}


def test_one_that_waits_in_vain_is_told_so(holder: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_lock, "PATIENCE", 0.02)
    with pytest.raises(OperationalError, match="database is locked"):
        add("never")
    holder.execute("ROLLBACK")
    add("afterwards")


def test_those_that_read_wait_for_none_that_writes(holder: sqlite3.Connection, pauses: list[float]) -> None:
    with snapshot() as session:
        assert session.scalar(select(func.count()).select_from(MetricKey)) == 0
    assert pauses == []


@pytest.mark.parametrize("patience", [10.0, 0.0])
def test_other_statements_of_the_connection_keep_their_patience(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    monkeypatch.setattr(sqlite_lock, "PATIENCE", patience)
    with transaction() as session:
        assert session.scalar(text("PRAGMA busy_timeout")) == 10_000


def test_a_fault_that_is_none_of_the_lock_is_told_at_once(sqlite: Engine, pauses: list[float]) -> None:
    with sqlite.connect() as connection:
        own = connection.connection.driver_connection
        assert isinstance(own, sqlite3.Connection)
        own.execute("BEGIN")
        with pytest.raises(OperationalError, match="within a transaction"):
            sqlite_lock.begin_writing(connection)
    assert pauses == []
