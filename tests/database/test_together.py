"""Group commit: what comes while a commit runs is committed together, and each is answered for itself."""

import itertools
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from database import engine as engines
from database import together
from database.engine import snapshot, transaction
from database.together import Together
from models import MetricKey
from services.errors import Invalid
from tests.support import scale


class Writer:
    """Writes names, each in a row that only one may have; the first time it waits until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self.twice = ""  # who asks for a name that is taken

    def __call__(self, session: Session, names: Sequence[str]) -> list[Exception | None]:
        self.groups.append(list(names))
        refusals: list[Exception | None] = []
        for name in names:
            refusals.append(Invalid(name) if name.startswith("bad") else None)
            if refusals[-1] is None:
                session.execute(insert(MetricKey).values(name="first" if name == self.twice else name))
        self.has_begun.set()
        assert self.may_end.wait(60)
        return refusals


class Crowd:
    """Threads that hand in a name each, and what became of it."""

    def __init__(self, committer: Together[str]) -> None:
        self._committer = committer
        self.ended: dict[str, BaseException | None] = {}
        self._threads: list[threading.Thread] = []

    def _hand_in(self, name: str) -> None:
        try:
            self._committer.commit(name)
        except Exception as error:
            self.ended[name] = error
        else:
            self.ended[name] = None

    def add(self, *names: str) -> None:
        for name in names:
            before = len(self._committer._queue)
            thread = threading.Thread(target=self._hand_in, args=(name,))
            self._threads.append(thread)
            thread.start()
            while len(self._committer._queue) == before and thread.is_alive() and len(self._threads) > 1:
                pass  # it comes after the one before

    def wait(self) -> None:
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()


def kept() -> set[str]:
    with snapshot() as session:
        return set(session.scalars(select(MetricKey.name)))


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def crowd(writer: Writer) -> Crowd:
    return Crowd(Together(writer))


def begin(crowd: Crowd, writer: Writer, *names: str) -> None:
    """Let these come while the first one is in the middle of its commit."""
    crowd.add("first")
    assert writer.has_begun.wait(60)
    crowd.add(*names)


def test_who_comes_while_a_commit_runs_is_committed_together(database: Engine, writer: Writer, crowd: Crowd) -> None:
    begin(crowd, writer, "a", "b", "c")
    assert (crowd.ended, kept()) == ({}, set())
    writer.may_end.set()
    crowd.wait()
    assert writer.groups == [["first"], ["a", "b", "c"]]
    assert kept() == {"first", "a", "b", "c"}


def test_a_refused_one_fails_alone(database: Engine, writer: Writer, crowd: Crowd) -> None:
    begin(crowd, writer, "a", "bad", "c")
    writer.may_end.set()
    crowd.wait()
    assert {name: type(error) for name, error in crowd.ended.items() if error} == {"bad": Invalid}
    assert kept() == {"first", "a", "c"}


def test_one_that_breaks_the_transaction_fails_alone(database: Engine, writer: Writer, crowd: Crowd) -> None:
    begin(crowd, writer, "a", "b", "c")
    writer.twice = "b"
    writer.may_end.set()
    crowd.wait()
    assert [name for name, error in crowd.ended.items() if isinstance(error, IntegrityError)] == ["b"]
    assert kept() == {"first", "a", "c"}


def test_a_database_that_is_away_is_asked_once_for_all(
    sqlite: Engine, writer: Writer, crowd: Crowd, tmp_path: Any
) -> None:
    begin(crowd, writer, "a", "b", "c")
    engines.use_engine(engines.build_engine(f"sqlite:///{tmp_path / 'gone.sqlite3'}"))
    writer.may_end.set()
    crowd.wait()
    assert {type(crowd.ended[name]) for name in "abc"} == {OperationalError}
    assert writer.groups == [["first"], ["a", "b", "c"]]


def test_after_a_failure_the_next_is_committed(database: Engine, writer: Writer) -> None:
    committer = Together(writer)
    writer.may_end.set()
    committer.commit("a")
    with pytest.raises(IntegrityError):
        committer.commit("a")
    committer.commit("b")
    assert kept() == {"a", "b"}


def test_without_room_for_its_lock_it_commits_all_the_same(
    sqlite: Engine, writer: Writer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    class Nowhere:
        data_dir = tmp_path / "nowhere"

    monkeypatch.setattr(together, "settings", Nowhere)
    writer.may_end.set()
    Together(writer).commit("a")
    assert kept() == {"a"}


def test_sixteen_writers_beside_others_are_never_told_that_the_database_is_locked(database: Engine) -> None:
    def write(session: Session, names: Sequence[str]) -> list[Exception | None]:
        session.execute(insert(MetricKey), [{"name": name} for name in names])
        return [None] * len(names)

    committer, failures = Together(write), []

    ends, counted = time.monotonic() + scale.of("SECONDS", 0), []

    def log(place: int) -> None:
        for number in itertools.count():
            if number >= 10 and time.monotonic() >= ends:
                counted.append(number)
                break
            try:
                if place % 4:
                    committer.commit(f"{place}-{number}")
                else:
                    with transaction() as session:
                        session.execute(insert(MetricKey).values(name=f"{place}-{number}"))
            except DBAPIError as error:
                failures.append(error)

    threads = [threading.Thread(target=log, args=(place,)) for place in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(150 + scale.of("SECONDS", 0))
    assert failures == []
    with snapshot() as session:
        assert session.scalar(select(func.count()).select_from(MetricKey)) == sum(counted) >= 160


def test_where_no_turn_can_be_had_who_waits_is_told_so_and_the_next_are_served(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer()
    writer.may_end.set()
    crowd = Crowd(Together(writer))

    def no_engine() -> None:
        raise RuntimeError("no engine")

    with monkeypatch.context() as patch:
        patch.setattr(together, "engine", no_engine)
        crowd.add("one", "two")
        crowd.wait()
    crowd.add("three")
    crowd.wait()
    assert {name: str(error) for name, error in crowd.ended.items()} == {
        "one": "no engine",
        "two": "no engine",
        "three": "None",
    }
    assert kept() == {"three"}
