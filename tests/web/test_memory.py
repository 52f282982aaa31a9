"""Memory that a burst of work has left is given back, and an idle process is left alone."""

import threading
from typing import Any

import pytest
from sqlalchemy import Engine

from database import engine as engines
from web import memory


@pytest.mark.parametrize(("grown", "trims"), [(-(10**12), True), (10**12, False)])
def test_the_heap_is_trimmed_only_once_it_has_grown(monkeypatch: pytest.MonkeyPatch, grown: int, trims: bool) -> None:
    monkeypatch.setattr(memory, "EVERY", 0.0)
    monkeypatch.setattr(memory, "GROWN", grown)
    given, turns = [], iter([False, False, True])

    class Pause(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return next(turns)

    memory._run(given.append, Pause())  # type: ignore[arg-type]
    assert bool(given) is trims


def open_of(engine: Engine) -> int:
    """How many connections its pool holds or has given away."""
    pool: Any = engine.pool
    return int(pool.checkedin() + pool.checkedout())


def test_what_is_loaded_for_all_leaves_no_connection_that_workers_would_share(
    database: Engine, dash_app: Any, count_queries: Any
) -> None:
    assert count_queries(database, lambda: memory.load_for_all(dash_app.server)) > 1
    assert open_of(database) == 0


def test_a_database_that_is_away_does_not_stop_the_loading(dash_app: Any) -> None:
    engines.use_engine(engines.build_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing"))
    memory.load_for_all(dash_app.server)
    assert open_of(engines.engine()) == 0
    engines.use_engine(None)
