"""Who a request comes from: the connection says it, and a header only as far as a proxy of ours has set it."""

from typing import Any

import pytest
from sqlalchemy import Engine

from config.settings import settings
from tests.web.test_sign_in import sign_in
from web import identity
from web.server import create_server

SPOOFED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Via")


def seen_by(server: Any, **headers: str) -> str:
    """The address that counts for a request with these headers."""
    seen: list[str] = []
    server.before_request_funcs.setdefault(None, []).insert(0, lambda: seen.append(identity.visitor().address))
    server.test_client().get("/healthz", headers=headers)
    return seen[0]


def behind(monkeypatch: pytest.MonkeyPatch, hops: int) -> Any:
    """A server with so many trusted proxies in front."""
    told = settings().model_copy(update={"trusted_proxies": hops})
    monkeypatch.setattr("web.server.settings", lambda: told)
    return create_server()


@pytest.mark.parametrize("header", SPOOFED)
def test_without_a_proxy_no_header_counts(data_dir: Any, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    assert seen_by(behind(monkeypatch, 0), **{header: "192.0.2.9"}) == "127.0.0.1"


def test_behind_one_only_what_that_one_wrote_counts(data_dir: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"X-Forwarded-For": "203.0.113.1, 198.51.100.2, 192.0.2.9"}
    assert seen_by(behind(monkeypatch, 1), **told) == "192.0.2.9"
    assert seen_by(behind(monkeypatch, 2), **told) == "198.51.100.2"


def test_changing_headers_win_no_further_guesses(dash_app: Any, sqlite: Engine) -> None:
    statuses = []
    for number in range(12):
        browser = dash_app.server.test_client()
        browser.environ_base.update({f"HTTP_{name.upper().replace('-', '_')}": f"192.0.2.{number}" for name in SPOOFED})
        statuses.append(sign_in(browser, f"name{number}", "a wrong guess").status_code)
    assert statuses == [401] * 10 + [429] * 2


def test_no_address_is_made_of_the_host_that_was_sent(dash_app: Any, sqlite: Engine) -> None:
    told = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Accept": "text/html"}
    for path in ("/", "/experiments", "/nowhere", "/login"):
        answer = dash_app.server.test_client().get(path, headers=told)
        assert "evil.example" not in answer.text + str(answer.headers)
