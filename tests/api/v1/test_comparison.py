"""Experiments side by side through our own API, as on the page."""

from typing import Any

import pytest

from tests.support.rest import Rest


def compared(api: Rest, *ids: int, **more: str) -> Any:
    answer = api.get("/comparison", id=list(ids), **more)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_parameters_and_metrics_stand_side_by_side_in_the_order_asked_for(api: Rest) -> None:
    first = api.experiment("a", hyperparameters={"lr": 0.1, "batch": 32})
    second = api.experiment("b", hyperparameters={"learning_rate": "1e-2", "batch": 32})
    for number, values in ((first, (0.5, 0.75)), (second, (0.9, "NaN"))):
        api.log(number, "val_accuracy", *enumerate(values, start=1))
    told = compared(api, second, first)
    assert [one["id"] for one in told["experiments"]] == [second, first]
    rows = {row["name"]: row["values"] for row in told["parameters"]}
    assert (rows["batch"], rows["learning_rate"]) == (["32", "32"], ["0.01", "0.1"])
    (metric,) = told["metrics"]
    assert (metric["best"], metric["last"], metric["winners"]) == ([0.9, 0.75], ["NaN", 0.75], [second])
    assert metric["direction"] == "max"


def test_only_what_differs_is_told_where_that_is_asked_for(lone_api: Rest) -> None:
    numbers = [lone_api.experiment(f"{lr}", hyperparameters={"lr": lr, "batch": 32}) for lr in (1, 2)]
    names = {row["name"] for row in compared(lone_api, *numbers, only_differences="true")["parameters"]}
    assert ("lr" in names, "batch" in names) == (True, False)


def test_what_is_deleted_or_was_never_there_is_left_out_and_told(lone_api: Rest) -> None:
    here, gone = lone_api.experiment("here"), lone_api.experiment("gone")
    lone_api.ask("DELETE", f"/experiments/{gone}")
    told = compared(lone_api, here, gone, 999)
    assert ([one["id"] for one in told["experiments"]], told["left_out"]) == ([here], [gone, 999])


@pytest.mark.parametrize("ids", [[], ["x"], list(range(1, 52))])
def test_there_are_one_to_fifty(lone_api: Rest, ids: list[Any]) -> None:
    assert lone_api.get("/comparison", id=ids).status_code == 422


def test_the_columns_that_lists_can_have_are_named(api: Rest) -> None:
    number = api.experiment(hyperparameters={"lr": 0.1})
    api.log(number, "val_loss", (1, 0.5))
    told = api.get("/experiment-columns").json
    assert told == {"metrics": ["val_loss"], "params": ["lr"], "suggested": ["metric:min:val_loss"]}
    asked = {"column": [*told["suggested"], "param:lr"], "sort": "param:lr"}
    assert api.get("/experiments", **asked).json["items"][0]["values"] == {"metric:min:val_loss": 0.5, "param:lr": 0.1}
