"""Requests of every kind, made from the document: none is answered by a fault of ours, and each as the document tells.

`make fuzz` sends 100,000 of them to each database; the suite a few, as to make one up takes some
hundredths of a second.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as told
from sqlalchemy import Engine

from api.v1 import stream
from models.permissions import Role
from services.second_factor import backup_codes
from services.second_factor.backup_codes import FreshCodes
from tests.support.people import client, csrf_token, person
from tests.support.rest import Rest
from tests.support.second_factor import give_app
from web.identity import cookie_name
from web.rest.document import document

CASES = int(os.environ.get("FUZZ_CASES", "0"))  # of each operation in each test; in the suite a few
PLAIN = {"Accept-Encoding": "identity"}  # which schemathesis reads
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CHECKS = [
    not_a_server_error,
    told.status_code_conformance,
    told.content_type_conformance,
    told.response_headers_conformance,
    told.response_schema_conformance,
]


@cache
def operations(app: Any) -> list[Any]:
    """What the document offers; what is worked out to make requests of it serves all tests."""
    schema = schemathesis.openapi.from_dict(document())
    schema.app = app.server
    return [found.ok() for found in schema.get_all_operations()]


@cache
def cases(app: Any, mode: GenerationMode) -> list[Case]:
    """Some of each operation; to make them up takes ten times as long as to answer them, so all tests send the same."""
    made: list[Case] = []
    for operation in operations(app):

        @settings(
            max_examples=CASES or 2,
            deadline=None,
            database=None,
            derandomize=not CASES,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def make(case: Case) -> None:
            made.append(case)

        make()
    return made


def statuses(
    app: Any,
    headers: dict[str, str],
    mode: GenerationMode,
    cookies: dict[str, str] | None = None,
    before: Callable[[], Any] = lambda: None,
) -> set[int]:
    """What a round of requests was answered; raises at one whose answer the document does not tell of."""
    checks = [*CHECKS, told.negative_data_rejection] if mode is NEGATIVE and headers else CHECKS
    seen: set[int] = set()
    for case in cases(app, mode):
        before()
        response = case.call(headers=headers | PLAIN, cookies=cookies or {})
        seen.add(response.status_code)
        case.validate_response(response, checks=checks)
    return seen


@pytest.fixture(autouse=True)
def nothing_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever follows an experiment here does not wait for news, nor for ten codes to be hashed."""
    monkeypatch.setattr(stream, "LASTS", 0.0)
    monkeypatch.setattr(backup_codes, "make", lambda: FreshCodes(("0-AAAA",), ("x",)))


def filled(app: Any) -> Rest:
    rest = Rest(app.server, role=Role.ADMIN)
    rest.log(rest.experiment(tags=["a"]), "loss", (1, 1.0), (2, "NaN"))
    return rest


@pytest.mark.parametrize("mode", [POSITIVE, NEGATIVE])
def test_with_a_key(dash_app: Any, database: Engine, mode: GenerationMode) -> None:
    seen = statuses(dash_app, filled(dash_app).headers, mode)
    assert {403, 404, 422} <= seen and (mode is NEGATIVE or 200 in seen)


def test_as_somebody_who_is_signed_in(dash_app: Any, database: Engine) -> None:
    filled(dash_app)
    browser = client(dash_app.server, Role.SUPER_ADMIN)
    cookies = {found.key: found.value for found in browser._cookies.values()}
    token = csrf_token(browser)
    cookies |= {found.key: found.value for found in browser._cookies.values()}
    assert cookie_name() in cookies
    headers = {"X-CSRFToken": token, "Accept": "application/json"}

    def with_app() -> None:
        give_app(person(Role.SUPER_ADMIN))  # else a policy that asks for one would end the round

    assert {200, 201, 204} <= statuses(dash_app, headers, POSITIVE, cookies, with_app)


def test_with_a_weak_key(dash_app: Any, database: Engine) -> None:
    weak = Rest(dash_app.server, "view_models")
    assert statuses(dash_app, weak.headers, POSITIVE) <= {200, 403}


def test_without_a_key(dash_app: Any, database: Engine) -> None:
    assert statuses(dash_app, {}, NEGATIVE) <= {401, 404}
