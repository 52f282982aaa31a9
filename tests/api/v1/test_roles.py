"""Roles through our own API: what each may do, and which need a second factor."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import SessionLog, SystemLog
from models.permissions import Role, permissions_of
from services.api_keys.keys import NOT_FOR_KEYS
from tests.api.v1.test_other_resources import Browser
from web.rest.operations import OPERATIONS

POLICY = "/roles/second-factor"


def test_each_role_is_told_with_what_it_may_do(dash_app: Any, sqlite: Engine) -> None:
    told = Browser(dash_app.server, Role.ADMIN).ask("GET", "/roles").json["items"]
    assert [one["role"] for one in told] == [role.value for role in Role]
    for one in told:
        assert set(one["permissions"]) == {permission.value for permission in permissions_of(one["role"])}


def test_a_super_admin_says_which_need_a_second_factor(dash_app: Any, database: Engine) -> None:
    above = Browser(dash_app.server, Role.SUPER_ADMIN)
    for wanted in (["operator", "viewer"], []):
        told = above.ask("PUT", POLICY, {"roles": wanted}).json["items"]
        assert {one["role"] for one in told if one["needs_second_factor"]} == set(wanted)
        assert above.ask("GET", "/roles").json["items"] == told
    with snapshot() as session:
        rows = session.scalars(select(SystemLog).where(SystemLog.action == "security.require_second_factor")).all()
    assert len(rows) == 2


def test_an_admin_does_not_nor_anybody_without_a_fresh_factor(dash_app: Any, sqlite: Engine) -> None:
    assert Browser(dash_app.server, Role.ADMIN).ask("PUT", POLICY, {"roles": []}).status_code == 403
    above = Browser(dash_app.server, Role.SUPER_ADMIN)
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=16)))
    assert above.ask("PUT", POLICY, {"roles": []}).json["code"] == "factor_needed"


def test_no_key_reaches_any_of_it() -> None:
    specs = [spec for spec in OPERATIONS if spec.path.startswith("/api/v1/roles")]
    assert len(specs) == 2
    assert {spec.permission for spec in specs} <= NOT_FOR_KEYS
