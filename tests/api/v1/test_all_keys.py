"""Everybody's keys through our own API: listed and ended by admins who are signed in."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from database.engine import transaction
from database.types import now
from models import SessionLog
from models.permissions import Role
from services.api_keys.keys import NOT_FOR_KEYS
from tests.api.v1.test_other_resources import Browser
from tests.support.rest import Rest
from web.rest.operations import OPERATIONS

KEYS = [spec for spec in OPERATIONS if spec.path.startswith("/api/v1/all-api-keys")]


@pytest.fixture
def admin(dash_app: Any, database: Engine) -> Browser:
    return Browser(dash_app.server, Role.ADMIN)


def test_a_key_ends_with_a_reason_that_stands_in_the_list(dash_app: Any, admin: Browser) -> None:
    author = Rest(dash_app.server, name="author")
    (row,) = admin.ask("GET", "/all-api-keys?text=author").json["items"]
    assert (row["name"], row["state"], row["may_revoke"], row["requests"]) == ("program", "active", True, 0)
    assert author.token not in str(row)
    assert admin.ask("POST", f"/all-api-keys/{row['id']}/revoke", {"reason": "leaked"}).status_code == 204
    assert author.get("/experiments").status_code == 401
    (row,) = admin.ask("GET", "/all-api-keys?state=revoked").json["items"]
    assert (row["reason"], row["may_revoke"]) == ("leaked", False)


def test_it_does_not_end_without_a_reason(dash_app: Any, admin: Browser) -> None:
    Rest(dash_app.server)
    (row,) = admin.ask("GET", "/all-api-keys").json["items"]
    answer = admin.ask("POST", f"/all-api-keys/{row['id']}/revoke", {"reason": ""})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "reason")


def test_they_come_a_page_at_a_time(dash_app: Any, admin: Browser) -> None:
    for name in ("one", "two", "three"):
        Rest(dash_app.server, name=name)
    first = admin.ask("GET", "/all-api-keys?limit=2").json
    rest = admin.ask("GET", f"/all-api-keys?limit=2&cursor={first['next']}").json
    assert [row["owner"] for row in first["items"] + rest["items"]] == ["three", "two", "one"]
    assert rest["next"] is None


def test_a_super_admins_key_is_not_ended_from_below(dash_app: Any, admin: Browser) -> None:
    Rest(dash_app.server, role=Role.SUPER_ADMIN)
    (row,) = admin.ask("GET", "/all-api-keys").json["items"]
    assert admin.ask("POST", f"/all-api-keys/{row['id']}/revoke", {"reason": "x"}).status_code == 403


def test_ending_one_asks_for_a_fresh_factor(dash_app: Any, admin: Browser) -> None:
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=20)))
    answer = admin.ask("POST", "/all-api-keys/1/revoke", {"reason": "x"})
    assert (answer.status_code, answer.json["code"]) == (403, "factor_needed")


def test_no_key_reaches_any_of_it() -> None:
    assert len(KEYS) == 2
    assert {spec.permission for spec in KEYS} <= NOT_FOR_KEYS
