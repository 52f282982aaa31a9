"""What every answer carries, whatever it answers; and where reports of a broken content policy go."""

import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.people import client
from web import guard, policy_reports

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}
Ask = Callable[[Any, Any], Any]
JSON = "application/json"
HTML = {"Accept": "text/html"}
DISPATCH = "/_dash-update-component"

ANSWERS: dict[str, tuple[int, Ask]] = {
    "a form": (200, lambda stranger, _: stranger.get("/login")),
    "a page": (200, lambda _, member: member.get("/experiments", headers=HTML)),
    "the layout": (200, lambda _, member: member.get("/_dash-layout")),
    "a search": (200, lambda _, member: member.get("/search/experiments?q=x")),
    "a probe": (200, lambda stranger, _: stranger.get("/healthz")),
    "a stylesheet": (200, lambda stranger, _: stranger.get("/assets/10-tokens.css")),
    "the icon": (200, lambda stranger, _: stranger.get("/_favicon.ico")),
    "a list of methods": (200, lambda stranger, _: stranger.options("/login")),
    "a report": (204, lambda stranger, _: stranger.post(policy_reports.PATH, data=b"{}")),
    "a redirect": (302, lambda stranger, _: stranger.get("/", headers=HTML)),
    "a bad body": (400, lambda _, member: member.post(DISPATCH, data=b"[", content_type=JSON)),
    "a form without a token": (400, lambda stranger, _: stranger.post("/login", data={})),
    "nobody": (401, lambda stranger, _: stranger.get("/_dash-layout")),
    "no key": (401, lambda stranger, _: stranger.get("/api/v1/me")),
    "another site": (403, lambda _, member: member.post(DISPATCH, json={}, headers={"Sec-Fetch-Site": "cross-site"})),
    "no page": (404, lambda _, member: member.get("/nowhere", headers=HTML)),
    "no asset": (404, lambda stranger, _: stranger.get("/assets/nothing.css")),
    "no bundle": (404, lambda stranger, _: stranger.get("/_dash-component-suites/dash/nothing.js")),
    "a closed link": (404, lambda stranger, _: stranger.get("/setup/none", headers=HTML)),
    "a wrong method": (405, lambda _, member: member.put("/login")),
    "too much": (413, lambda _, member: member.post(DISPATCH, data=b" " * 1_100_000, content_type=JSON)),
    "a wrong type": (415, lambda _, member: member.post(DISPATCH, data="{}", content_type="text/plain")),
}
ORIGINS = [
    "null", "https://evil.example", "http://evil.example", "https://localhost", "http://localhost:3000",
    "http://localhost.evil.example", "https://localhost@evil.example", "http://evil.example:80", "file://",
    "chrome-extension://abcdefghijklmnop", "https://sub.localhost", "http://127.0.0.1", "http://127.0.0.1:9",
    "http://[::1]", "http://[", "https://", "//localhost", "localhost", "*", "https://*", "https://evil.example\\@localhost",
    "https://localhost%60.evil.example", "https://localhost_.evil.example", "https://evil.example#localhost",
    "https://evil.example?localhost", "HTTPS://LOCALHOST", "http://localhost ", "data:", "about:blank", "http://0",
]  # fmt: skip

ODD_REPORTS = [
    b'{"csp-report": {"blocked-uri": [1]}}',
    b'{"csp-report": {"blocked-uri": "http://[", "document-uri": 7}}',
]


@pytest.fixture
def both(dash_app: Any, sqlite: Engine) -> tuple[Any, Any]:
    """A stranger and somebody who is signed in."""
    return dash_app.server.test_client(), client(dash_app.server, "super_admin")


