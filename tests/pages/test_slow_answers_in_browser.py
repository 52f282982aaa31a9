"""Pages that look for news where each answer takes longer than the pause between two looks."""

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from services.errors import Conflict
from tests.support.experiments import running
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
PAUSE, TAKES = 400, 1.2  # ms and s


class Home:
    """How long each look at what is new takes, and which of them fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.page = sys.modules["pages.home"]
        self.look, self.fails = self.page._live, False
        monkeypatch.setattr(self.page, "POLL_MILLISECONDS", PAUSE)

    def slowly(self, *asked: Any) -> Any:
        time.sleep(TAKES)
        if self.fails:
            self.fails = False
            raise Conflict("This look was in vain.")
        return self.look(*asked)


@pytest.fixture
def home(visit: Callable[..., Page], monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Page]:
    home = Home(monkeypatch)
    page = visit("/", new=True)
    monkeypatch.setattr(home.page, "_live", home.slowly)
    return home, page


def test_show_what_is_new_all_the_same(home: tuple[Home, Page]) -> None:
    for name in ("comes late", "comes later"):
        running(name)
        expect(home[1].locator("#home-live")).to_contain_text(name)


def test_ask_again_after_a_look_that_failed(home: tuple[Home, Page]) -> None:
    slow, page = home
    slow.fails = True
    expect(page.locator("#toast-region")).to_contain_text("This look was in vain.")
    running("comes later")
    expect(page.locator("#home-live")).to_contain_text("comes later")


def test_look_no_more_while_the_page_says_that_nobody_needs_it(home: tuple[Home, Page]) -> None:
    """A clock that is stopped for another reason is not set going by an answer."""
    page = home[1]
    page.evaluate("window.dash_clientside.set_props('home-tick', {disabled: true})")
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.post_data or "") if "home-tick" in (request.post_data or "") else None,
    )

    def nothing_is_asked() -> bool:
        asked.clear()
        page.wait_for_timeout(1000 * TAKES + 4 * PAUSE)
        return asked == []

    wait_until(nothing_is_asked, 60)  # what was under way may still be answered, and that must not set it going
