"""Bodies within bounds (D13): what is no JSON, or JSON that can be read in two ways, is refused with its place."""

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rest import Rest
from web.rest import strict_json
from web.rest.strict_json import Malformed


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b'{"name": "a", "name": "b"}', "name"),
        (b'{"name": "a", "config": {"x": [1, {"y": 1, "y": 2}]}}', "config.x[1].y"),
        (b'{"name": "a", "config": {"x": NaN}}', "config.x"),
        (b'{"name": "a", "config": {"x": [0, Infinity]}}', "config.x[1]"),
        (b'{"name": "a", "config": {"x": -Infinity}}', "config.x"),
        (b'{"name": "a", "config": {"x": 1e999}}', "config.x"),
        (b'{"name": "a", "config": {"x": [1e999]}}', "config.x[0]"),
        (b'{"name": "a", "config": {"x": 9223372036854775808}}', "config.x"),
        (b'{"name": "a", "config": {"x": [-9223372036854775809]}}', "config.x[0]"),
        (b'{"name": "a", "config": {"x": ' + b"9" * 5000 + b"}}", "config.x"),
        (b'{"name": "a\\u0000b"}', "name"),
        (b'{"name": "a\\ud800b"}', "name"),
        (b'{"name": "a", "config": {"x": ["\\udfff"]}}', "config.x[0]"),
        (b'{"name": "a", "config": {"x\\u0000": 1}}', "config"),
        (b'{"name": "a", "config": {"x": [' + b",".join([b"1"] * 10_001) + b"]}}", "config.x"),
        (b"", "body"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_its_place(lone_api: Rest, data: bytes, field: str) -> None:
    answer = lone_api.raw("/experiments", data)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_body")
    assert [fault["field"] for fault in answer.json["errors"]] == [field]
    assert lone_api.get("/experiments").json["items"] == []


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"name=a",
        b'{"name": "a",}',
        b"{'name': 'a'}",
        b"\xff\xfe",
        b'\xef\xbb\xbf{"name": "a"}',
        b'{"name": "a\nb"}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"name": "a"} {}',
    ],
)
def test_what_is_no_json_or_too_deep_is_refused(lone_api: Rest, data: bytes) -> None:
    answer = lone_api.raw("/experiments", data)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_body")


@pytest.mark.timeout(120, func_only=True)
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"name": "' + b'\\"' * 500_000, id="a string that is never closed"),
        pytest.param(
            b"{" + b",".join(b'"%d":1' % number for number in range(80_000)) + b',"79999":1}',
            id="many names, the last of them twice",
        ),
    ],
)
def test_no_body_of_a_mebibyte_is_looked_at_for_minutes(lone_api: Rest, data: bytes) -> None:
    assert lone_api.raw("/experiments", data).status_code == 400


def test_a_long_name_above_a_fault_is_told_by_its_beginning(lone_api: Rest) -> None:
    answer = lone_api.raw("/experiments", b'{"name": "a", "config": {"' + b"x" * 5000 + b'": {"y": NaN}}}')
    assert answer.json["errors"][0]["field"] == "config." + "x" * 193


@pytest.mark.parametrize("data", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_what_is_no_object_is_refused(lone_api: Rest, data: bytes) -> None:
    answer = lone_api.raw("/experiments", data)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "body")


def test_64_levels_go_and_one_more_does_not(lone_api: Rest) -> None:
    def nested(levels: int) -> bytes:
        return b'{"name": "a", "config": {"x": ' + b"[" * (levels - 2) + b"]" * (levels - 2) + b"}}"

    assert lone_api.raw("/experiments", nested(64)).status_code == 201
    assert lone_api.raw("/experiments", nested(65)).status_code == 400


def test_a_string_that_looks_nested_is_a_string(lone_api: Rest) -> None:
    answer = lone_api.post("/experiments", {"name": '"[' + "[" * 200 + '\\"'})
    assert answer.status_code == 201


def test_the_largest_and_smallest_whole_numbers_of_63_bits_go(lone_api: Rest) -> None:
    config = {"x": [2**63 - 1, -(2**63 - 1)], "y": 2**63 - 1}
    assert lone_api.post("/experiments", {"name": "a", "config": config}).json["config"] == config


def test_more_than_a_mebibyte_is_refused(lone_api: Rest) -> None:
    answer = lone_api.raw("/experiments", b'{"name": "a", "notes": "' + b"x" * 1_048_576 + b'"}')
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
                     "application/xml", "application/json; charset=latin-1", "application/problem+json"]
)  # fmt: skip
def test_another_form_is_refused(lone_api: Rest, content_type: str) -> None:
    assert lone_api.raw("/experiments", b'{"name": "a"}', content_type).status_code == 415


def test_what_was_packed_is_refused_unread(lone_api: Rest) -> None:
    bomb = gzip.compress(b'{"name": "' + b"a" * 50_000_000 + b'"}')
    answer = lone_api.raw("/experiments", bomb, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 415


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63 - 1), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5), inner, max_size=5
    ),
    max_leaves=20,
)  # fmt: skip


@given(value=plain, ascii_only=st.booleans())
def test_what_is_json_is_read_as_it_is(value: Any, ascii_only: bool) -> None:
    import json

    assert strict_json.loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(data=st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0dE+-.1nulltrefas ', max_size=60).map(str.encode))
def test_anything_else_is_refused_and_never_a_fault(data: bytes) -> None:
    try:
        strict_json.loads(data)
    except Malformed as error:
        assert str(error)
