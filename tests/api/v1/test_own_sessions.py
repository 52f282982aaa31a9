"""One's own sessions and sign-ins through our own API, for who is signed in."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import LoginHistory, SessionLog, SystemLog
from models.permissions import Role
from services.api_keys.keys import NOT_FOR_KEYS
from tests.api.v1.test_other_resources import Browser
from tests.support.people import person, token_of
from web.rest.operations import OPERATIONS

OWN = [
    spec for spec in OPERATIONS if spec.path.startswith(("/api/v1/sessions", "/api/v1/end-other", "/api/v1/sign-ins"))
]


@pytest.fixture
def vera(dash_app: Any, database: Engine) -> Browser:
    return Browser(dash_app.server, Role.VIEWER, "vera")


def sessions_of(browser: Browser) -> list[dict[str, Any]]:
    return list(browser.ask("GET", "/sessions").json["items"])


def test_this_one_comes_first_and_another_is_refused_once_it_was_ended(dash_app: Any, vera: Browser) -> None:
    other = Browser(dash_app.server, Role.VIEWER, "vera")
    this, that = sessions_of(vera)
    assert (this["is_this"], that["is_this"]) == (True, False)
    assert vera.ask("DELETE", f"/sessions/{that['id']}").status_code == 204
    assert vera.ask("DELETE", f"/sessions/{that['id']}").status_code == 404
    assert other.client.get("/api/v1/sessions").status_code == 401
    assert vera.ask("DELETE", f"/sessions/{this['id']}").status_code == 409
    assert sessions_of(vera) == [this]


def test_all_others_end_at_once_and_this_one_stays(dash_app: Any, vera: Browser) -> None:
    others = [Browser(dash_app.server, Role.VIEWER, "vera") for _ in range(2)]
    assert vera.ask("POST", "/end-other-sessions").json == {"sessions_ended": 2}
    assert {other.client.get("/api/v1/sessions").status_code for other in others} == {401}
    assert len(sessions_of(vera)) == 1
    with snapshot() as session:
        actions = session.scalars(select(SystemLog.action)).all()
    assert "session.end_others" in actions


def test_nobody_elses_is_seen_or_ended(dash_app: Any, vera: Browser) -> None:
    token_of(person(Role.VIEWER, "bob"))
    with snapshot() as session:
        number = session.scalar(select(SessionLog.id).order_by(SessionLog.id.desc()).limit(1))
    assert number not in {one["id"] for one in sessions_of(vera)}
    assert vera.ask("DELETE", f"/sessions/{number}").status_code == 404


def test_to_end_one_asks_for_a_fresh_factor_as_the_page_does(dash_app: Any, sqlite: Engine) -> None:
    vera = Browser(dash_app.server, Role.VIEWER, "vera")
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=31)))
    for method, path in (("DELETE", "/sessions/1"), ("POST", "/end-other-sessions")):
        answer = vera.ask(method, path)
        assert (answer.status_code, answer.json["code"]) == (403, "factor_needed")
    assert len(sessions_of(vera)) == 1


def test_attempts_to_sign_in_are_ones_own_page_by_page(dash_app: Any, vera: Browser) -> None:
    bob = person(Role.VIEWER, "bob")
    with snapshot() as session:
        mine = session.scalar(select(SessionLog.user_id).order_by(SessionLog.id).limit(1))
    common = {"login_method": "password", "ip_address": "192.0.2.7"}
    with transaction() as session:
        session.add_all(LoginHistory(user_id=mine, success=success, **common) for success in (True, False, True))
        session.add(LoginHistory(user_id=bob.user_id, success=False, **common))
    first = vera.ask("GET", "/sign-ins?limit=2").json
    rest = vera.ask("GET", f"/sign-ins?limit=2&cursor={first['next']}").json
    assert [one["succeeded"] for one in first["items"] + rest["items"]][:3] == [True, False, True]
    assert {one["address"] for one in vera.ask("GET", "/sign-ins?result=failed").json["items"]} == {"192.0.2.7"}
    assert len(vera.ask("GET", "/sign-ins?result=failed").json["items"]) == 1


def test_no_key_reaches_any_of_it() -> None:
    assert len(OWN) == 4
    assert {spec.permission for spec in OWN} <= NOT_FOR_KEYS
