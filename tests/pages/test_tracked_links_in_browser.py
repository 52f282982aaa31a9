"""The addresses that a tracking client prints lead to our pages; what only looks like one leads nowhere."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support import tracking
from tests.support.people import PASSWORD
from tests.support.tracking import Tracking

pytestmark = pytest.mark.browser


@pytest.fixture
def printed(dash_app: Any, visit: Callable[..., Page]) -> tuple[Page, str, str]:
    """Somebody at the start page, a group's id and the id of a run in it."""
    page = visit("/")
    api = Tracking(dash_app.server, tracking.key())
    group = api.group("bearings")
    return page, group, api.run(group, run_name="cnn")


def follow(page: Page, live_server: str, fragment: str) -> None:
    page.goto("about:blank")
    page.goto(f"{live_server}/{fragment}")


def test_that_of_a_run_leads_to_its_page(printed: tuple[Page, str, str], live_server: str) -> None:
    page, group, run = printed
    follow(page, live_server, f"#/experiments/{group}/runs/{run}")
    expect(page.get_by_role("heading", name="cnn")).to_be_visible()
    assert "/experiments/" in page.url


def test_that_of_a_group_leads_to_the_list_of_it(printed: tuple[Page, str, str], live_server: str) -> None:
    page, group, _ = printed
    follow(page, live_server, f"#/experiments/{group}")
    expect(page.locator("#experiments-count")).to_contain_text("1")
    assert "bearings" in page.url


ALIKE = (
    "#/experiments/1/runs/../../logout",
    "#/experiments/1/runs/" + "F" * 32,
    "#/experiments//evil.example",
    "#//evil.example/experiments/1",
    "#javascript:alert(1)",
    "#/experiments/99999999999",
)


# The same script reads what stands behind “#” as a page is loaded and as that changes.
CHANGE = """fragment => new Promise((done) => {
    addEventListener("hashchange", () => setTimeout(done, 50), {once: true});
    location.hash = fragment;
})"""


def test_what_only_looks_like_one_stays_at_the_start(printed: tuple[Page, str, str], live_server: str) -> None:
    page, group, _ = printed
    follow(page, live_server, ALIKE[0])
    expect(page.get_by_role("heading", name="Home", exact=True)).to_be_visible()
    for fragment in ALIKE[1:]:
        page.evaluate(CHANGE, fragment)
        assert page.evaluate("location.pathname") == "/", fragment
    page.evaluate("fragment => { location.hash = fragment; }", f"#/experiments/{group}")
    page.wait_for_url("**/experiments?**")  # what is none of them does lead away


def test_who_is_not_signed_in_is_led_there_afterwards(printed: tuple[Page, str, str], live_server: str) -> None:
    page, group, run = printed
    page.goto("about:blank")  # Home asks for news, and would go to the form by itself
    page.context.clear_cookies()
    follow(page, live_server, f"#/experiments/{group}/runs/{run}")
    page.wait_for_url(re.compile(rf"/login\?next=.*{run}"))
    page.get_by_label("User name or e-mail").fill("operator-person")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="cnn")).to_be_visible()
