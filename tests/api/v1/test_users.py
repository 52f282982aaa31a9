"""People through our own API: all that the page of users does, for admins who are signed in."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import SessionLog, SystemLog, User
from models.permissions import Role
from services.api_keys.keys import NOT_FOR_KEYS
from tests.api.v1.test_other_resources import Browser
from tests.support.people import person, token_of
from tests.support.rest import Rest
from web.rest.operations import OPERATIONS

NEW = {"username": "Vera", "email": "vera@example.org", "role": "viewer"}
USERS = [spec for spec in OPERATIONS if spec.path.startswith("/api/v1/users")]


def test_somebody_is_invited_and_invited_again_and_the_first_link_ends(dash_app: Any, database: Engine) -> None:
    admin = Browser(dash_app.server, Role.ADMIN)
    made = admin.ask("POST", "/users", NEW)
    assert (made.status_code, made.json["username"]) == (201, "vera")
    number, visitor = made.json["id"], dash_app.server.test_client()
    assert made.headers["Location"] == f"/api/v1/users/{number}"
    assert admin.ask("GET", f"/users/{number}").json["state"] == "invited"
    again = admin.ask("POST", f"/users/{number}/invitation")
    links = [one.json["link"].partition("/invitation/")[2] for one in (made, again)]
    assert [visitor.get(f"/invitation/{token}").status_code for token in links] == [404, 200]
    assert admin.ask("POST", "/users", NEW).status_code == 409


@pytest.mark.parametrize(("field", "wrong"), [("username", "a b"), ("email", "nobody"), ("role", "king")])
def test_what_cannot_be_is_told_at_its_field(dash_app: Any, sqlite: Engine, field: str, wrong: str) -> None:
    answer = Browser(dash_app.server, Role.ADMIN).ask("POST", "/users", NEW | {field: wrong})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)


def test_sessions_password_and_second_factor_of_somebody_end(dash_app: Any, database: Engine) -> None:
    admin, other = Browser(dash_app.server, Role.ADMIN), person(Role.VIEWER)
    token_of(other)
    assert admin.ask("POST", f"/users/{other.user_id}/end-sessions").json == {"sessions_ended": 1}
    token_of(other)
    assert admin.ask("POST", f"/users/{other.user_id}/require-new-password").json == {"sessions_ended": 1}
    with transaction() as session:
        session.execute(update(User).where(User.id == other.user_id).values(totp_enabled=True))
    told = admin.ask("POST", f"/users/{other.user_id}/reset-second-factor").json
    assert (told["two_factor"], told["must_choose_password"], told["sessions"]) == (False, True, 0)


def test_an_account_is_deleted_after_a_look_at_what_goes(dash_app: Any, database: Engine) -> None:
    author = Rest(dash_app.server)
    author.experiment()
    admin, number = Browser(dash_app.server, Role.ADMIN), author.actor.user_id
    told = admin.ask("GET", f"/users/{number}/deletion").json
    assert (told["goes"]["API keys"], told["stays"]["experiments"]) == (1, 1)
    assert admin.ask("DELETE", f"/users/{number}").status_code == 204
    assert admin.ask("GET", f"/users/{number}").status_code == 404
    assert author.get("/experiments").status_code == 401


def test_nobody_does_it_to_themselves_or_above_themselves(dash_app: Any, sqlite: Engine) -> None:
    admin, above = Browser(dash_app.server, Role.ADMIN), person(Role.SUPER_ADMIN)
    mine = person(Role.ADMIN)
    acts = [spec for spec in USERS if spec.writes and spec.body is None]
    for spec in acts:
        for who, status in ((mine, 409), (above, 403)):
            path = spec.path.removeprefix("/api/v1").replace("<int:user_id>", str(who.user_id))
            assert admin.ask(spec.method, path).status_code == status, (spec.name, who.username)
    assert admin.ask("POST", "/users", NEW | {"role": "super_admin"}).status_code == 403


def test_each_change_asks_for_a_fresh_factor_as_the_page_does(dash_app: Any, sqlite: Engine) -> None:
    admin, other = Browser(dash_app.server, Role.ADMIN), person(Role.VIEWER)
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=20)))
    for spec in USERS:
        if spec.writes:
            path = spec.path.removeprefix("/api/v1").replace("<int:user_id>", str(other.user_id))
            answer = admin.ask(spec.method, path, {} if spec.body else None, If_Match="*")
            assert (answer.status_code, answer.json["code"]) == (403, "factor_needed"), spec.name


def test_no_key_reaches_any_of_it() -> None:
    assert {spec.permission for spec in USERS} <= NOT_FOR_KEYS


def test_each_stands_in_the_system_log_and_no_link_does(dash_app: Any, sqlite: Engine) -> None:
    admin = Browser(dash_app.server, Role.ADMIN)
    made = admin.ask("POST", "/users", NEW)
    admin.ask("DELETE", f"/users/{made.json['id']}")
    with snapshot() as session:
        rows = session.execute(select(SystemLog.action, SystemLog.details)).all()
    assert {"user.create", "user.delete"} <= {action for action, _ in rows}
    assert made.json["link"].rpartition("/")[2] not in str(rows)
