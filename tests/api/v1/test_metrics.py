"""Metrics through our own API: logged, summed up, read in whole and in pictures."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.experiments import LABELS, completed
from tests.support.rest import Rest


def series(api: Rest, number: int, metric: str, **asked: Any) -> Any:
    answer = api.get(f"/experiments/{number}/metrics/{metric}", **asked)
    assert answer.status_code == 200, answer.text
    return answer.json


class TestLogging:
    def test_what_is_answered_is_there_and_the_same_again_is_kept_once(self, api: Rest) -> None:
        number = api.experiment()
        first = api.log(number, "loss", (1, 0.5), (2, 0.25), time=1_700_000_000.5)
        again = api.log(number, "loss", (1, 0.5), (2, 0.25), (3, 0.125), time=1_700_000_000.5)
        assert first.json == {"received": 2, "stored": 2}
        assert again.json == {"received": 3, "stored": 1}
        assert series(api, number, "loss")["points"] == {
            "step": [1, 2, 3],
            "value": [0.5, 0.25, 0.125],
            "time": [1_700_000_000.5] * 3,
        }

    def test_without_times_it_is_kept_once_as_well(self, api: Rest) -> None:
        number = api.experiment()
        assert [api.log(number, "loss", (1, 0.5)).json["stored"] for _ in range(2)] == [1, 0]
        assert series(api, number, "loss")["points"]["time"] == [None]

    def test_what_is_not_finite_comes_back_as_it_went(self, api: Rest) -> None:
        number = api.experiment()
        given = [(1, "NaN"), (2, 1), (3, "Infinity"), (4, "-Infinity")]
        api.log(number, "loss", *given)
        assert series(api, number, "loss")["points"]["value"] == ["NaN", 1.0, "Infinity", "-Infinity"]
        (told,) = api.get(f"/experiments/{number}/metrics").json["items"]
        assert (told["last"], told["best"], told["nonfinite"]) == ("-Infinity", 1.0, 3)

    def test_epochs_are_found_in_it(self, api: Rest) -> None:
        number = api.experiment()
        api.log(number, "train/loss", (1, 0.5), (2, 0.25), (3, "NaN"))
        api.log(number, "val_accuracy", (1, 0.8), (2, 0.9))
        rows = api.get(f"/experiments/{number}/training-runs").json["items"]
        assert [(row["epoch"], row["train_loss"], row["val_accuracy"]) for row in rows] == [
            (1, 0.5, 0.8),
            (2, 0.25, 0.9),
        ]
        assert api.get(f"/experiments/{number}").json["epochs"] == 2

    def test_all_of_a_batch_is_kept_or_nothing(self, api: Rest) -> None:
        number = api.experiment()
        rows = [{"metric": "a", "step": 1, "value": 1}, {"metric": "", "step": 1, "value": 1}]
        answer = api.post(f"/experiments/{number}/metrics", {"points": rows})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "points[1].metric")
        assert api.get(f"/experiments/{number}/metrics").json["items"] == []

    def test_anothers_experiment_is_not_written_to(self, dash_app: Any, database: Engine) -> None:
        number = Rest(dash_app.server).experiment()
        other = Rest(dash_app.server, name="other")
        assert other.log(number, "loss", (1, 1)).status_code == 403
        assert other.get(f"/experiments/{number}/metrics").json["items"] == []

    def test_a_deleted_one_neither(self, api: Rest) -> None:
        number = api.experiment()
        api.ask("DELETE", f"/experiments/{number}")
        assert api.log(number, "loss", (1, 1)).status_code == 409

    @pytest.mark.parametrize(
        ("point", "field"),
        [
            ({"metric": "a", "step": 1}, "points[0].value"),
            ({"metric": "a", "step": 1.5, "value": 1}, "points[0].step"),
            ({"metric": "a", "step": "1", "value": 1}, "points[0].step"),
            ({"metric": "a", "step": 2**53 + 1, "value": 1}, "points[0].step"),
            ({"metric": "a", "step": 1, "value": "1"}, "points[0].value"),
            ({"metric": "a", "step": 1, "value": True}, "points[0].value"),
            ({"metric": "a", "step": 1, "value": None}, "points[0].value"),
            ({"metric": "a" * 251, "step": 1, "value": 1}, "points[0].metric"),
            ({"metric": "a", "step": 1, "value": 1, "time": -1}, "points[0].time"),
            ({"metric": "a", "step": 1, "value": 1, "time": 1e15}, "points[0].time"),
            ({"metric": "a", "step": 1, "value": 1, "key": "a"}, "points[0].key"),
        ],
    )
    def test_what_cannot_be_logged_says_where(self, lone_api: Rest, point: dict[str, Any], field: str) -> None:
        answer = lone_api.post(f"/experiments/{lone_api.experiment()}/metrics", {"points": [point]})
        assert answer.status_code == 422
        assert {fault["field"] for fault in answer.json["errors"]} == {field}

    def test_ten_thousand_points_go_at_once_and_one_more_does_not(self, lone_api: Rest) -> None:
        number = lone_api.experiment()
        rows = [{"metric": "a", "step": step, "value": 1} for step in range(10_001)]
        assert lone_api.post(f"/experiments/{number}/metrics", {"points": rows[:-1]}).json["stored"] == 10_000
        answer = lone_api.post(f"/experiments/{number}/metrics", {"points": rows})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "points")


class TestReading:
    @pytest.fixture
    def number(self, api: Rest) -> int:
        """An experiment with a long series that has one spike, and others."""
        number = api.experiment()
        api.log(number, "val_loss", *[(step, 5.0 if step == 777 else 1 / step) for step in range(1, 2001)])
        api.log(number, "val/accuracy", (1, 0.5), (2, 0.75), (3, 0.7))
        api.log(number, "speed", (1, 10))
        return number

    def test_each_metric_tells_its_last_and_best(self, api: Rest, number: int) -> None:
        rows = api.get(f"/experiments/{number}/metrics").json["items"]
        told = {row["name"]: (row["points"], row["last"], row["best"], row["best_step"]) for row in rows}
        assert told == {
            "speed": (1, 10.0, None, None),
            "val/accuracy": (3, 0.7, 0.75, 2),
            "val_loss": (2000, 1 / 2000, 1 / 2000, 2000),
        }

    def test_metrics_come_a_page_at_a_time(self, api: Rest, number: int) -> None:
        first = api.get(f"/experiments/{number}/metrics", limit=2).json
        second = api.get(f"/experiments/{number}/metrics", limit=2, cursor=first["next"]).json
        assert [row["name"] for page in (first, second) for row in page["items"]] == [
            "speed",
            "val/accuracy",
            "val_loss",
        ]
        assert second["next"] is None

    def test_all_points_come_a_page_at_a_time_also_those_that_are_logged_meanwhile(
        self, api: Rest, number: int
    ) -> None:
        seen, cursor = [], None
        while True:
            page = series(api, number, "val_loss", limit=700, **({"cursor": cursor} if cursor else {}))
            seen += page["points"]["step"]
            if cursor is None:
                api.log(number, "val_loss", (2001, 0.0))
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == list(range(1, 2002))

    def test_a_part_is_what_lies_between_two_steps(self, api: Rest, number: int) -> None:
        assert series(api, number, "val_loss", from_step=5, to_step=8)["points"]["step"] == [5, 6, 7, 8]
        assert series(api, number, "val_loss", from_step=1999)["points"]["step"] == [1999, 2000]
        page = series(api, number, "val_loss", to_step=5, limit=3)
        rest = series(api, number, "val_loss", to_step=5, limit=3, cursor=page["next"])
        assert (page["points"]["step"], rest["points"]["step"]) == ([1, 2, 3], [4, 5])

    def test_a_picture_of_it_has_every_spike(self, api: Rest, number: int) -> None:
        told = series(api, number, "val_loss", points=50)
        assert len(told["points"]["step"]) <= 50
        assert {1, 777, 2000} <= set(told["points"]["step"])
        assert told["next"] is None

    def test_it_is_a_table_for_pandas(self, api: Rest, number: int) -> None:
        import pandas

        frame = pandas.DataFrame(series(api, number, "val_loss")["points"])
        assert (list(frame.columns), len(frame), frame.value.max()) == (["step", "value", "time"], 2000, 5.0)

    def test_it_is_a_csv_as_well(self, api: Rest, number: int) -> None:
        answer = api.ask("GET", f"/experiments/{number}/metrics/val/accuracy", headers={"Accept": "text/csv"})
        rows = list(csv.reader(io.StringIO(answer.text)))
        assert rows == [["step", "value", "time"], ["1", "0.5", ""], ["2", "0.75", ""], ["3", "0.7", ""]]

    def test_a_metric_that_is_not_there_is_not_found(self, api: Rest, number: int) -> None:
        assert api.get(f"/experiments/{number}/metrics/nothing").status_code == 404

    def test_the_epochs_come_a_page_at_a_time(self, api: Rest, number: int) -> None:
        first = api.get(f"/experiments/{number}/training-runs", limit=2).json
        assert [row["epoch"] for row in first["items"]] == [1, 2]
        second = api.get(f"/experiments/{number}/training-runs", limit=2, cursor=first["next"]).json
        assert [row["epoch"] for row in second["items"]] == [3, 4]

    def test_reading_sends_as_many_statements_for_many_as_for_few(
        self, api: Rest, number: int, database: Engine, count_queries: Callable[..., int]
    ) -> None:
        def ask(limit: int) -> int:
            return count_queries(database, lambda: api.get(f"/experiments/{number}/metrics", limit=limit))

        assert ask(1) == ask(50)


class TestConfusion:
    @pytest.fixture
    def number(self, database: Engine) -> int:
        return completed(epochs=3)

    def test_the_last_matrix_comes_with_the_scores_of_each_class(self, api: Rest, number: int) -> None:
        told = api.get(f"/experiments/{number}/confusion-matrix").json
        assert (told["epoch"], told["first_epoch"], told["last_epoch"]) == (3, 1, 3)
        assert told["labels"] == LABELS
        assert told["counts"] == [[24, 6, 0], [1, 24, 5], [0, 0, 30]]
        healthy = told["classes"][0]
        assert (healthy["label"], healthy["precision"], healthy["recall"]) == ("Healthy", 24 / 25, 24 / 30)

    def test_that_of_an_earlier_epoch_is_asked_for(self, api: Rest, number: int) -> None:
        assert api.get(f"/experiments/{number}/confusion-matrix", epoch=1).json["counts"][0] == [10, 20, 0]

    def test_as_a_table_it_is_the_scores(self, api: Rest, number: int) -> None:
        answer = api.ask("GET", f"/experiments/{number}/confusion-matrix", headers={"Accept": "text/csv"})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["label"] for row in rows] == LABELS
        assert float(rows[2]["recall"]) == 1

    def test_without_one_it_is_not_found(self, api: Rest) -> None:
        assert api.get(f"/experiments/{api.experiment()}/confusion-matrix").status_code == 404
