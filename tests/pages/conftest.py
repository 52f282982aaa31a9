"""A live server on a database of its own, and Chromium signed in to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from models.permissions import Role
from tests.support import people
from tests.support.tabs import ALWAYS_NEW, Tab
from web.identity import cookie_name

# What a refused page answers is told by the browser as an error of its own.
EXPECTED = ("status of 401", "status of 404", "status of 403", "status of 409", "status of 422")
# What a field of dash-bootstrap-components throws when its page is left before its debounce has ended: nothing is lost.
LEFT_FIELD = "Cannot read properties of null (reading 'value')"


@pytest.fixture(scope="session")
def tabs() -> Iterator[dict[Role, Tab]]:
    """Those that rest between two tests, by who is signed in there."""
    resting: dict[Role, Tab] = {}
    yield resting
    for tab in resting.values():
        tab.close()


@pytest.fixture(scope="session")
def spare_tabs() -> Iterator[list[Tab]]:
    """Those that have forgotten whose they were."""
    spare: list[Tab] = []
    yield spare
    for tab in spare:
        tab.close()


@pytest.fixture
def visit(
    chromium: Any, live_server: str, sqlite: Engine, tabs: dict[Role, Tab], spare_tabs: list[Tab]
) -> Iterator[Callable[..., Page]]:
    """Come to an address as a person of a role; whatever the console complains about fails the test.

    It is come to by a link in a tab that is open already, or, where that is asked for, by loading it in a new one.
    """
    used: list[tuple[Role, Tab]] = []
    complaints: list[str] = []

    def note(message: Any) -> None:
        if message.type in {"error", "warning"} and not any(text in message.text for text in EXPECTED):
            complaints.append(message.text)

    def failed(error: Any) -> None:
        if not (LEFT_FIELD in str(error) and "dash_bootstrap_components" in (error.stack or "")):
            complaints.append(f"{error}\n{error.stack}")

    def open_page(
        path: str,
        role: Role = Role.ADMIN,
        width: int = 1440,
        scheme: str = "light",
        zone: str | None = None,
        new: bool = False,
    ) -> Page:
        new = new or zone is not None or ALWAYS_NEW
        tab = None if new else tabs.pop(role, None)
        is_fresh = tab is None
        if is_fresh and not new and spare_tabs:
            tab = spare_tabs.pop()
        if tab is None:
            context = chromium.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id=zone
            )
            tab = Tab(context, live_server)
        used.append((role, tab))
        token = people.token_of(people.person(role))
        tab.context.add_cookies([{"name": cookie_name(), "value": token, "url": live_server}])
        page = tab.page
        page.on("console", note)
        page.on("pageerror", failed)
        if new:
            page.goto(live_server + path)
            page.wait_for_selector(".page-header, .empty")
            return page
        if is_fresh:
            tab.load()
        tab.visit(path, width, scheme)
        return page

    yield open_page
    for role, tab in used:
        if tab.rest() and role not in tabs and not complaints:
            tabs[role] = tab
        elif not complaints and not spare_tabs and tab.forget():
            spare_tabs.append(tab)
        else:
            tab.close()
    assert complaints == []
