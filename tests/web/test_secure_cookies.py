"""Over https every cookie is this host's alone: `__Host-`, Secure, out of reach of scripts and of other sites."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from config import settings as configuration
from database.engine import transaction
from services import forgotten, one_time_tokens
from tests.support.people import PASSWORD, person
from tests.support.second_factor import code_of, give_app
from tests.web.test_sign_in import token_in
from web.server import create_server

ADDRESS = "https://pfd.example.org"


@pytest.fixture
def server(data_dir: Any, database: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The app as it is behind a proxy with a certificate."""
    monkeypatch.setenv("PFD_PUBLIC_URL", ADDRESS)
    configuration.settings.cache_clear()
    yield create_server()
    monkeypatch.undo()
    configuration.settings.cache_clear()


class Browser:
    """Keeps every cookie that any answer has set."""

    def __init__(self, server: Flask) -> None:
        self.client = server.test_client()
        self.set: list[str] = []

    def ask(self, method: str, path: str, **given: Any) -> Any:
        answer = self.client.open(
            path, method=method, base_url=ADDRESS, headers={"Origin": ADDRESS, "Referer": f"{ADDRESS}/"}, **given
        )
        self.set += answer.headers.getlist("Set-Cookie")
        return answer

    def fill_in(self, path: str, **fields: str) -> Any:
        return self.ask("POST", path, data={**fields, "csrf_token": token_in(self.ask("GET", path))})


def parts(cookie: str) -> tuple[str, dict[str, str]]:
    """The name of a cookie and its attributes."""
    first, *rest = [part.strip() for part in cookie.split(";")]
    return first.partition("=")[0], {
        name.casefold(): value for name, _, value in (part.partition("=") for part in rest)
    }


@pytest.fixture
def tour(server: Flask) -> list[str]:
    """The cookies of a sign-in in two steps, a confirmation, a forgotten password, a sign-out and a refused page."""
    vera, browser = person("viewer", "vera"), Browser(server)
    seed = give_app(vera)
    assert browser.fill_in("/login", username="vera", password="wrong in every way").status_code == 401
    assert browser.fill_in("/login", username="vera", password=PASSWORD).status_code == 302
    assert browser.fill_in("/login/second", code=code_of(seed)).status_code == 302
    assert browser.ask("POST", "/sudo", json={"password": PASSWORD}).status_code == 200
    assert browser.ask("GET", "/nowhere").status_code == 404
    form = token_in(browser.ask("GET", "/forgot"))
    assert browser.ask("POST", "/logout", data={"csrf_token": form}).status_code == 302
    with transaction() as session:
        token = one_time_tokens.issue(session, "reset", forgotten.LINK_LASTS, vera.user_id)
    new = "another fine passphrase"
    assert browser.fill_in(f"/reset/{token}", password=new, again=new).status_code == 200
    return browser.set


def test_each_is_bound_to_the_host_and_kept_from_scripts_and_other_sites(tour: list[str]) -> None:
    names = set()
    for cookie in tour:
        name, told = parts(cookie)
        names.add(name)
        assert name.startswith("__Host-"), cookie
        assert {"secure", "httponly"} <= set(told), cookie
        assert (told["samesite"], told["path"]) == ("Lax", "/"), cookie
        assert "domain" not in told, cookie
        assert len(cookie) < 4096
    assert names == {"__Host-sid", "__Host-device", "__Host-form"}
