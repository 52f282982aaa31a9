"""Lists and series of our own API as Parquet."""

import io
import math
from datetime import UTC, date, datetime
from typing import Any, Literal

import pyarrow
import pytest
from pyarrow import parquet
from pydantic import BaseModel

from tests.support.rest import Rest
from web.rest.operations import OPERATIONS
from web.rest.parquet import PARQUET, as_parquet, kind_of


def read(body: bytes) -> pyarrow.Table:
    return parquet.read_table(io.BytesIO(body))


def asked(api: Rest, path: str, **query: Any) -> Any:
    answer = api.ask("GET", path, headers={"Accept": PARQUET}, **({"query_string": query} if query else {}))
    assert answer.status_code == 200, answer.text
    return answer


def test_a_series_is_three_columns_of_numbers(lone_api: Rest) -> None:
    number = lone_api.experiment()
    lone_api.log(number, "loss", (1, "NaN"), (2, 0.25), (3, "-Infinity"), time=1_700_000_000.5)
    answer = asked(lone_api, f"/experiments/{number}/metrics/loss")
    found = read(answer.data)
    assert answer.content_type == PARQUET
    assert [str(field.type) for field in found.schema] == ["int64", "double", "double"]
    assert found["step"].to_pylist() == [1, 2, 3]
    assert math.isnan(found["value"][0].as_py())
    assert found["value"].to_pylist()[1:] == [0.25, -math.inf]
    assert found["time"].to_pylist() == [1_700_000_000.5] * 3


def test_a_page_of_a_list_says_where_the_next_one_begins(lone_api: Rest) -> None:
    numbers = [lone_api.experiment() for _ in range(3)]
    first = asked(lone_api, "/experiments", limit=2)
    following = first.headers["Link"].removeprefix("</api/v1").split(">")[0]
    rest = asked(lone_api, following)
    told = [number for answer in (first, rest) for number in read(answer.data)["id"].to_pylist()]
    assert sorted(told) == numbers
    assert "Link" not in rest.headers


def test_moments_are_moments_in_utc(lone_api: Rest) -> None:
    before = datetime.now(UTC)
    lone_api.experiment()
    found = read(asked(lone_api, "/experiments").data)
    assert str(found.schema.field("created").type) == "timestamp[us, tz=UTC]"
    assert before <= found["created"][0].as_py() <= datetime.now(UTC)


def test_days_are_days() -> None:
    class Row(BaseModel):
        day: date

    (row,) = read(as_parquet([{"day": "2026-11-26"}], Row)).to_pylist()
    assert row == {"day": date(2026, 11, 26)}


def test_an_empty_list_has_its_columns(lone_api: Rest) -> None:
    found = read(asked(lone_api, "/experiments").data)
    told = lone_api.ask("GET", "/experiments", headers={"Accept": "text/csv"}).text
    assert found.num_rows == 0
    assert ",".join(found.column_names) == told.strip()


def test_every_table_has_columns_for_parquet() -> None:
    tables = {spec.table for spec in OPERATIONS if spec.table is not None}
    assert len(tables) > 15
    for table in tables:
        assert read(as_parquet([], table)).column_names == list(table.model_fields)


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (int, int),
        (bool, bool),
        (bool | None, bool),
        (datetime | None, datetime),
        (date, date),
        (float | str, dict),
        (Literal["a", "b"], str),
        (float | Literal["NaN"] | None, float),
        (list[str], list),
        (list[int], dict),
        (dict[str, Any], dict),
        (int | str, dict),
    ],
)
def test_a_column_holds_what_its_field_declares(annotation: Any, kind: type) -> None:
    assert kind_of(annotation) is kind


def test_what_has_no_column_of_its_own_stands_as_json() -> None:
    class Row(BaseModel):
        params: dict[str, Any]
        tags: list[str]

    (row,) = read(as_parquet([{"params": {"lr": 0.1}, "tags": ["a", "b"]}], Row)).to_pylist()
    assert row == {"params": '{"lr":0.1}', "tags": ["a", "b"]}
