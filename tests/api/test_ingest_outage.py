"""The database goes away or its disk is full while scripts log: they are told so, nothing is half there, it heals."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text

from database import engine as engines
from database import migrations
from database.engine import snapshot
from models import Experiment, MetricSeries
from services.curves.reading import read_all
from tests.support import postgresql, scale, tracking
from tests.support.rest import Rest
from tests.support.tracking import Tracking

POINTS = 20


def steps(experiment: int) -> list[int]:
    with snapshot() as session:
        series = list(session.scalars(select(MetricSeries.id).where(MetricSeries.experiment_id == experiment)))
        return read_all(session, series)[series[0]].steps.tolist() if series else []


def log(api: Tracking, run: str, batch: int) -> Any:
    return api.log(run, "loss", *[(step, step / 3) for step in range(batch * POINTS, (batch + 1) * POINTS)])


class Logging:
    """A script that logs batch by batch, and remembers how each was answered."""

    def __init__(self, experiment: int, send: Callable[[int], Any]) -> None:
        self.experiment, self._send = experiment, send
        self._ends = threading.Event()
        self.answers: list[tuple[int, int, str | None]] = []  # batch, status, Retry-After
        self._thread = threading.Thread(target=self._log, daemon=True)
        self._thread.start()

    def _log(self) -> None:
        batch = 0
        while not self._ends.is_set():
            answer = self._send(batch)
            self.answers.append((batch, answer.status_code, answer.headers.get("Retry-After")))
            batch += 1

    def wait_for(self, is_reached: Callable[[int], bool]) -> None:
        """Until the last answer has such a status."""
        ends = time.monotonic() + 150
        while not self.answers or not is_reached(self.answers[-1][1]):
            assert time.monotonic() < ends
            time.sleep(0.01)

    def end(self) -> list[tuple[int, int, str | None]]:
        self._ends.set()
        self._thread.join(150)
        return self.answers


def scripts(server: Any, who: str) -> Iterator[Logging]:
    """Two that log as MLflow does, two that log to our own API, all with keys of one person."""
    for _ in range(2):
        api, rest = Tracking(server, tracking.key(name=who)), Rest(server, name=who)
        run = api.run()
        with snapshot() as session:
            number = session.scalars(select(Experiment.id).where(Experiment.source_id == run)).one()
        yield Logging(number, partial(log, api, run))
        number = rest.experiment()
        yield Logging(number, partial(log_here, rest, number))


def log_here(rest: Rest, number: int, batch: int) -> Any:
    return rest.log(number, "loss", *[(step, step / 3) for step in range(batch * POINTS, (batch + 1) * POINTS)])


@pytest.fixture
def engine_left() -> Iterator[None]:
    """Whatever engine a test has put in place is taken away."""
    yield
    engines.use_engine(None)


def outages(dash_app: Any, stop: Callable[[], None], start: Callable[[], None]) -> None:
    """Log while the database goes and comes back; check what is there in the end."""
    probe = dash_app.server.test_client()
    for number in range(scale.of("OUTAGES", 1)):
        going = list(scripts(dash_app.server, f"somebody{number}"))
        try:
            _outage(going, probe, stop, start)
        finally:
            for script in going:  # a test that fails leaves none behind
                script.end()


def _outage(going: list[Logging], probe: Any, stop: Callable[[], None], start: Callable[[], None]) -> None:
    for script in going:
        script.wait_for(lambda status: status == 200)
    stop()
    for script in going:
        script.wait_for(lambda status: status != 200)
    assert probe.get("/readyz").status_code == 503
    start()
    before = [len(script.answers) for script in going]
    assert probe.get("/readyz").status_code == 200  # the first time, whatever connections lie in the pool
    for script, answered in zip(going, before, strict=True):
        script.wait_for(lambda status: status == 200)
        answers = script.end()
        assert [status for _, status, _ in answers[answered + 1 :]].count(503) == 0  # one was asked before it was back
        assert {(status, after) for _, status, after in answers if status != 200} == {(503, "5")}
        kept, told = steps(script.experiment), {batch for batch, status, _ in answers if status == 200}
        whole = {batch for batch, *_ in answers if batch * POINTS in kept}
        assert sorted(kept) == [step for batch in sorted(whole) for step in range(batch * POINTS, (batch + 1) * POINTS)]
        assert told <= whole


@pytest.mark.usefixtures("postgresql_server")  # under CI its absence is a failure, not a skip
def test_postgresql_that_goes_down_and_comes_back_loses_nothing_that_was_acknowledged(
    dash_app: Any, engine_left: None
) -> None:
    with postgresql.a_server() as server:
        engines.use_engine(engines.build_engine(f"{server.address}/postgres"))
        migrations.upgrade()
        outages(dash_app, server.stop, server.start)
        engines.use_engine(None)


def test_a_file_that_is_away_for_a_while_loses_nothing_that_was_acknowledged(dash_app: Any, sqlite: Engine) -> None:
    files = [Path(str(sqlite.url.database) + ending) for ending in ("", "-wal", "-shm")]

    def move(old: str, new: str) -> None:
        # The file itself goes first and comes last: who opens it meanwhile must find its log beside it.
        for path in reversed(files) if old else files:
            if path.with_name(path.name + old).exists():
                path.with_name(path.name + old).rename(path.with_name(path.name + new))

    outages(dash_app, lambda: move("", ".away"), lambda: move(".away", ""))


class TestFullDisk:
    """SQLite raises the same error for a file that may not grow as for one that cannot."""

    @pytest.fixture
    def most(self, sqlite: Engine) -> Iterator[list[int]]:
        """How many pages the file may have, which a test may change; 0: what it takes."""
        pages = [0]

        def limit(connection: Any, _record: Any, _proxy: Any) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages[0] or 2**31}")

        event.listen(sqlite, "checkout", limit)
        yield pages
        event.remove(sqlite, "checkout", limit)

    def test_writes_are_refused_whole_and_reads_go_on_until_there_is_room(
        self, dash_app: Any, sqlite: Engine, most: list[int]
    ) -> None:
        api = Tracking(dash_app.server, tracking.key())
        run = api.run()
        assert log(api, run, 0).status_code == 200
        with sqlite.connect() as connection:
            most[0] = int(connection.execute(text("PRAGMA page_count")).scalar_one())
        refused = None
        for number in range(2000):
            answer = api.log(run, f"metric {number}", *[(step, step / 3) for step in range(500)])
            if answer.status_code != 200:
                refused = number, answer
                break
        assert refused is not None
        number, answer = refused
        assert (answer.status_code, answer.json["error_code"]) == (507, "INTERNAL_ERROR")
        assert "disk" in answer.json["message"]
        told = api.get("runs/get", run_id=run)
        assert told.status_code == 200
        assert f"metric {number}" not in [one["key"] for one in told.json["run"]["data"]["metrics"]]
        most[0] = 0
        assert api.log(run, f"metric {number}", *[(step, step / 3) for step in range(500)]).status_code == 200
        with sqlite.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
