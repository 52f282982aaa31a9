"""The log of requests through our own API: filtered, read page by page, taken along as a file as on its page."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import SessionLog, SystemLog
from models.permissions import Role
from tests.api.v1.test_other_resources import Browser
from tests.support.requests_made import row, write
from tests.support.rest import Rest
from web.rest.answers import CSV
from web.rest.parquet import PARQUET


@pytest.fixture
def admin(dash_app: Any, database: Engine) -> Rest:
    return Rest(dash_app.server, role=Role.ADMIN)


@pytest.fixture
def lone_admin(dash_app: Any, sqlite: Engine) -> Rest:
    return Rest(dash_app.server, role=Role.ADMIN)


def ids(rest: Rest, **asked: Any) -> list[int]:
    answer = rest.get("/request-log", **asked)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json["items"]]


def exports() -> list[Any]:
    with snapshot() as session:
        return list(
            session.scalars(select(SystemLog.details).where(SystemLog.action == "api_requests.export").order_by("id"))
        )


def test_it_is_read_newest_first_and_no_page_repeats_or_skips(admin: Rest) -> None:
    moment = now() - timedelta(hours=1)
    write(row(moment + timedelta(seconds=place // 2)) for place in range(5))  # two at a time at the same moment
    first = admin.get("/request-log", limit=2).json
    write([row(now())])  # what comes meanwhile
    second = admin.get("/request-log", limit=2, cursor=first["next"]).json
    third = admin.get("/request-log", limit=2, cursor=second["next"]).json
    assert [one["id"] for page in (first, second, third) for one in page["items"]] == [5, 4, 3, 2, 1]
    assert third["next"] is None


def test_it_has_the_filters_of_the_page(lone_admin: Rest) -> None:
    moment = now() - timedelta(hours=3)
    kinds: list[dict[str, Any]] = [
        {"status": 404},
        {"method": "POST", "endpoint": "/b", "milliseconds": 900.0},
        {"ip_address": "2001:db8::1"},
    ]
    write(row(moment + timedelta(hours=place), **kind) for place, kind in enumerate(kinds))
    assert ids(lone_admin) == [3, 2, 1]
    assert ids(lone_admin, status="4xx") == ids(lone_admin, status="failed") == [1]
    assert ids(lone_admin, endpoint="/b") == ids(lone_admin, method="POST") == ids(lone_admin, slower=500) == [2]
    assert ids(lone_admin, address="2001:DB8::1") == [3]
    assert ids(lone_admin, key_id="none") == [3, 2, 1]
    assert ids(lone_admin, range="24h") == [3, 2, 1]
    assert ids(lone_admin, since=(moment + timedelta(minutes=5)).isoformat()) == [3, 2]
    assert ids(lone_admin, until=(moment + timedelta(minutes=5)).isoformat()) == [1]


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("range", {"range": "24h", "since": "2026-01-01T00:00:00Z"}),
        ("until", {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}),
        ("since", {"since": "0001-01-01T00:00:00Z"}),
        ("address", {"address": "here"}),
        ("status", {"status": "bad"}),
        ("key_id", {"key_id": "9999999999"}),
    ],
)
def test_what_cannot_be_asked_is_told_at_its_field(lone_admin: Rest, field: str, asked: dict[str, str]) -> None:
    answer = lone_admin.get("/request-log", **asked)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)


def test_one_is_read_with_its_samples(admin: Rest) -> None:
    sample = {"query": {"token": "•••"}}
    write([row(now(), request_payload_sample=sample), row(now())])
    told = admin.get("/request-log/1").json
    assert (told["asked"], told["answered"], told["has_sample"]) == (sample, None, True)
    assert admin.get("/request-log/2").json["has_sample"] is False
    assert admin.get("/request-log/3").status_code == 404


def test_what_filters_find_something_is_told(lone_admin: Rest) -> None:
    write([row(now(), 5.0, 404, endpoint="/b"), row(now())])
    told = lone_admin.get("/request-log/choices").json
    assert (told["endpoints"], told["statuses"]) == (["/api/v1/me", "/b"], [200, 404])
    assert [(one["name"], one["owner"]) for one in told["keys"]] == [("program", "admin-person")]


def test_of_numbers_beyond_31_bits_the_right_one_is_found(lone_admin: Rest) -> None:
    write([row(now(), id=2**31 - 1, status=500), row(now(), id=2**31, status=404)])
    assert lone_admin.get(f"/request-log/{2**31}").json["status"] == 404


@pytest.mark.parametrize("form", [CSV, PARQUET])
def test_as_a_file_it_leaves_the_row_in_the_system_log_that_the_page_leaves(lone_admin: Rest, form: str) -> None:
    write(row(now(), 5.0, status) for status in (200, 404, 404))
    lone_admin.get("/request-log", status="404")
    assert exports() == []
    answer = lone_admin.ask("GET", "/request-log", headers={"Accept": form}, query_string={"status": "404"})
    assert answer.mimetype == form
    assert exports() == [{"by": "admin-person", "rows": 2, "asked": {"statuses": "(404, 404)"}}]


def test_as_a_file_it_asks_who_is_signed_in_for_a_fresh_factor(dash_app: Any, sqlite: Engine) -> None:
    browser = Browser(dash_app.server, Role.ADMIN)
    assert browser.ask("GET", "/request-log", Accept=CSV).status_code == 200
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=16)))
    answer = browser.ask("GET", "/request-log", Accept=CSV)
    assert (answer.status_code, answer.json["code"]) == (403, "factor_needed")
    assert browser.ask("GET", "/request-log").status_code == 200
    assert len(exports()) == 1
