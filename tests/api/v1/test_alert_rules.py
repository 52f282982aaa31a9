"""Rules of alerts and their events through our own API, as on the page."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from database.engine import transaction
from database.types import now
from models import APIAlertRule
from models.permissions import Role
from services.api_alerts import watching
from tests.support.requests_made import row, write
from tests.support.rest import Rest

SLOW = {"measure": "p95", "threshold": 250.5, "window_minutes": 15, "endpoint": "GET /api/v1/me"}


@pytest.fixture
def admin(dash_app: Any, database: Engine) -> Rest:
    return Rest(dash_app.server, role=Role.ADMIN)


@pytest.fixture
def lone_admin(dash_app: Any, sqlite: Engine) -> Rest:
    return Rest(dash_app.server, role=Role.ADMIN)


def test_a_rule_is_made_read_changed_and_deleted(admin: Rest) -> None:
    made = admin.post("/alert-rules", SLOW)
    assert made.status_code == 201
    path = made.headers["Location"].removeprefix("/api/v1")
    assert {name: made.json[name] for name in SLOW} == SLOW
    tag = {"If-Match": admin.get(path).headers["ETag"]}
    share = {"measure": "error_rate", "threshold": 0.07, "endpoint": ""}
    changed = admin.ask("PATCH", path, json=share, headers=tag)
    assert changed.status_code == 200
    assert (changed.json["threshold"], changed.json["window_minutes"], changed.json["endpoint"]) == (0.07, 15, None)
    assert admin.ask("PATCH", path, json={"is_active": False}, headers=tag).status_code == 412
    assert [one["id"] for one in admin.get("/alert-rules").json["items"]] == [made.json["id"]]
    assert admin.ask("DELETE", path).status_code == 204
    assert admin.get(path).status_code == 404


def test_its_state_is_told_and_no_look_at_it_makes_a_change_of_somebody_stale(lone_admin: Rest) -> None:
    made = lone_admin.post("/alert-rules", SLOW)
    with transaction() as session:
        session.execute(update(APIAlertRule).values(raised_at=now(), last_value=300.0, last_requests=40))
    read = lone_admin.get(f"/alert-rules/{made.json['id']}")
    assert (read.json["raised"] is not None, read.json["value"], read.json["requests"]) == (True, 300.0, 40)
    assert read.headers["ETag"] == made.headers["ETag"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("measure", "p50"), ("threshold", 0), ("threshold", 4e6), ("window_minutes", 7), ("endpoint", "/api/v1/me")],
)
def test_what_cannot_be_is_told_at_its_field(lone_admin: Rest, field: str, wrong: Any) -> None:
    answer = lone_admin.post("/alert-rules", SLOW | {field: wrong})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)


def test_a_share_lies_below_one_also_where_only_the_measure_changes(lone_admin: Rest) -> None:
    number = lone_admin.post("/alert-rules", SLOW).json["id"]
    told = lone_admin.ask("PATCH", f"/alert-rules/{number}", json={"measure": "error_rate"}, headers={"If-Match": "*"})
    assert (told.status_code, told.json["errors"][0]["field"]) == (422, "threshold")


def test_what_was_raised_and_resolved_is_listed_also_when_its_rule_is_gone(admin: Rest) -> None:
    made = admin.post("/alert-rules", SLOW).json["id"]
    write(row(now() - timedelta(seconds=10), 900.0) for _ in range(30))
    watching.look()
    assert admin.ask("DELETE", f"/alert-rules/{made}").status_code == 204
    first = admin.get("/alert-events", limit=1).json
    second = admin.get("/alert-events", limit=1, cursor=first["next"]).json
    (resolved, raised), last = first["items"] + second["items"], second["next"]
    assert ([resolved["event"], raised["event"]], last) == (["resolved", "raised"], None)
    assert {name: raised[name] for name in SLOW} == SLOW
    assert (raised["rule"], raised["requests"], raised["sentence"][:3]) == (made, 30, "P95")
    assert resolved["lasted"] >= 0
