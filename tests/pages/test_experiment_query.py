"""What an address asks the list for: only what the list can answer is taken from it."""

import orjson
import pytest

from pages._experiment_query import columns_from, fields_from, filters_from, query_from, sort_from

TEXT = {"filterType": "text", "type": "contains", "filter": "run"}


def test_a_filter_that_fits_is_kept() -> None:
    assert filters_from(orjson.dumps({"name": TEXT}).decode(), ()) == {"name": TEXT}


@pytest.mark.parametrize(
    ("column", "item"),
    [
        ("created", {"filterType": "date", "type": "equals", "dateFrom": "banana"}),
        ("created", {"filterType": "date", "type": "equals", "dateFrom": "9999-12-31"}),
        ("created", {"filterType": "date", "type": "inRange"}),
        ("epochs", {"filterType": "number", "type": "equals", "filter": "abc"}),
        ("epochs", TEXT),
        ("name", {"filterType": "text", "type": "contains"}),
        ("name", {"filterType": "text", "type": "<script>", "filter": "x"}),
        ("status", TEXT),
        ("param:lr", TEXT),
    ],
)
def test_a_filter_that_the_list_would_refuse_is_left_out(column: str, item: dict[str, str]) -> None:
    assert filters_from(orjson.dumps({column: item}).decode(), ()) == {}


def test_of_a_filter_only_our_own_words_are_kept() -> None:
    told = orjson.dumps({"name": {**TEXT, "operator": "AND", "conditions": 5}}).decode()
    assert filters_from(told, ()) == {"name": TEXT}


@pytest.mark.parametrize(
    ("zone", "known"),
    [("Asia/Kolkata", "Asia/Kolkata"), ("../../etc/passwd", "UTC"), ("Europe", "UTC"), ("No/Where", "UTC"), (7, "UTC")],
)
def test_days_of_a_filter_are_those_of_a_zone_that_there_is(zone: object, known: str) -> None:
    day = {"created": {"filterType": "date", "type": "equals", "dateFrom": "2026-03-02 00:00:00"}}
    assert str(query_from(None, "", "all", [], day, zone=zone).filters[0].zone) == known


def test_a_comma_in_a_name_is_told_from_one_between_names() -> None:
    assert columns_from("param:a%2Cb,param:100%25") == ("param:a,b", "param:100%")


def test_a_filter_of_tags_is_kept_and_an_order_by_them_is_not() -> None:
    assert filters_from(orjson.dumps({"tags": TEXT}).decode(), ()) == {"tags": TEXT}
    assert sort_from("tags", ()) == "-created"


def test_fields_are_those_there_are_in_their_order() -> None:
    assert fields_from("model,nonsense,status") == ("status", "model")
    assert fields_from("") == ()
    assert "started" not in fields_from(None)


@pytest.mark.parametrize("name", ["param:", "param:a\x00b", "metric:max:\ud800", "other"])
def test_a_column_that_cannot_be_is_left_out(name: str) -> None:
    assert columns_from([name, "param:lr"]) == ("param:lr",)
