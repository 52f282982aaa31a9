"""Who may do what through our own API (D3), and how what is not there is refused (D9, D14)."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from models import APIKey, SystemLog, User
from models.permissions import Permission, Role, permissions_of
from services import refusals
from services.api_keys import keys
from services.api_keys.keys import NOT_FOR_KEYS
from tests.api.v1.test_other_resources import Browser
from tests.support.people import client, csrf_token, person
from tests.support.rest import PREFIX, Rest
from web.rest.operations import OPERATIONS, Operation

# What an operation on one thing needs in its body before it looks for the thing.
BODIES: dict[str, Any] = {
    "end_experiment": {"status": "completed"},
    "rename_passkey": {"name": "phone"},
    "log_points": {"points": [{"metric": "loss", "step": 1, "value": 1}]},
    "revoke_any_api_key": {"reason": "leaked"},
}
SCOPES = sorted({spec.permission for spec in OPERATIONS if spec.permission} - NOT_FOR_KEYS)


def call(rest: Rest, spec: Operation) -> Any:
    """The operation with nothing sensible in it."""
    path = re.sub(r"<[^>]+>", "1", spec.path).removeprefix(PREFIX)
    body = {} if spec.body is not None else None
    return rest.ask(spec.method, path, json=body, headers={"If-Match": "*"} if spec.conditional else {})


@pytest.mark.parametrize("scope", [*SCOPES, Permission.VIEW_MODELS])
def test_a_key_opens_what_its_scope_names_and_nothing_else(dash_app: Any, sqlite: Engine, scope: Permission) -> None:
    rest = Rest(dash_app.server, scope.value, role=Role.SUPER_ADMIN)
    wrong = []
    for spec in OPERATIONS:
        answer = call(rest, spec)
        assert answer.status_code < 500, (spec.name, answer.text)
        needed = None if spec.permission is None else spec.permission.value.replace("_", " ")
        refused = answer.status_code == 403 and needed is not None and f"“{needed}”" in answer.json["detail"]
        if refused != (spec.permission not in {None, scope}):
            wrong.append((spec.name, answer.status_code, answer.text))
    assert wrong == []


@pytest.mark.parametrize("role", list(Role))
def test_who_is_signed_in_may_what_their_role_may(dash_app: Any, sqlite: Engine, role: Role) -> None:
    visitor = client(dash_app.server, role)
    wrong = []
    for spec in OPERATIONS:
        if spec.writes or spec.keys_only or spec.streams:
            continue
        answer = visitor.get(re.sub(r"<[^>]+>", "1", spec.path))
        may = spec.permission is None or spec.permission in permissions_of(role)
        if (answer.status_code == 403) == may:
            wrong.append((spec.name, answer.status_code))
    assert wrong == []


def test_a_key_may_no_more_than_its_owner_may_now(dash_app: Any, sqlite: Engine) -> None:
    rest = Rest(dash_app.server)
    assert rest.post("/experiments", {"name": "a"}).status_code == 201
    with transaction() as session:
        session.execute(update(User).values(role="viewer"))
    assert rest.post("/experiments", {"name": "b"}).status_code == 403
    assert rest.get("/experiments").status_code == 200


@pytest.mark.parametrize("name", ["revoked", "expired", "disabled"])
def test_a_key_that_has_ended_opens_nothing(dash_app: Any, sqlite: Engine, name: str) -> None:
    rest = Rest(dash_app.server)
    with transaction() as session:
        if name == "revoked":
            keys.revoke(session, rest.actor, session.scalars(select(APIKey.id)).one())
        elif name == "expired":
            session.execute(update(APIKey).values(expires_at=APIKey.created_at))
        else:
            session.execute(update(User).values(is_active=False))
    for spec in OPERATIONS:
        answer = call(rest, spec)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_nobody_gets_nothing(dash_app: Any, sqlite: Engine) -> None:
    for spec in OPERATIONS:
        path = re.sub(r"<[^>]+>", "1", spec.path)
        answer = dash_app.server.test_client().open(path, method=spec.method)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), spec.name


class TestSessions:
    def test_who_is_signed_in_writes_with_the_token_of_the_page(self, dash_app: Any, sqlite: Engine) -> None:
        visitor = client(dash_app.server, Role.OPERATOR)
        headers = {"X-CSRFToken": csrf_token(visitor)}
        assert visitor.post(f"{PREFIX}/experiments", json={"name": "a"}, headers=headers).status_code == 201

    @pytest.mark.parametrize("headers", [{}, {"X-CSRFToken": "x"}, {"Sec-Fetch-Site": "cross-site"}])
    def test_without_it_nothing_is_written(self, dash_app: Any, sqlite: Engine, headers: dict[str, str]) -> None:
        visitor = client(dash_app.server, Role.OPERATOR)
        if "Sec-Fetch-Site" in headers:
            headers = headers | {"X-CSRFToken": csrf_token(visitor)}
        for spec in OPERATIONS:
            if spec.writes:
                path = re.sub(r"<[^>]+>", "1", spec.path)
                answer = visitor.open(path, method=spec.method, json={"name": "a"}, headers=headers)
                assert answer.status_code in {400, 403}, spec.name
        assert visitor.get(f"{PREFIX}/experiments").json["items"] == []

    def test_a_key_beside_the_cookie_counts_alone(self, dash_app: Any, sqlite: Engine) -> None:
        visitor = client(dash_app.server, Role.ADMIN)
        weak = Rest(dash_app.server, "view_experiments")
        answer = visitor.post(f"{PREFIX}/experiments", json={"name": "a"}, headers=weak.headers)
        assert answer.status_code == 403
        assert visitor.get(f"{PREFIX}/experiments", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_refusal_is_in_the_system_log(dash_app: Any, sqlite: Engine) -> None:
    refusals.forget()
    Rest(dash_app.server, "view_experiments").post("/experiments", {"name": "a"})
    with snapshot() as session:
        rows = session.scalars(select(SystemLog).where(SystemLog.status == "refused")).all()
    assert len(rows) == 1


class TestNotThere:
    METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")

    def test_each_address_tells_the_methods_that_it_has(self, lone_api: Rest) -> None:
        known: dict[str, set[str]] = {}
        for spec in OPERATIONS:
            known.setdefault(spec.path, set()).add(spec.method)
        for template, methods in known.items():
            path = re.sub(r"<[^>]+>", "1", template)
            for method in set(self.METHODS) - methods:
                answer = lone_api.client.open(path, method=method, headers=lone_api.headers)
                assert (answer.status_code, answer.mimetype) == (405, "application/problem+json"), (method, path)
                assert methods <= set(answer.headers["Allow"].split(", "))
            answer = lone_api.client.open(path, method="OPTIONS", headers=lone_api.headers)
            assert answer.status_code == 200
            assert set(answer.headers["Allow"].split(", ")) - {"OPTIONS", "HEAD"} == methods, path

    @pytest.mark.parametrize(
        "path", ["/nothing", "/experiments/x", "/experiments/1/nothing", "/experiments/1/2", "/", "//me"]
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
    def test_what_is_not_there_is_not_found(self, lone_api: Rest, method: str, path: str) -> None:
        answer = lone_api.client.open(f"{PREFIX}{path}", method=method, headers=lone_api.headers)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")

    def test_each_refusal_is_told_as_a_problem_with_the_id_of_its_request(self, lone_api: Rest) -> None:
        for answer in (
            lone_api.get("/experiments/7"),
            lone_api.post("/experiments", {}),
            lone_api.get("/experiments", x=1),
            lone_api.client.get(f"{PREFIX}/experiments"),
        ):
            told = answer.json
            assert {"type", "title", "status", "detail", "instance"} <= set(told)
            assert (told["status"], told["instance"]) == (answer.status_code, answer.headers["X-Request-ID"])


def test_another_persons_experiments_are_the_teams(dash_app: Any, sqlite: Engine) -> None:
    number = Rest(dash_app.server).experiment()
    assert person(Role.VIEWER)
    assert Rest(dash_app.server, role=Role.VIEWER).get(f"/experiments/{number}").json["is_own"] is False


@pytest.mark.parametrize("number", [2**31 - 1, 2**31, 2**63, 10**30])
def test_a_number_that_no_row_can_have_is_not_found(dash_app: Any, sqlite: Engine, number: int) -> None:
    browser = Browser(dash_app.server, Role.SUPER_ADMIN)
    found = []
    for spec in OPERATIONS:
        if "<int:" not in spec.path or spec.keys_only or spec.streams:
            continue
        path = re.sub(r"<int:[^>]+>", str(number), spec.path).replace("<path:metric>", "loss").removeprefix(PREFIX)
        body = BODIES.get(spec.name, {}) if spec.body is not None else None
        answer = browser.ask(spec.method, path, body, **({"If_Match": "*"} if spec.conditional else {}))
        if answer.status_code != 404:
            found.append((spec.name, answer.status_code, answer.text))
    assert found == []
