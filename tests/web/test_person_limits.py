"""What costs much on a page has a limit for each person: searches while one types, and files to take along."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from models.permissions import Role
from services.limits import quotas
from services.limits.gcra import Policy
from services.limits.memory import Memory
from tests.support.people import dispatch


@pytest.fixture(autouse=True)
def two_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    monkeypatch.setattr(quotas, "_place", lambda: memory)
    monkeypatch.setattr(quotas, "OF_PERSON", {"searches": Policy(2, window=60), "exports": Policy(2)})


def test_a_third_search_is_refused_with_the_time_to_wait(client_of: Callable[..., Any], sqlite: Engine) -> None:
    person = client_of(Role.VIEWER)
    *answered, refused = (person.get("/search/experiments?q=x") for _ in range(3))
    assert [answer.status_code for answer in answered] == [200, 200]
    assert (refused.status_code, refused.json["code"]) == (429, "quota_exceeded")
    assert refused.json["violated-policies"] == ["person"]
    assert 0 < int(refused.headers["Retry-After"]) <= 30


def test_another_person_searches_on(client_of: Callable[..., Any], sqlite: Engine) -> None:
    first = client_of(Role.VIEWER)
    for _ in range(3):
        first.get("/search/experiments?q=x")
    assert client_of(Role.OPERATOR).get("/search/experiments?q=x").status_code == 200


def test_a_third_file_in_an_hour_is_refused_in_words(
    client_of: Callable[..., Any], sqlite: Engine, dash_app: Any
) -> None:
    person = client_of(Role.VIEWER)
    output, pressed = "logins-download.data", {"logins-export.n_clicks": 1}
    answers = [dispatch(person, dash_app, output, **pressed) for _ in range(3)]
    assert [output.split(".")[0] in answer.json.get("response", {}) for answer in answers[:2]] == [True, True]
    assert "An account may make 2 exports an hour." in answers[2].text


def test_files_of_our_own_api_are_counted_with_those_of_the_pages(
    client_of: Callable[..., Any], sqlite: Engine
) -> None:
    person = client_of(Role.ADMIN)
    addresses = [f"/api/v1/{name}" for name in ("request-log", "system-log", "request-log")]
    answers = [person.get(address, headers={"Accept": "text/csv"}) for address in addresses]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert person.get("/api/v1/request-log").status_code == 200


def test_every_file_is_counted(dash_app: Any) -> None:
    files = {
        output: spec["callback"].__wrapped__
        for output, spec in dash_app.callback_map.items()
        if "download.data" in output and spec.get("callback")
    }
    assert len(files) >= 3
    assert [output for output, function in files.items() if not function.export] == []
