"""The list of experiments as programs read it: filtered, sorted, from one row to the next."""

import csv
import io
from typing import Any

import pytest

from tests.support.rest import Rest


def names(api: Rest, **asked: Any) -> list[str]:
    answer = api.get("/experiments", **asked)
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json["items"]]


@pytest.fixture
def filled(api: Rest) -> Rest:
    """Three experiments that differ in everything."""
    first = api.experiment("alpha", group="g1", model="cnn1d", tags=["good"], hyperparameters={"lr": 0.1})
    second = api.experiment("beta", group="g1", model="mlp", tags=["good", "best"], hyperparameters={"lr": 0.01})
    api.experiment("gamma", group="g2", model="cnn1d", notes="about bearings")
    api.log(first, "val_accuracy", (1, 0.7), (2, 0.8))
    api.log(second, "val_accuracy", (1, 0.9), (2, 0.85))
    api.post(f"/experiments/{second}/end", {"status": "completed"})
    return api


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["gamma", "beta", "alpha"]),
        ({"sort": "name"}, ["alpha", "beta", "gamma"]),
        ({"sort": "-metric:max:val_accuracy"}, ["beta", "alpha", "gamma"]),
        ({"sort": "metric:last:val_accuracy"}, ["alpha", "beta", "gamma"]),
        ({"sort": "param:lr"}, ["beta", "alpha", "gamma"]),
        ({"status": "completed"}, ["beta"]),
        ({"status": ["completed", "running"], "sort": "id"}, ["alpha", "beta", "gamma"]),
        ({"tag": "good", "sort": "id"}, ["alpha", "beta"]),
        ({"tag": ["good", "best"]}, ["beta"]),
        ({"group": "g1", "model": "mlp"}, ["beta"]),
        ({"name": "LPH"}, ["alpha"]),
        ({"text": "bearings"}, ["gamma"]),
        ({"filter": '["metric:max:val_accuracy", "greaterThan", 0.85]'}, ["beta"]),
        ({"filter": ['["param:lr", "inRange", 0.05, 0.2]', '["group", "equals", "g1"]']}, ["alpha"]),
        ({"filter": '["tags", "blank"]'}, ["gamma"]),
        ({"created_from": "2999-01-01T00:00:00Z"}, []),
        ({"created_to": "2999-01-01", "name": "beta"}, ["beta"]),
    ],
)
def test_filters_and_orders_are_those_of_the_page(filled: Rest, asked: dict[str, Any], expected: list[str]) -> None:
    assert names(filled, **asked) == expected


def test_those_that_match_are_counted(filled: Rest) -> None:
    for asked in ({}, {"status": "running"}, {"name": "nothing"}, {"deleted": "true"}):
        found = len(filled.get("/experiments", **asked).json["items"])
        assert filled.get("/experiment-count", **asked).json == {"experiments": found}
    assert filled.get("/experiment-count", limit=1).status_code == 422


def test_further_values_come_along(filled: Rest) -> None:
    columns = ["metric:max:val_accuracy", "param:lr"]
    rows = filled.get("/experiments", sort="name", column=columns).json["items"]
    assert [row["values"] for row in rows] == [
        {"metric:max:val_accuracy": 0.8, "param:lr": 0.1},
        {"metric:max:val_accuracy": 0.9, "param:lr": 0.01},
        {"metric:max:val_accuracy": None},
    ]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"sort": "secret"}, "sort"),
        ({"sort": "metric:worst:x"}, "metric:worst:x"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"cursor": "AAAA"}, "cursor"),
        ({"cursor": "ü"}, "cursor"),
        ({"status": "done"}, "status[0]"),
        ({"filter": "name"}, "filter[0]"),
        ({"filter": "[1, 2]"}, "filter[0]"),
        ({"filter": '["password_hash", "contains", "x"]'}, "password_hash"),
        ({"filter": '["name", "sounds like", "x"]'}, "name"),
        ({"filter": '["status", "in", {"a": 1}]'}, "status"),
        ({"column": "owner"}, "column"),
        ({"created_from": "yesterday"}, "created_from"),
        ({"created_to": "0.5"}, "created_to"),
        ({"created_to": "1790000000"}, "created_to"),
        ({"deleted": "1"}, "deleted"),
        ({"offset": "5"}, "offset"),
        ({"name": "a\x00b"}, "name"),
    ],
)
def test_what_cannot_be_asked_says_where(lone_api: Rest, asked: dict[str, Any], field: str) -> None:
    answer = lone_api.get("/experiments", **asked)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json["errors"]] == [field]


