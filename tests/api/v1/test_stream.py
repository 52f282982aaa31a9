"""Following an experiment while it runs: every point once, also over a new connection; few at once, and each short."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from api.v1 import stream
from tests.support.rest import PREFIX, Rest


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test waits for nothing, and no stream ends before it has."""
    monkeypatch.setattr(stream, "EVERY", 0.0)
    monkeypatch.setattr(stream, "LASTS", 600.0)


def events(chunks: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """The events of a stream, one at a time."""
    for chunk in chunks:
        for text in chunk.decode().split("\n\n"):
            found = dict(line.split(": ", 1) for line in text.split("\n") if ": " in line and not line.startswith(":"))
            if "data" in found:
                yield {"id": found["id"], "event": found["event"], **orjson.loads(found["data"])}


def follow(api: Rest, number: int, last: str | None = None, **asked: Any) -> Any:
    headers = api.headers | ({"Last-Event-ID": last} if last else {})
    path = f"{PREFIX}/experiments/{number}/stream"
    answer = api.server.test_client().get(path, headers=headers, query_string=asked)
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream"), answer.text
    return answer


def steps(event: dict[str, Any], metric: str = "loss") -> list[int]:
    return [step for one in event["series"] if one["metric"] == metric for step in one["points"]["step"]]


def test_what_comes_while_one_looks_is_told_until_the_end(api: Rest) -> None:
    number = api.experiment()
    api.log(number, "loss", (1, 0.5))
    answer = follow(api, number)
    told = events(answer.response)
    assert (next(told)["series"], True) == ([], True)
    api.log(number, "loss", (2, "NaN"), (3, 0.25))
    event = next(told)
    assert event["series"] == [
        {"metric": "loss", "points": {"step": [2, 3], "value": ["NaN", 0.25], "time": [None, None]}}
    ]
    api.post(f"/experiments/{number}/end", {"status": "completed"})
    rest = list(told)
    assert [(event["event"], event["status"]) for event in rest] == [("news", "completed"), ("end", "completed")]
    answer.close()


def test_who_comes_back_misses_nothing_and_gets_nothing_twice(api: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LASTS", 0.0)
    number, seen, last = api.experiment(), [], None
    for place in range(4):
        api.log(number, "loss", (2 * place, 1), (2 * place + 1, 1))
        with follow(api, number, last, since="start") as answer:
            for event in events(answer.response):
                seen += steps(event)
                last = event["id"]
    assert seen == list(range(8))


def test_a_long_series_comes_in_parts(lone_api: Rest) -> None:
    number = lone_api.experiment()
    lone_api.log(number, "loss", *[(step, 1) for step in range(5000)])
    lone_api.log(number, "other", (1, 1))
    lone_api.post(f"/experiments/{number}/end", {"status": "completed"})
    with follow(lone_api, number, since="start", metric="loss") as answer:
        told = list(events(answer.response))
    assert [step for event in told for step in steps(event)] == list(range(5000))
    assert {one["metric"] for event in told for one in event["series"]} == {"loss"}


def test_it_ends_by_itself(lone_api: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LASTS", 0.0)
    with follow(lone_api, lone_api.experiment()) as answer:
        assert [event["event"] for event in events(answer.response)] == ["news"]


def test_few_are_open_at_once_and_a_place_is_free_again_when_one_is_closed(lone_api: Rest) -> None:
    number = lone_api.experiment()
    opened = [follow(lone_api, number) for _ in range(stream.AT_ONCE)]
    refused = lone_api.get(f"/experiments/{number}/stream")
    assert (refused.status_code, refused.json["code"]) == (503, "busy")
    assert refused.headers["Retry-After"] == "5"
    assert lone_api.get(f"/experiments/{number}").status_code == 200
    opened[0].close()
    follow(lone_api, number).close()
    opened[1].close()


def test_an_id_of_another_experiment_is_refused(lone_api: Rest) -> None:
    first, second = lone_api.experiment(), lone_api.experiment()
    with follow(lone_api, first) as answer:
        last = next(events(answer.response))["id"]
    for word in (last, "x", "ü"):
        path = f"/experiments/{second}/stream"
        refused = lone_api.ask("GET", path, headers={"Last-Event-ID": word})
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "Last-Event-ID")


def test_between_two_looks_no_transaction_is_open(api: Rest, database: Engine) -> None:
    with follow(api, api.experiment()) as answer:
        next(events(answer.response))
        assert database.pool.checkedout() == 0  # type: ignore[attr-defined]
