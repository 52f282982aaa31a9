"""What a run logs: points, parameters, tags; whole or not at all, and once."""

import math
import threading
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from database.engine import snapshot
from models import Experiment, ExperimentParam, MetricKey, MetricSeries, TrainingRun
from services.curves.reading import read_all
from tests.support import tracking
from tests.support.tracking import Tracking

TIME = 1_700_000_000_000


@pytest.fixture
def api(dash_app: Any, database: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


@pytest.fixture
def light(dash_app: Any, sqlite: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


def points_of(key: str = "loss") -> list[tuple[int, float]]:
    with snapshot() as session:
        series = session.scalar(
            select(MetricSeries.id).join(MetricKey, MetricKey.id == MetricSeries.key_id).where(MetricKey.name == key)
        )
        if series is None:
            return []
        found = read_all(session, [series])[series]
    return list(zip(found.steps.tolist(), found.values.tolist(), strict=True))


def epochs() -> list[tuple[int, float | None, float | None]]:
    with snapshot() as session:
        rows = session.execute(
            select(TrainingRun.epoch, TrainingRun.train_loss, TrainingRun.val_loss).order_by(TrainingRun.epoch)
        )
        return [tuple(row) for row in rows]


class TestPoints:
    def test_a_batch_of_several_metrics_is_kept(self, api: Tracking) -> None:
        run = api.run()
        assert api.log(run, "loss", *[(step, 1 / (step + 1)) for step in range(500)]).status_code == 200
        assert points_of() == [(step, 1 / (step + 1)) for step in range(500)]

    def test_not_a_number_and_infinity_come_back_as_they_were(self, api: Tracking) -> None:
        run = api.run()
        said = ["NaN", "Infinity", "-Infinity"]
        metrics = [{"key": "loss", "value": v, "timestamp": TIME, "step": n} for n, v in enumerate(said)]
        assert api.post("runs/log-batch", run_id=run, metrics=metrics).status_code == 200
        history = api.get("metrics/get-history", run_id=run, metric_key="loss").json["metrics"]
        assert [point["value"] for point in history] == said
        assert api.get("runs/get", run_id=run).json["run"]["data"]["metrics"][0]["value"] == "-Infinity"

    def test_the_same_batch_twice_is_kept_once(self, api: Tracking) -> None:
        run = api.run()
        for _ in range(2):
            answer = api.log(run, "loss", (0, 1.0), (1, math.pi), (2, 0.5))
            assert answer.status_code == 200
        metrics = [{"key": "nan", "value": "NaN", "timestamp": TIME, "step": 3}]
        for _ in range(2):
            assert api.post("runs/log-batch", run_id=run, metrics=metrics).status_code == 200
        assert len(points_of()) == 3
        assert len(points_of("nan")) == 1

    def test_the_same_batch_from_twenty_at_once_is_kept_once(self, api: Tracking, dash_app: Any) -> None:
        run, statuses = api.run(), []

        def send() -> None:
            mine = Tracking(dash_app.server, api.headers["Authorization"].removeprefix("Bearer "))
            statuses.append(mine.log(run, "loss", *[(step, step / 7) for step in range(50)]).status_code)

        threads = [threading.Thread(target=send) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(150)
        assert statuses == [200] * 20
        assert points_of() == [(step, step / 7) for step in range(50)]

    def test_of_what_several_log_at_once_a_refused_one_fails_alone(self, api: Tracking, dash_app: Any) -> None:
        runs = [api.run() for _ in range(6)]
        api.post("runs/delete", run_id=runs[2])
        api.post("runs/log-parameter", run_id=runs[4], key="depth", value="1")
        statuses: dict[int, set[int]] = {}

        def send(place: int) -> None:
            mine = Tracking(dash_app.server, api.headers["Authorization"].removeprefix("Bearer "))
            metrics = [{"key": "loss", "value": place / 7, "timestamp": TIME, "step": place}]
            params = [{"key": "depth", "value": "2"}]
            for _ in range(5):
                answer = mine.post("runs/log-batch", run_id=runs[place], metrics=metrics, params=params)
                statuses.setdefault(place, set()).add(answer.status_code)

        threads = [threading.Thread(target=send, args=(place,)) for place in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(150)
        assert statuses == {place: {400} if place in (2, 4) else {200} for place in range(6)}
        for place, run in enumerate(runs):
            told = api.get("metrics/get-history", run_id=run, metric_key="loss").json["metrics"]
            assert [point["step"] for point in told] == ([] if place in (2, 4) else [place])

    def test_a_key_twice_at_a_step_is_two_points(self, api: Tracking) -> None:
        run = api.run()
        for time in (TIME, TIME + 1):
            api.post("runs/log-metric", run_id=run, key="loss", value=0.5, timestamp=time, step=1)
        assert points_of() == [(1, 0.5), (1, 0.5)]

    def test_steps_may_go_back(self, api: Tracking) -> None:
        run = api.run()
        api.log(run, "loss", (5, 1.0), (6, 2.0))
        api.log(run, "loss", (3, 3.0))
        assert points_of() == [(5, 1.0), (6, 2.0), (3, 3.0)]

    def test_a_metric_without_a_step_is_at_step_0(self, api: Tracking) -> None:
        run = api.run()
        assert api.post("runs/log-metric", run_id=run, key="f1", value=1, timestamp=TIME).status_code == 200
        assert points_of("f1") == [(0, 1.0)]

    def test_two_writers_at_once_lose_nothing(self, api: Tracking, dash_app: Any) -> None:
        run, failures = api.run(), []

        def write(first: int) -> None:
            mine = Tracking(dash_app.server, api.headers["Authorization"].removeprefix("Bearer "))
            for batch in range(10):
                start = first + batch * 20
                answer = mine.log(run, "loss", *[(step, float(step)) for step in range(start, start + 20)])
                if answer.status_code != 200:
                    failures.append(answer.text)

        threads = [threading.Thread(target=write, args=(first,)) for first in (0, 1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(150)
        assert failures == []
        assert sorted(points_of()) == [(n, float(n)) for n in (*range(200), *range(1000, 1200))]

    def test_a_history_comes_in_pages(self, light: Tracking) -> None:
        run = light.run()
        light.log(run, "loss", *[(step, float(step)) for step in range(10)])
        asked: dict[str, Any] = {"run_id": run, "metric_key": "loss", "max_results": 4}
        pages, token = [], None
        while True:
            answer = light.get("metrics/get-history", **asked, **({"page_token": token} if token else {})).json
            pages.append([point["step"] for point in answer["metrics"]])
            token = answer.get("next_page_token")
            if token is None:
                break
        assert pages == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]

    def test_histories_of_several_runs_come_together(self, light: Tracking) -> None:
        first, second = light.run(), light.run()
        for run in (first, second):
            light.log(run, "loss", *[(step, float(step)) for step in range(100)])
        asked = {"run_id": [first, second], "metric_key": "loss"}
        assert len(light.get("metrics/get-history-bulk", **asked).json["metrics"]) == 200
        asked = {"run_ids": [first, second], "metric_key": "loss", "max_results": 5}
        chosen = light.get("metrics/get-history-bulk-interval", **asked, start_step=10, end_step=50).json["metrics"]
        assert [point["step"] for point in chosen if point["run_id"] == first] == [10, 20, 30, 40, 50]


class TestEpochs:
    def test_they_are_counted_from_1_also_where_steps_begin_at_0(self, api: Tracking) -> None:
        run = api.run()
        for step in range(3):
            api.log(run, "train_loss", (step, 3.0 - step))
            api.log(run, "val_loss", (step, 4.0 - step))
        assert epochs() == [(1, 3.0, 4.0), (2, 2.0, 3.0), (3, 1.0, 2.0)]

    def test_a_single_point_is_a_summary_and_no_epoch(self, light: Tracking) -> None:
        light.log(light.run(), "accuracy", (0, 0.9))
        assert epochs() == []

    def test_steps_of_batches_are_no_epochs(self, light: Tracking) -> None:
        light.log(light.run(), "loss", *[(step, 1.0) for step in range(0, 500, 50)])
        assert epochs() == []

    def test_a_validation_at_every_second_epoch_finds_its_place(self, light: Tracking) -> None:
        run = light.run()
        for step in range(4):
            light.log(run, "train_loss", (step, float(step)))
            if step % 2:
                light.log(run, "val_loss", (step, 10.0 + step))
        assert epochs() == [(1, 0.0, None), (2, 1.0, 11.0), (3, 2.0, None), (4, 3.0, 13.0)]

    def test_a_better_key_wins_whichever_comes_first(self, light: Tracking) -> None:
        for names in (("loss", "train_loss"), ("train_loss", "loss")):
            run = light.run()
            for name in names:
                light.log(run, name, *[(step, 1.0 if name == "train_loss" else 9.0) for step in (1, 2)])
        assert [row[1] for row in epochs()] == [1.0, 1.0, 1.0, 1.0]

    def test_a_value_that_is_no_number_leaves_its_cell_empty(self, light: Tracking) -> None:
        run = light.run()
        metrics = [
            {"key": "train_loss", "value": value, "timestamp": TIME + step, "step": step}
            for step, value in ((1, 1.5), (2, "NaN"))
        ]
        light.post("runs/log-batch", run_id=run, metrics=metrics)
        assert epochs() == [(1, 1.5, None)]

    def test_two_keys_of_one_column_in_one_batch_are_one_epoch_each(self, api: Tracking) -> None:
        metrics = [
            {"key": key, "value": value, "timestamp": TIME + step, "step": step}
            for key, value in (("train_loss", 1.0), ("training loss", 2.0), ("loss", 9.0))
            for step in (1, 2)
        ]
        answer = api.post("runs/log-batch", run_id=api.run(), metrics=metrics)
        assert answer.status_code == 200, answer.text
        assert epochs() == [(1, 2.0, None), (2, 2.0, None)]


class TestParameters:
    def test_what_was_said_comes_back_to_the_letter(self, api: Tracking) -> None:
        said = {"lr": "0.10", "n": "007", "big": "123456789012345678901", "yes": "True", "e": "1e-4", "i": "32"}
        run = api.run()
        api.post("runs/log-batch", run_id=run, params=[{"key": k, "value": v} for k, v in said.items()])
        told = api.get("runs/get", run_id=run).json["run"]["data"]["params"]
        assert {one["key"]: one["value"] for one in told} == said
        with snapshot() as session:
            assert session.scalar(select(ExperimentParam.value_number).where(ExperimentParam.name == "lr")) == 0.1

    def test_one_that_is_set_may_be_said_again_and_not_be_changed(self, api: Tracking) -> None:
        run = api.run()
        for value, status in (("1", 200), ("1", 200), ("2", 400)):
            answer = api.post("runs/log-parameter", run_id=run, key="depth", value=value)
            assert answer.status_code == status
        assert answer.json["error_code"] == "INVALID_PARAMETER_VALUE"
        assert "Changing param values is not allowed" in answer.json["message"]

    def test_planned_epochs_are_the_goal(self, light: Tracking) -> None:
        light.post("runs/log-parameter", run_id=light.run(), key="max_epochs", value="40")
        with snapshot() as session:
            assert session.scalar(select(Experiment.total_epochs)) == 40


class TestAllOrNothing:
    def test_a_batch_with_one_bad_part_leaves_nothing(self, api: Tracking) -> None:
        run = api.run()
        api.post("runs/log-parameter", run_id=run, key="depth", value="1")
        answer = api.post(
            "runs/log-batch",
            run_id=run,
            metrics=[{"key": "loss", "value": 1.0, "timestamp": TIME, "step": 1}],
            params=[{"key": "depth", "value": "2"}],
            tags=[{"key": "a", "value": "b"}],
        )
        assert answer.status_code == 400
        assert points_of() == []
        assert "a" not in [tag["key"] for tag in api.get("runs/get", run_id=run).json["run"]["data"]["tags"]]


GOOD = {"key": "loss", "value": 1.0, "timestamp": TIME, "step": 1}


class TestBadInput:
    @pytest.mark.parametrize(
        "change",
        [
            {"key": None},
            {"key": ""},
            {"key": 5},
            {"key": "a\x00b"},
            {"key": "../up"},
            {"key": "/root"},
            {"key": "a//b"},
            {"key": "percent%"},
            {"key": "x" * 251},
            {"value": None},
            {"value": "nan"},
            {"value": True},
            {"value": []},
            {"value": "1" * 50},
            {"timestamp": None},
            {"timestamp": -1},
            {"timestamp": 2**63},
            {"timestamp": 10**18},
            {"timestamp": "x"},
            {"step": 1.5},
            {"step": 2**53 + 1},
            {"step": 2**70},
            {"step": True},
            {"step": {}},
        ],
        ids=str,
    )
    def test_a_point_that_cannot_be_kept_is_refused_and_named(self, light: Tracking, change: dict[str, Any]) -> None:
        answer = light.post("runs/log-batch", run_id=light.run(), metrics=[GOOD | change])
        assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert "metrics[0]" in answer.json["message"] or next(iter(change)) in answer.json["message"]
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(MetricSeries)) == 0

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b"[]",
            b"7",
            b'"x"',
            b'{"run_id": NaN}',
            b'{"run_id": "\xff"}',
            rb'{"run_id": "\ud800"}',
            b"[" * 100_000,
            b'{"a":' * 100_000,
        ],
        ids=lambda data: repr(data[:20]),
    )
    def test_a_body_that_is_no_json_object_is_refused(self, light: Tracking, data: bytes) -> None:
        answer = light.raw("runs/log-batch", data)
        assert (answer.status_code, answer.mimetype) == (400, "application/json")
        assert answer.json["error_code"] in {"BAD_REQUEST", "INVALID_PARAMETER_VALUE"}

    @pytest.mark.parametrize("name", ["metrics", "params", "tags"])
    @pytest.mark.parametrize("value", [1, "x", {}, [1], [None], [[]], [{}]], ids=str)
    def test_what_is_no_list_of_objects_is_refused(self, light: Tracking, name: str, value: Any) -> None:
        answer = light.post("runs/log-batch", run_id=light.run(), **{name: value})
        assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    @pytest.mark.parametrize(
        ("name", "many"),
        [
            ("metrics", [GOOD | {"step": step} for step in range(1001)]),
            ("params", [{"key": f"k{n}", "value": "1"} for n in range(101)]),
            ("tags", [{"key": f"k{n}", "value": "1"} for n in range(101)]),
        ],
        ids=["metrics", "params", "tags"],
    )
    def test_more_than_mlflow_takes_at_once_is_refused(self, light: Tracking, name: str, many: list[Any]) -> None:
        answer = light.post("runs/log-batch", run_id=light.run(), **{name: many})
        assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    @pytest.mark.parametrize("run", [None, "", 5, [], "x", "0" * 32, "f" * 32, "F" * 32, "a" * 5000, "a\x00"], ids=str)
    def test_a_run_that_is_not_there_is_not_written_to(self, light: Tracking, run: Any) -> None:
        answer = light.post("runs/log-batch", run_id=run, metrics=[GOOD])
        assert answer.status_code in {400, 404}
        assert answer.json["error_code"] in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}


def test_writers_of_one_run_never_lock_each_other_out(api: Tracking, dash_app: Any) -> None:
    run, failures = api.run(), []

    def write(first: int) -> None:
        mine = Tracking(dash_app.server, api.headers["Authorization"].removeprefix("Bearer "))
        for step in range(25):
            answer = mine.post(
                "runs/log-batch",
                run_id=run,
                metrics=[
                    {"key": key, "value": 1.0, "timestamp": TIME + first, "step": step}
                    for key in (("train_loss", "val_loss") if first else ("val_loss", "train_loss"))
                ],
                # Some change the run itself before its series, and some only after.
                params=[{"key": f"p{first}-{step}", "value": "1"}] if first % 2 else [],
            )
            if answer.status_code != 200:
                failures.append(answer.text)

    threads = [threading.Thread(target=write, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(150)
    assert failures == []
    assert [row[0] for row in epochs()] == list(range(1, 26))
    assert len(points_of("train_loss")) == 100
