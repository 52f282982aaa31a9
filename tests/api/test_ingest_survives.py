"""A process that takes in metrics is killed again and again: each point that was acknowledged is there, and once."""

import http.client
import os
from pathlib import Path

import numpy as np
import orjson
import pytest
from sqlalchemy import select, text

from config import settings as configuration
from database import engine as engines
from database.engine import snapshot, transaction
from models import Experiment, MetricSeries
from services.curves.reading import read_all
from services.tracking import runs
from tests.support import tracking
from tests.support.killing import KILLS, answer_and_kill
from tests.support.people import person

POINTS = 20  # in a batch
TIME = 1_700_000_000_000


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.timeout(180 + 3 * KILLS)
def test_a_process_killed_while_it_takes_in_points_loses_none_that_it_acknowledged(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    configuration.settings.cache_clear()
    engines.use_engine(engines.build_engine(url))
    try:
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
            points = [
                {"key": "train_loss", "value": step / 3, "timestamp": TIME + step, "step": step} for step in steps
            ]
            body = orjson.dumps({"run_id": ids[place], "metrics": points})
            connection.request("POST", f"{tracking.PREFIX}/runs/log-batch", body, headers)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"{}")
            return place, number

        answered = answer_and_kill({**os.environ, "DATABASE_URL": url}, ask)
        with snapshot() as session:
            series = dict(session.execute(select(MetricSeries.experiment_id, MetricSeries.id)).all())
            kept = read_all(session, series.values())
            whole = session.scalar(text("PRAGMA integrity_check")) if kind == "sqlite" else "ok"
    finally:
        engines.use_engine(None)
        monkeypatch.undo()
        configuration.settings.cache_clear()
    assert whole == "ok"
    total = 0
    for place, number in enumerate(numbers):
        points = kept[series[number]]
        acknowledged = (max(batch for who, batch in answered if who == place) + 1) * POINTS
        assert len(points) in (acknowledged, acknowledged + POINTS)  # the last one was perhaps not told any more
        assert (points.steps == np.arange(len(points))).all()
        assert (points.values == points.steps / 3).all()
        total += acknowledged
    print(f"\n{kind}: {KILLS} kills, {total:,} points acknowledged, 0 lost, 0 twice")