class TestPaging:
    def walk(self, api: Rest, between: Any = None, **asked: Any) -> list[str]:
        """All pages one after the other, following the link that each gives."""
        seen, address = [], None
        answer = api.get("/experiments", limit=2, **asked)
        while True:
            seen += [row["name"] for row in answer.json["items"]]
            if between is not None:
                between()
            address = answer.headers.get("Link")
            assert (address is None) == (answer.json["next"] is None)
            if address is None:
                return seen
            answer = api.ask("GET", address[1 : address.index(">")].removeprefix("/api/v1"))

    @pytest.mark.parametrize(
        "sort",
        [
            "name",
            "-name",
            "created",
            "-created",
            "-metric:max:score",
            "metric:max:score",
            "param:lr",
            "-param:lr",
            "-duration",
            "ended",
            "status",
            "-group",
        ],
    )
    def test_each_row_is_seen_once_in_the_order_of_the_whole(self, api: Rest, sort: str) -> None:
        for place in range(7):
            number = api.experiment(
                f"run {place}",
                group=None if place % 3 else f"g{place}",
                hyperparameters={"lr": place % 2 / 10} if place < 5 else {},
            )
            if place % 2:
                api.log(number, "score", (1, place // 3))
            if place < 3:
                api.post(f"/experiments/{number}/end", {"status": "completed"})
        assert self.walk(api, sort=sort) == names(api, sort=sort, limit=50)
        assert sorted(self.walk(api, sort=sort)) == [f"run {place}" for place in range(7)]

    def test_rows_that_stay_are_seen_once_while_others_come_and_go(self, api: Rest) -> None:
        numbers = [api.experiment(f"run {place}") for place in range(9)]
        doomed = [numbers[8], numbers[3]]

        def meanwhile() -> None:
            api.experiment("new")
            if doomed:
                api.ask("DELETE", f"/experiments/{doomed.pop(0)}")

        seen = [name for name in self.walk(api, meanwhile) if name != "new"]
        assert len(set(seen)) == len(seen)
        assert set(seen) >= {f"run {place}" for place in (0, 1, 2, 4, 5, 6, 7)}

    def test_a_cursor_of_another_question_is_refused(self, lone_api: Rest) -> None:
        for place in range(3):
            lone_api.experiment(f"run {place}")
        cursor = lone_api.get("/experiments", limit=2).json["next"]
        assert lone_api.get("/experiments", limit=2, cursor=cursor).status_code == 200
        assert lone_api.get("/experiments", limit=2, cursor=cursor, sort="name").status_code == 422
        assert lone_api.get("/experiments", limit=2, cursor=cursor[:-2] + "AA").status_code == 422


class TestAsTable:
    def read(self, api: Rest, **asked: Any) -> list[dict[str, str]]:
        answer = api.ask("GET", "/experiments", query_string=asked, headers={"Accept": "text/csv"})
        assert answer.content_type == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(answer.text)))

    def test_it_holds_the_same_rows(self, filled: Rest) -> None:
        rows = self.read(filled, sort="name", column="param:lr")
        assert [row["name"] for row in rows] == ["alpha", "beta", "gamma"]
        assert (rows[1]["tags"], rows[0]["values"]) == ("best good", '{"param:lr":0.1}')

    def test_no_cell_is_a_formula(self, lone_api: Rest) -> None:
        lone_api.experiment('=HYPERLINK("http://x")', notes="=1+1", group="+1", tags=["@sum"])
        (row,) = self.read(lone_api)
        assert (row["name"], row["group"], row["tags"]) == ('\'=HYPERLINK("http://x")', "'+1", "'@sum")

    def test_a_form_that_is_not_there_is_refused(self, lone_api: Rest) -> None:
        answer = lone_api.ask("GET", "/experiments", headers={"Accept": "application/xml"})
        assert (answer.status_code, answer.mimetype) == (406, "application/problem+json")
