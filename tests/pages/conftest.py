"""A live server on a database of its own, and Chromium signed in to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from models.permissions import Role
from tests.support import people
from web.identity import cookie_name

# What a refused page answers is told by the browser as an error of its own.
EXPECTED = ("status of 401", "status of 404", "status of 403", "status of 409", "status of 422")


@pytest.fixture
def visit(chromium: Any, live_server: str, sqlite: Engine) -> Iterator[Callable[..., Page]]:
    """Open an address as a person of a role; whatever the console complains about fails the test."""
    contexts, complaints = [], []

    def note(message: Any) -> None:
        if message.type in {"error", "warning"} and not any(text in message.text for text in EXPECTED):
            complaints.append(message.text)

    def open_page(
        path: str, role: Role = Role.ADMIN, width: int = 1440, scheme: str = "light", zone: str | None = None
    ) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id=zone)
        contexts.append(context)
        token = people.token_of(people.person(role))
        context.add_cookies([{"name": cookie_name(), "value": token, "url": live_server}])
        page: Page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live_server + path)
        page.wait_for_selector(".page-header, .empty", timeout=20_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
