"""Requests with a key: where it may stand, and what is said when it does not work."""

from typing import Any

import pytest
from sqlalchemy import Engine, update

from database.engine import transaction
from models import APIKey
from models.permissions import Role
from services.api_keys import form, keys
from tests.support.people import person


@pytest.fixture
def key(sqlite: Engine) -> str:
    with transaction() as session:
        return keys.create(session, person(Role.OPERATOR), name="script", scopes=["view_experiments"])


def test_a_key_says_who_it_is_and_what_it_may(dash_app: Any, key: str, client_of: Any) -> None:
    answer = client_of(None).get("/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json) == (
        200,
        {"user": "operator-person", "role": "operator", "scopes": ["view_experiments"]},
    )


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(dash_app: Any, key: str, client_of: Any, scheme: str) -> None:
    assert client_of(None).get("/api/v1/me", headers={"Authorization": f"{scheme} {key}"}).status_code == 200


def test_a_header_of_its_own_does_as_well(dash_app: Any, key: str, client_of: Any) -> None:
    assert client_of(None).get("/api/v1/me", headers={"X-API-Key": key}).status_code == 200


@pytest.mark.parametrize("name", ["api_key", "key", "token", "access_token"])
def test_in_the_address_it_is_refused_even_beside_a_good_header(
    dash_app: Any, key: str, client_of: Any, name: str
) -> None:
    answer = client_of(None).get(f"/api/v1/me?{name}={key}", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json["code"]) == (400, "api_key_in_address")
    assert key not in answer.text


def test_who_sends_none_is_told_where_it_goes(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    assert "in the header “Authorization: Bearer …”" in client_of(None).get("/api/v1/me").json["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer x"},
        {"Authorization": f"Bearer {form.make().text}"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"X-API-Key": "\xff"},
    ],
)
def test_what_is_no_key_is_answered_alike(
    dash_app: Any, sqlite: Engine, client_of: Any, headers: dict[str, str]
) -> None:
    answer = client_of(None).get("/api/v1/me", headers=headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json["code"] == "invalid_api_key"


def test_a_session_is_no_key(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    assert client_of(Role.SUPER_ADMIN).get("/api/v1/me").status_code == 401


def test_a_key_opens_no_page(dash_app: Any, key: str, client_of: Any) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    assert client_of(None).get("/_dash-layout", headers=headers).status_code == 401
    assert client_of(None).get("/experiments", headers=headers).status_code == 401


def test_a_revoked_key_is_refused_at_the_next_request(dash_app: Any, key: str, client_of: Any) -> None:
    visitor, headers = client_of(None), {"Authorization": f"Bearer {key}"}
    assert visitor.get("/api/v1/me", headers=headers).status_code == 200
    with transaction() as session:
        session.execute(update(APIKey).values(is_active=False))
    assert visitor.get("/api/v1/me", headers=headers).status_code == 401
