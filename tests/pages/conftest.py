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
MOST_SPARE = 3


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


def _a_tab(chromium: Any, server: str, spare: list[Tab]) -> Tab:
    return spare.pop() if spare and not ALWAYS_NEW else Tab(chromium.new_context(), server)


def _put_back(tab: Tab, spare: list[Tab]) -> None:
    if len(spare) < MOST_SPARE and tab.forget():
        spare.append(tab)
    else:
        tab.close()


@pytest.fixture
def stranger(chromium: Any, live_server: str, sqlite: Engine, spare_tabs: list[Tab]) -> Iterator[Page]:
    """A page in which nobody is signed in, on an address that is no page."""
    tab = _a_tab(chromium, live_server, spare_tabs)
    tab.look(1440, "light")
    yield tab.page
    _put_back(tab, spare_tabs)


@pytest.fixture
def visit(
    chromium: Any, live_server: str, sqlite: Engine, tabs: dict[Role, Tab], spare_tabs: list[Tab]
) -> Iterator[Callable[..., Page]]:
    """Come to an address as a person of a role; whatever the console complains about fails the test.

    It is come to by a link in a tab that is open already, or, where that is asked for, by loading it. One that will
    bear marks that cannot be taken away (a script of its own, a clock that was moved) serves no other test.
    """
    used: list[tuple[Role, Tab, bool]] = []
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
        marked: bool = False,
        server: str = live_server,
    ) -> Page:
        new = new or zone is not None or ALWAYS_NEW
        resting = None if new else tabs.pop(role, None)
        tab = resting or _a_tab(chromium, live_server, spare_tabs)
        used.append((role, tab, marked))
        token = people.token_of(people.person(role))
        tab.context.add_cookies([{"name": cookie_name(), "value": token, "url": server}])
        tab.page.on("console", note)
        tab.page.on("pageerror", failed)
        if zone is not None:
            tab.live_in(zone)
        if new:
            tab.come(server + path, width, scheme)
            return tab.page
        if resting is None:
            tab.load()
        tab.visit(path, width, scheme)
        return tab.page

    yield open_page
    for role, tab, marked in used:
        if complaints or marked:
            tab.close()
        elif tab.rest() and role not in tabs:
            tabs[role] = tab
        else:
            _put_back(tab, spare_tabs)
    assert complaints == []
