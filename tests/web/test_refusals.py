"""Each refusal of authorisation is exactly one row of the system log, by whichever door it was tried."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot, transaction
from models import SystemLog
from models.permissions import Permission, Role
from services import refusals
from services.actor import actor_of
from services.api_keys import keys
from tests.support.people import dispatch, person
from web import seal


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    refusals.forget()


def rows() -> list[tuple[Any, ...]]:
    with snapshot() as session:
        found = session.scalars(select(SystemLog).order_by(SystemLog.id)).all()
    return [(row.user_id, row.action, (row.details or {}).get("target")) for row in found]


def router(app: Any) -> str:
    return next(output for output, need in seal.callback_needs(app).items() if need is None)


def test_a_page_is_one_although_the_browser_asks_twice(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    visitor, who = client_of(Role.VIEWER), person(Role.VIEWER)
    answer = visitor.get("/admin/users", headers={"Accept": "text/html"})
    dispatch(visitor, dash_app, router(dash_app), **{"_pages_location.pathname": "/admin/users"})
    assert answer.status_code == 403
    assert rows() == [(who.user_id, "refused.page", "/admin/users")]
    with snapshot() as session:
        row = session.scalars(select(SystemLog)).one()
    assert row.request_id == answer.headers["X-Request-ID"]
    assert (row.ip_address, row.status) == ("127.0.0.1", "refused")
    assert row.error_message == "This needs the permission “manage users”."


def test_a_page_that_is_turned_to_inside_the_app_is_one(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    dispatch(client_of(Role.VIEWER), dash_app, router(dash_app), **{"_pages_location.pathname": "/admin/logs"})
    assert rows() == [(person(Role.VIEWER).user_id, "refused.page", "/admin/logs")]


def test_each_callback_that_is_not_allowed_is_one(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    visitor, who = client_of(Role.VIEWER), person(Role.VIEWER)
    needs = {out: need for out, need in seal.callback_needs(dash_app).items() if need == Permission.VIEW_AUDIT_LOGS}
    for output in needs:
        assert dispatch(visitor, dash_app, output).status_code == 403
    assert len(needs) >= 4
    assert rows() == [(who.user_id, "refused.callback", output[:200]) for output in needs]


def test_an_act_that_goes_too_far_inside_an_allowed_callback_is_one(
    dash_app: Any, sqlite: Engine, client_of: Any
) -> None:
    owner, visitor = person(Role.SUPER_ADMIN), client_of(Role.ADMIN)
    output = next(out for out in dash_app.callback_map if "person-body.children" in out and "users-changed" in out)
    values = {"person-end.n_clicks": 1, "person-who.data": owner.user_id}
    spec = dash_app.callback_map[output]
    from tests.support.people import filled, filled_outputs

    body = {
        "output": output,
        "outputs": filled_outputs(output)[0],
        "inputs": filled(spec["inputs"], **values),
        "state": filled(spec["state"], **values),
        "changedPropIds": ["person-end.n_clicks"],
    }
    answer = visitor.post("/_dash-update-component", json=body)
    assert "Only a super admin changes a super admin." in answer.text
    assert [row[:2] for row in rows()] == [(person(Role.ADMIN).user_id, "refused.callback")]


def a_key(role: Role) -> str:
    actor = person(role)
    with transaction() as session:
        return keys.create(session, actor, name="k", scopes=["view_experiments"])


def test_a_refused_key_is_one_and_never_stands_in_it(
    dash_app: Any, sqlite: Engine, client_of: Callable[[Any], Any]
) -> None:
    text = a_key(Role.VIEWER)
    with transaction() as session:
        keys.revoke(session, actor_of_viewer(session), 1)
    answer = client_of(None).get("/api/v1/me", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 401
    (row,) = [row for row in rows() if str(row[1]).startswith("refused")]
    assert row == (None, "refused.key", "GET /api/v1/me")
    with snapshot() as session:
        told = repr([entry.to_dict() for entry in session.scalars(select(SystemLog))])
    assert text not in told and text.rsplit("_", 2)[0] in told


def actor_of_viewer(session: Any) -> Any:
    from models import User

    return actor_of(session.scalars(select(User)).one())


def test_a_made_up_key_is_one_and_no_key_is_none(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    visitor = client_of(None)
    visitor.get("/api/v1/me")
    assert rows() == []
    visitor.get("/api/v1/me", headers={"X-API-Key": "made up"})
    assert rows() == [(None, "refused.key", "GET /api/v1/me")]


def test_an_account_that_is_locked_is_one(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    visitor = client_of(None)
    page = visitor.get("/login").text
    csrf = page.split('name="csrf_token" value="')[1].split('"')[0]
    answers = [
        visitor.post("/login", data={"csrf_token": csrf, "username": "somebody", "password": "wrong"}).status_code
        for _ in range(9)
    ]
    assert answers[-1] == 429
    assert rows() == [(None, "refused.attempts", "/login")]


def test_who_may_leaves_no_row(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    visitor = client_of(Role.ADMIN)
    assert visitor.get("/admin/users", headers={"Accept": "text/html"}).status_code == 200
    dispatch(visitor, dash_app, router(dash_app), **{"_pages_location.pathname": "/admin/logs"})
    assert rows() == []


def test_nobody_signed_in_leaves_no_row(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    visitor = client_of(None)
    visitor.get("/admin/users")
    visitor.post("/_dash-update-component", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert rows() == []


def test_a_flood_leaves_one_row_and_asks_the_database_no_further(
    dash_app: Any, sqlite: Engine, client_of: Any, count_queries: Any
) -> None:
    visitor = client_of(Role.VIEWER)
    ask = lambda: visitor.get("/admin/users", headers={"Accept": "text/html"})  # noqa: E731
    ask()
    once = count_queries(sqlite, ask)
    assert [count_queries(sqlite, ask) for _ in range(5)] == [once] * 5
    assert len(rows()) == 1


def test_a_log_that_cannot_be_written_keeps_nobody_from_their_answer(
    dash_app: Any, sqlite: Engine, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def fail(*_: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    visitor = client_of(Role.VIEWER)
    monkeypatch.setattr(refusals, "record", fail)
    assert visitor.get("/admin/users", headers={"Accept": "text/html"}).status_code == 403
    assert rows() == []
