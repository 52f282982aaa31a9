"""Facts about the limits that a client meets: each answer tells them, and too much is refused with the time to wait."""

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from database.engine import transaction
from models.permissions import Role
from services.api_keys import keys
from services.limits import quotas
from services.limits.memory import Memory
from tests.support.people import person

TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded"
# RFC 9651: a list with one string that has parameters of integers and byte sequences.
ITEM = re.compile(r'"([ !#-\[\]-~]*)"((?:; ?[a-z*][a-z0-9_.*-]*=(?:-?\d{1,15}|:[A-Za-z0-9+/=]*:))+)')


def parsed(header: str) -> tuple[str, dict[str, Any]]:
    """A structured field, or the test fails."""
    found = ITEM.fullmatch(header)
    assert found is not None, header
    given: dict[str, Any] = {}
    for part in found[2].split(";")[1:]:
        name, value = part.strip().split("=", 1)
        given[name] = base64.b64decode(value[1:-1], validate=True) if value.startswith(":") else int(value)
    return found[1], given


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, chosen: Callable[..., None]) -> Callable[..., None]:
    """Limits of this test alone, and the settings that bound them."""
    memory = Memory()
    monkeypatch.setattr(quotas, "_place", lambda: memory)
    return chosen


def make_key(rate_limit: int) -> dict[str, str]:
    with transaction() as session:
        text = keys.create(
            session, person(Role.OPERATOR), name="script", scopes=["view_experiments"], rate_limit=rate_limit
        )
    return {"Authorization": f"Bearer {text}"}


class TestKey:
    def test_each_answer_tells_the_limit_and_what_is_left(
        self, dash_app: Any, database: Engine, client_of: Any, counted: Any
    ) -> None:
        headers = make_key(3)
        left = []
        for _ in range(3):
            answer = client_of(None).get("/api/v1/me", headers=headers)
            assert parsed(answer.headers["RateLimit-Policy"]) == ("key", {"q": 3, "w": 3600, "pk": b"key:1"})
            name, given = parsed(answer.headers["RateLimit"])
            left.append((answer.status_code, name, given["r"], 0 < given["t"] <= 1200))
        assert left == [(200, "key", 2, True), (200, "key", 1, True), (200, "key", 0, True)]

    def test_too_much_is_refused_with_the_time_to_wait(
        self, dash_app: Any, database: Engine, client_of: Any, counted: Any
    ) -> None:
        headers = make_key(1)
        client_of(None).get("/api/v1/me", headers=headers)
        answer = client_of(None).get("/api/v1/me", headers=headers)
        assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
        assert (answer.json["type"], answer.json["violated-policies"]) == (TYPE, ["key"])
        given = parsed(answer.headers["RateLimit"])[1]
        assert given["r"] == 0
        assert int(answer.headers["Retry-After"]) >= given["t"] > 3500

    def test_other_keys_go_on(self, dash_app: Any, sqlite: Engine, client_of: Any, counted: Any) -> None:
        first, second = make_key(1), make_key(1)
        asked = [client_of(None).get("/api/v1/me", headers=headers).status_code for headers in (first, first, second)]
        assert asked == [200, 429, 200]

    def test_what_the_house_allows_at_most_holds_for_older_keys(
        self, dash_app: Any, sqlite: Engine, client_of: Any, counted: Any
    ) -> None:
        headers = make_key(500)
        counted(PFD_API_RATE_LIMIT_MAX=2)
        asked = [client_of(None).get("/api/v1/me", headers=headers).status_code for _ in range(3)]
        assert asked == [200, 200, 429]


class TestStrangers:
    def test_are_limited_by_their_address_and_keys_from_there_go_on(
        self, dash_app: Any, sqlite: Engine, client_of: Any, counted: Any
    ) -> None:
        headers = make_key(50)
        counted(PFD_API_ANONYMOUS_LIMIT=2)
        visitor = client_of(None)
        assert [visitor.get("/api/v1/me").status_code for _ in range(3)] == [401, 401, 429]
        assert visitor.get("/api/v1/nothing").status_code == 429
        assert visitor.get("/api/v1/me", headers=headers).status_code == 200

    def test_win_nothing_by_another_header(self, dash_app: Any, sqlite: Engine, client_of: Any, counted: Any) -> None:
        counted(PFD_API_ANONYMOUS_LIMIT=2)
        asked = [
            client_of(None).get("/api/v1/me", headers={"X-Forwarded-For": f"192.0.2.{n}", "Forwarded": f"for={n}"})
            for n in range(4)
        ]
        assert [answer.status_code for answer in asked] == [401, 401, 429, 429]

    def test_have_a_network_of_ipv6_together(self, dash_app: Any, sqlite: Engine, client_of: Any, counted: Any) -> None:
        counted(PFD_API_ANONYMOUS_LIMIT=1)
        asked = [
            client_of(None).get("/api/v1/me", environ_base={"REMOTE_ADDR": address}).status_code
            for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
        ]
        assert asked == [401, 429, 401]


class TestAddresses:
    def test_what_is_not_there_is_404_and_a_wrong_method_405_with_the_right_ones(
        self, dash_app: Any, sqlite: Engine, client_of: Any
    ) -> None:
        visitor = client_of(None)
        for method in ("GET", "POST", "DELETE", "PATCH"):
            assert visitor.open("/api/v1/nothing", method=method).status_code == 404
        answer = visitor.post("/api/v1/me")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert answer.mimetype == "application/problem+json"
