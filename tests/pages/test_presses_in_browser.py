"""Presses over a bad line: rows are drawn anew while the answer is under way, or none comes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from database.types import now
from models.permissions import Role
from tests.support.following import follow
from tests.support.people import person, token_of
from tests.support.requests_made import row, write
from tests.support.second_factor import give_app
from tests.support.waiting import wait_until
from web.identity import cookie_name

pytestmark = pytest.mark.browser
DISPATCH = "**/_dash-update-component*"


def test_press_is_answered_though_its_row_is_drawn_anew_meanwhile(visit: Callable[..., Page]) -> None:
    person(Role.VIEWER, "somebody")
    page = visit("/admin/users")
    under_way: list[Route] = []

    def hold(route: Route) -> None:
        is_press = '"output":"..person-dialog.is_open' in (route.request.post_data or "")
        under_way.append(route) if is_press else route.fallback()

    page.route(DISPATCH, hold)
    rows = page.locator("#users-table tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Change somebody").click()
    wait_until(lambda: bool(page.wait_for_timeout(50) or under_way))
    page.get_by_label("Search", exact=True).fill("somebody")
    expect(rows).to_have_count(1)
    page.wait_for_timeout(300)  # whatever is asked anew for the new row is asked by then
    for route in under_way:
        route.continue_()
    expect(page.get_by_role("dialog")).to_contain_text("somebody")


def test_button_can_be_pressed_again_where_no_answer_comes(stranger: Page, live_server: str) -> None:
    viewer = person(Role.VIEWER)
    give_app(viewer)
    page = stranger
    page.context.add_cookies([{"name": cookie_name(), "value": token_of(viewer), "url": live_server}])
    page.goto(live_server + "/account/security")
    page.get_by_role("button", name="Make codes").click()
    page.route(DISPATCH, lambda route: route.abort("connectionreset"))
    confirm = page.locator("#factors-renew-dialog-confirm")
    confirm.click()
    expect(page.locator("#toast-region")).to_contain_text("The server does not answer.")
    page.unroute(DISPATCH)
    expect(confirm).to_be_enabled()
    confirm.click()
    expect(page.locator(".codes-list li")).to_have_count(10)


def test_page_of_many_buttons_asks_for_nothing_as_it_comes(visit: Callable[..., Page]) -> None:
    """A press may come as soon as it stands, and Dash throws away what is asked for twice."""
    write([row(now(), endpoint="/one", milliseconds=1.0)])
    page = visit("/api-metrics/alerts")
    asked: list[str] = []

    def note(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.fallback()

    page.route(DISPATCH, note)
    follow(page, "/api-metrics?range=1h")
    page.wait_for_timeout(600)
    assert [body[:80] for body in asked if "_pages_content" not in body and "n_intervals" not in body] == []
