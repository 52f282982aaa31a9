"""The use of the API through itself: what its page shows, over the same times."""

import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from api.v1 import _api_range
from database.engine import snapshot, transaction
from database.types import now
from models.permissions import Role
from services import audit
from services.api_metrics import reading, restarts, rollup, windows
from services.api_requests.log import keys
from tests.support import clock
from tests.support.requests_made import row, traffic, write
from tests.support.rest import Rest


@pytest.fixture
def admin(dash_app: Any, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> Rest:
    """A program of an admin's, and a day and a half of requests, all but the last hours summed up."""
    rest = Rest(dash_app.server, role=Role.ADMIN)
    with snapshot() as session:
        ((number, _, _),) = keys(session, rest.actor)
    moment = clock.hold(monkeypatch, sys.modules[__name__], _api_range, reading, rollup, audit)
    moment -= timedelta(seconds=5)
    rows = traffic(moment - timedelta(minutes=place * 13) for place in range(160))
    write(made | {"api_key_id": number if place % 3 else None} for place, made in enumerate(rows))
    rollup.roll_up()
    return rest


def items(rest: Rest, path: str, **asked: Any) -> list[Any]:
    answer = rest.get(f"/api-metrics{path}", **asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json["items"])


@pytest.mark.parametrize("word", ["1h", "24h", "7d", "30d", "90d"])
def test_each_range_tells_the_figures_of_the_page_and_of_the_period_before(admin: Rest, word: str) -> None:
    told = admin.get("/api-metrics", range=word, compare="true").json
    with snapshot() as session:
        shown = reading.read(session, admin.actor, windows.of_span(word, now()), compare=True)
    for its, totals in ((told["period"], shown.totals), (told["before"], shown.before)):
        assert totals is not None
        assert (its["requests"], its["failed"], its["error_rate"]) == (
            totals.requests,
            totals.failed,
            totals.error_rate,
        )
        assert its["p95"] == totals.sketch.quantile(0.95)
    assert sum(told["statuses"].values()) == told["period"]["requests"]
    assert datetime.fromisoformat(told["before"]["end"]) == datetime.fromisoformat(told["period"]["begin"])


def test_the_period_before_is_told_of_only_where_it_is_asked_for(admin: Rest) -> None:
    assert admin.get("/api-metrics").json["before"] is None


def test_the_steps_routes_and_keys_each_add_up_to_the_whole(admin: Rest) -> None:
    whole = admin.get("/api-metrics", range="24h").json["period"]["requests"]
    assert whole > 100
    for path in ("/series", "/endpoints", "/keys"):
        assert sum(one["requests"] for one in items(admin, path, range="24h")) == whole, path
    steps = items(admin, "/series", range="24h", spread="true")
    assert len(steps) == 24
    assert sum(one["requests"] for step in steps for one in step["spread"]) == whole
    assert {use["owner"] for use in items(admin, "/keys")} == {"admin-person", None}


def test_a_drawn_range_and_one_route_are_told_alone(admin: Rest) -> None:
    since, until = ((now() - timedelta(hours=hours)).isoformat() for hours in (20, 10))
    asked = {"since": since, "until": until, "endpoint": "GET /api/v1/me"}
    whole = admin.get("/api-metrics", **asked).json["period"]
    assert 9 <= len(items(admin, "/series", **asked)) <= 11
    routes = {one["endpoint"]: one for one in items(admin, "/endpoints", since=since, until=until)}
    assert len(routes) == 3
    assert whole["requests"] == routes["GET /api/v1/me"]["requests"]


def test_routes_are_found_ranked_and_paged(admin: Rest) -> None:
    known = {one["endpoint"]: one for one in items(admin, "/endpoints")}
    assert items(admin, "/endpoints", text="MLFLOW/runs/g") == [known["GET /api/2.0/mlflow/runs/get"]]
    for sort, value in (("requests", "requests"), ("p95", "p95"), ("errors", "error_rate")):
        first = admin.get("/api-metrics/endpoints", sort=sort, limit=2).json
        rest = admin.get("/api-metrics/endpoints", sort=sort, limit=2, cursor=first["next"]).json
        values = [one[value] for one in first["items"] + rest["items"]]
        assert (len(values), values, rest["next"]) == (3, sorted(values, reverse=True), None)
    assert admin.get("/api-metrics/endpoints", sort="p50", cursor=first["next"]).status_code == 422


def test_keys_are_paged_as_well(admin: Rest) -> None:
    first = admin.get("/api-metrics/keys", limit=1).json
    rest = admin.get("/api-metrics/keys", limit=1, cursor=first["next"]).json
    assert ([one["name"] for one in first["items"] + rest["items"]], rest["next"]) == (["program", None], None)


def test_the_slowest_and_those_that_failed_last_lead_to_the_request_log(admin: Rest) -> None:
    write([row(now(), 90_000.0, 200), row(now(), 1.0, 503)])
    (slowest, *_), (failing, *_) = items(admin, "/slowest"), items(admin, "/failing")
    assert (slowest["milliseconds"], failing["status"]) == (90_000.0, 503)
    for one in (slowest, failing):
        logged = admin.get(f"/request-log/{one['id']}").json
        assert (logged["status"], logged["milliseconds"]) == (one["status"], one["milliseconds"])


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("range", {"range": "2h"}),
        ("until", {"since": "2026-01-01T00:00:00Z"}),
        ("range", {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}),
        ("range", {"since": "2024-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}),
    ],
)
def test_what_is_no_range_is_told(admin: Rest, field: str, asked: dict[str, str]) -> None:
    answer = admin.get("/api-metrics/series", **asked)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)


def test_the_starts_of_the_product_are_told(admin: Rest) -> None:
    with transaction() as session:
        restarts.note(session)
    assert len(admin.get("/api-metrics").json["restarts"]) == 1
