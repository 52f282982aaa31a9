"""The content policy in Chromium: no page breaks it, and what breaks it is stopped and reported."""

import logging
from collections.abc import Callable
from typing import Any

import dash
import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from models.permissions import Role
from tests.support.experiments import completed
from tests.support.following import SETTLED, follow
from tests.support.waiting import wait_until
from web import policy_reports

pytestmark = pytest.mark.browser


def test_no_page_breaks_it(visit: Callable[..., Page], live_server: str) -> None:
    number, other = completed("one", 2, notes="**x** $y^2$"), completed("two", 2)
    page = visit("/", role=Role.SUPER_ADMIN)
    reports: list[str] = []
    page.on("request", lambda request: reports.extend([request.url] * (policy_reports.PATH in request.url)))
    paths = [entry["path"] for entry in dash.page_registry.values() if not entry.get("path_template")]
    paths.remove("/")
    for path in [*paths, f"/experiments/{number}", f"/compare?ids={number},{other}"]:
        follow(page, path)
        page.wait_for_function(SETTLED)
    assert reports == []


def test_a_script_in_the_page_is_stopped_and_reported(
    chromium: Any, live_server: str, sqlite: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_reports, "ration", policy_reports._Ration())
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{live_server}/login?next=/secret")
    with caplog.at_level(logging.WARNING):
        page.evaluate("""() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = 1";
            document.head.appendChild(script);
        }""")
        wait_until(lambda: caplog.messages != [])
    assert page.evaluate("window.ran") is None
    context.close()
    assert caplog.messages == ["content policy stopped inline by script-src-elem on /login"]