class TestEveryAnswer:
    @pytest.fixture
    def answers(self, both: tuple[Any, Any]) -> dict[str, Any]:
        """One of each kind, with the status that it should have."""
        given = {name: ask(*both) for name, (_, ask) in ANSWERS.items()}
        assert {name: answer.status_code for name, answer in given.items()} == {
            name: status for name, (status, _) in ANSWERS.items()
        }
        return given

    def test_carries_the_protective_headers(self, answers: dict[str, Any]) -> None:
        for name, answer in answers.items():
            assert {header: answer.headers.get(header) for header in ALWAYS} == ALWAYS, name
            assert answer.headers["X-Request-ID"], name

    def test_is_kept_nowhere_unless_it_is_a_file_of_ours(self, answers: dict[str, Any]) -> None:
        kept = [name for name, answer in answers.items() if answer.headers.get("Cache-Control") != "no-store"]
        assert kept == ["a stylesheet", "the icon"]

    def test_carries_the_whole_content_policy(self, answers: dict[str, Any]) -> None:
        for name, answer in answers.items():
            policy = answer.headers["Content-Security-Policy"]
            rules = {part.split(" ", 1)[0]: part.split(" ", 1)[1] for part in policy.split("; ")}
            nothing = {rules[word] for word in ("default-src", "object-src", "base-uri", "frame-ancestors")}
            assert nothing == {"'none'"}, name
            assert "unsafe" not in rules["script-src"] and "*" not in policy and "http" not in policy, name
            assert rules["form-action"] == rules["connect-src"] == "'self'", name
            assert rules["report-uri"] == policy_reports.PATH, name

    def test_that_is_text_says_in_which_characters(self, answers: dict[str, Any]) -> None:
        for name, answer in answers.items():
            assert not answer.data or answer.mimetype, name
            if answer.data and answer.mimetype.startswith("text/"):
                assert answer.mimetype_params["charset"] == "utf-8", name

    def test_over_https_asks_for_https_for_a_year(self, both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("web.headers.settings", lambda: SimpleNamespace(is_https=True))
        for name, (_, ask) in ANSWERS.items():
            told = ask(*both).headers["Strict-Transport-Security"]
            assert told == "max-age=31536000; includeSubDomains", name

    def test_of_a_bug_carries_them_and_tells_nothing(
        self, dash_app: Any, both: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken() -> None:
            raise RuntimeError("secret detail of a bug")

        monkeypatch.setitem(dash_app.server.view_functions, "health.healthz", guard.public(broken))
        answer = both[0].get("/healthz")
        assert answer.status_code == 500
        assert {header: answer.headers.get(header) for header in ALWAYS} == ALWAYS
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "secret detail" not in answer.text and "Traceback" not in answer.text


def test_no_origin_is_let_read_an_answer(both: Any) -> None:
    assert len(ORIGINS) == 30
    stranger, member = both
    for origin in ORIGINS:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for answer in (
            member.get("/_dash-layout", headers=asked),
            member.get("/search/experiments?q=x", headers=asked),
            member.options(DISPATCH, headers=asked),
            stranger.get("/api/v1/me", headers=asked),
            stranger.get("/login", headers=asked),
        ):
            assert [name for name, _ in answer.headers if name.lower().startswith("access-control")] == []


def test_no_route_answers_trace(dash_app: Any, both: Any) -> None:
    for rule in dash_app.server.url_map.iter_rules():
        path = rule.rule.replace("<token>", "x").replace("<path:", "x").split("<")[0]
        assert both[1].open(path, method="TRACE").status_code in {404, 405}, path


class TestReports:
    minute = 7

    @pytest.fixture(autouse=True)
    def _new_ration(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(policy_reports, "ration", policy_reports._Ration())
        monkeypatch.setattr(policy_reports, "minute", lambda: self.minute)

    def send(self, both: Any, **report: Any) -> int:
        body = json.dumps({"csp-report": report})
        status: int = both[0].post(policy_reports.PATH, data=body, content_type="application/csp-report").status_code
        return status

    def test_are_a_line_in_the_log_that_holds_no_token(self, both: Any, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            self.send(
                both,
                **{
                    "document-uri": "http://localhost/invitation/SECRET?next=SECRET",
                    "blocked-uri": "http://evil.example/x?q=SECRET",
                    "effective-directive": "script-src-elem",
                },
            )
        assert caplog.messages == ["content policy stopped http://evil.example by script-src-elem on /invitation"]

    def test_never_make_a_second_line(self, both: Any, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            self.send(both, **{"blocked-uri": "inline\nforged", "effective-directive": "a\r\n\x1b[31mb"})
        assert caplog.messages == ["content policy stopped inline?forged by a????31mb on -"]

    def test_fill_no_log(self, both: Any, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            assert {self.send(both, **{"blocked-uri": "inline"}) for _ in range(100)} == {204}
        assert len(caplog.messages) == policy_reports.LINES_A_MINUTE

    def test_are_written_again_in_the_next_minute(self, both: Any, caplog: pytest.LogCaptureFixture) -> None:
        for self.minute in (7, 8):
            with caplog.at_level(logging.WARNING):
                assert {self.send(both, **{"blocked-uri": "inline"}) for _ in range(40)} == {204}
        assert len(caplog.messages) == 2 * policy_reports.LINES_A_MINUTE

    def test_that_are_none_harm_nobody(self, both: Any) -> None:
        for raw in (b"", b"null", b"[]", b"{", b"\xff", b"[" * 9000, b'{"csp-report": 5}', *ODD_REPORTS):
            assert both[0].post(policy_reports.PATH, data=raw).status_code == 204, raw[:40]

    def test_that_are_too_long_are_refused(self, both: Any) -> None:
        assert both[0].post(policy_reports.PATH, data=b" " * 20_000).status_code == 413

    def test_from_another_site_are_refused(self, both: Any) -> None:
        answer = both[0].post(policy_reports.PATH, data=b"{}", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
