"""A process that takes in metrics is killed again and again: each point that was acknowledged is there, and once.

Who got no answer asks the same again, as clients do: what a lost answer told of is not done twice.
"""

import http.client
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
from sqlalchemy import func, select, text

from config import settings as configuration
from database import engine as engines
from database.engine import snapshot, transaction
from models import Experiment, MetricSeries
from services.curves.packing import Points
from services.curves.reading import read_all
from services.experiments import reporting
from services.tracking import runs
from tests.support import tracking
from tests.support.killing import KILLS, answer_and_kill
from tests.support.people import person

POINTS = 20  # in a batch
NONE = Points.of([], [])  # of a client who was answered by no process: each lives for a few answers only
TIME = 1_700_000_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database that other processes serve as well, with a data folder of its own."""
    address: str = request.getfixturevalue(f"{request.param}_url")
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    configuration.settings.cache_clear()
    engines.use_engine(engines.build_engine(address))
    yield address
    engines.use_engine(None)
    monkeypatch.undo()
    configuration.settings.cache_clear()


def kept() -> dict[int, Points]:
    """The points of each experiment that has some, out of a database that is whole."""
    with snapshot() as session:
        if session.get_bind().dialect.name == "sqlite":
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
        series = dict(session.execute(select(MetricSeries.experiment_id, MetricSeries.id)).all())
        found = read_all(session, series.values())
    return {number: found[place] for number, place in series.items()}


def total_of(points: Points, batches: int) -> int:
    """How many points were acknowledged; all of them are there, in order and once."""
    acknowledged = batches * POINTS
    assert len(points) in (acknowledged, acknowledged + POINTS)  # the last one was perhaps not told any more
    assert (points.steps == np.arange(len(points))).all()
    assert (points.values == points.steps / 3).all()
    return acknowledged


@pytest.mark.timeout(600 + 10 * KILLS)
def test_a_process_killed_while_it_takes_in_points_loses_none_that_it_acknowledged(url: str) -> None:
    headers = {"Authorization": f"Bearer {tracking.key()}", "Content-Type": "application/json"}
    owner = person()
    with transaction() as session:
        numbers = [
            runs.create(session, owner, group="0", name=str(place), start_time=None, given_tags={})
            for place in range(4)
        ]
    with snapshot() as session:
        ids = [session.scalar(select(Experiment.source_id).where(Experiment.id == number)) for number in numbers]

    def ask(connection: http.client.HTTPConnection, place: int, number: int) -> tuple[int, int]:
        steps = range(number * POINTS, (number + 1) * POINTS)
        points = [{"key": "train_loss", "value": step / 3, "timestamp": TIME + step, "step": step} for step in steps]
        body = orjson.dumps({"run_id": ids[place], "metrics": points})
        connection.request("POST", f"{tracking.PREFIX}/runs/log-batch", body, headers)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"{}")
        return place, number

    answered = answer_and_kill({**os.environ, "DATABASE_URL": url}, ask)
    found, batches = kept(), Counter(place for place, _ in answered)
    total = sum(total_of(found.get(number, NONE), batches[place]) for place, number in enumerate(numbers))
    print(f"\n{url.partition(':')[0].partition('+')[0]}: {KILLS} kills, {total:,} points acknowledged, 0 lost, 0 twice")


@pytest.mark.timeout(600 + 10 * KILLS)
def test_killed_behind_our_own_api_it_loses_no_point_and_does_nothing_twice_under_one_idempotency_key(url: str) -> None:
    headers = {"Authorization": f"Bearer {tracking.key()}", "Content-Type": "application/json"}
    owner = person()
    with transaction() as session:
        numbers = [reporting.begin(session, owner, name=f"logs {place}").id for place in range(2)]

    def ask(connection: http.client.HTTPConnection, place: int, number: int) -> tuple[int, int, str | None]:
        """Two log points; two begin experiments, and ask again under the same key until they are answered."""
        if place < 2:
            path, more = f"/api/v1/experiments/{numbers[place]}/metrics", {}
            steps = range(number * POINTS, (number + 1) * POINTS)
            body = {"points": [{"metric": "train_loss", "step": step, "value": step / 3} for step in steps]}
        else:
            path, more = "/api/v1/experiments", {"Idempotency-Key": f"{place}-{number}"}
            body = {"name": f"begun {place}-{number}"}
        connection.request("POST", path, orjson.dumps(body), headers | more)
        answer = connection.getresponse()
        told = orjson.loads(answer.read())
        assert answer.status == (200 if place < 2 else 201), told
        return place, told.get("id", 0), answer.headers["Idempotency-Replayed"]

    answered = answer_and_kill({**os.environ, "DATABASE_URL": url}, ask)
    found, batches = kept(), Counter(place for place, *_ in answered)
    total = sum(total_of(found.get(number, NONE), batches[place]) for place, number in enumerate(numbers))
    told = {number for place, number, _ in answered if place > 1}
    with snapshot() as session:
        shown = func.coalesce(Experiment.given_name, Experiment.name)
        begun = dict(session.execute(select(Experiment.id, shown).where(Experiment.id.not_in(numbers))).all())
    assert len(told) == batches[2] + batches[3]  # nobody was told of another's
    assert told <= set(begun)
    assert len(begun) <= len(told) + 2  # the last two were perhaps not told any more
    assert len(set(begun.values())) == len(begun)
    again = sum(replayed is not None for *_, replayed in answered)
    print(
        f"\n{url.partition(':')[0].partition('+')[0]}: {KILLS} kills, {total:,} points acknowledged, 0 lost, 0 twice; "
        f"{len(told):,} experiments begun, of which {again} were told by a repeated request, 0 twice"
    )
