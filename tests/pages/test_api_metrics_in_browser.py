"""The API's metrics in Chromium: a range, a time drawn across a chart, one route alone, and what comes in meanwhile."""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from database.types import now
from models.permissions import Role
from services.api_metrics import rollup
from tests.support.axe import serious_faults_in_each_look
from tests.support.following import settle
from tests.support.requests_made import row, traffic, write

pytestmark = pytest.mark.browser
ROUTES = (("fast", 2.0, 5), ("middling", 20.0, 3), ("slow", 200.0, 1))
REQUESTS = "#api-metrics-stats .stat:first-child .stat-value"


def fill() -> datetime:
    """One request in each of so many hours; when the last one was."""
    moment = now()
    write(traffic(moment - timedelta(hours=place) for place in range(72)))
    rollup.roll_up()
    return moment


@pytest.fixture
def hour_that_stays(visit: Callable[..., Page], monkeypatch: pytest.MonkeyPatch) -> None:
    """The ranges end with the hour that runs, which a test may see pass."""
    moment = fill()
    monkeypatch.setattr(sys.modules["pages._api_range"], "now", lambda: moment)


@pytest.mark.usefixtures("hour_that_stays")
def test_range_route_and_drawn_time_are_chosen_and_stand_in_the_address(visit: Callable[..., Page]) -> None:
    page = visit("/api-metrics")
    expect(page.locator(REQUESTS)).to_have_text("24")
    page.get_by_label("Range", exact=True).select_option("7d")
    expect(page.locator(REQUESTS)).to_have_text("72")
    page.get_by_label("Compare with the period before").check()
    expect(page.locator("#api-metrics-stats")).to_contain_text("none before")
    page.wait_for_function("location.search.includes('range=7d') && location.search.includes('compare=true')")
    page.get_by_role("button", name="/api/v1/me").click()
    expect(page.locator("#api-metrics-all-routes")).to_contain_text("GET /api/v1/me")
    expect(page.locator(REQUESTS)).not_to_have_text("72")
    alone = page.locator(REQUESTS).inner_text()
    page.reload()
    expect(page.locator(REQUESTS)).to_have_text(alone)
    page.locator("#api-metrics-all-routes").click()
    expect(page.locator(REQUESTS)).to_have_text("72")
    plot = page.locator("#api-metrics-rate .nsewdrag").first
    plot.scroll_into_view_if_needed()
    settle(page)
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(page.get_by_label("Range", exact=True)).to_have_value("custom")
    page.wait_for_function("location.search.includes('from=2')")
    expect(page.locator(REQUESTS)).not_to_have_text("72")
    drawn = page.locator(REQUESTS).inner_text()
    page.reload()
    expect(page.locator(REQUESTS)).to_have_text(drawn)


@pytest.mark.usefixtures("hour_that_stays")
def test_routes_are_found_and_lead_to_their_requests(visit: Callable[..., Page]) -> None:
    page = visit("/api-metrics?range=7d")
    rows = page.locator("#api-metrics-routes tbody tr")
    expect(rows).to_have_count(3)
    page.get_by_label("Find routes").fill("LOG-batch")
    expect(rows).to_have_count(1)
    page.wait_for_function("location.search.includes('find=LOG-batch')")
    count = rows.locator(".cell-number").first.inner_text()
    rows.get_by_role("link", name="Log").click()
    expect(page.locator(".ag-center-cols-container .ag-row")).to_have_count(int(count))
    page.go_back()
    page.locator("#api-metrics-slowest a").first.click()
    expect(page.locator(".drawer .kv").first).to_be_visible()
    assert "range=7d" in page.url and "status=" in page.url


def test_a_header_sorts_the_routes_and_stays_where_the_keyboard_is(visit: Callable[..., Page]) -> None:
    moment = now() - timedelta(seconds=2)
    write([row(moment, endpoint=f"/{name}", milliseconds=ms) for name, ms, many in ROUTES for _ in range(many)])
    page = visit("/api-metrics?range=1h")
    routes = page.locator("#api-metrics-routes .route-path")
    expect(routes).to_have_text(["/fast", "/middling", "/slow"])
    header = page.get_by_role("columnheader", name="p95").get_by_role("button")
    header.focus()
    page.keyboard.press("Enter")
    expect(routes).to_have_text(["/slow", "/middling", "/fast"])
    expect(page.locator("#api-metrics-routes [aria-sort]")).to_have_text("p95")
    expect(page.get_by_label("Sort routes by")).to_have_value("p95")
    expect(header).to_be_focused()
    page.wait_for_function("location.search.includes('sort=p95')")


def test_what_comes_in_is_shown_and_axe_finds_nothing(
    visit: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["pages.api_metrics"], "POLL_MILLISECONDS", 1500)
    fill()
    page = visit("/api-metrics?range=1h")
    before = int(page.locator(REQUESTS).inner_text())
    write([row(now(), status=500)])
    expect(page.locator(REQUESTS)).to_have_text(str(before + 1))
    expect(page.locator("#api-metrics-failed")).to_contain_text("GET /api/v1/me")
    page.wait_for_selector("#api-metrics-heat .js-plotly-plot .heatmaplayer image")
    assert serious_faults_in_each_look(page) == {}


def test_before_the_first_request_it_says_what_to_do_and_shows_no_empty_chart(
    visit: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["pages.api_metrics"], "POLL_MILLISECONDS", 1500)
    page = visit("/api-metrics?range=1h")
    expect(page.get_by_role("link", name="Make a key")).to_be_visible()
    expect(page.get_by_role("heading", name="Over time")).to_be_hidden()
    write([row(now(), status=200)])
    expect(page.get_by_role("link", name="Make a key")).to_have_count(0)
    expect(page.locator(REQUESTS)).to_have_text("1")
    page.wait_for_selector("#api-metrics-rate .scatterlayer .trace")
    chart = page.locator("#api-metrics-rate")
    expect(chart.locator(".main-svg").first).to_have_attribute("width", str(chart.evaluate("it => it.clientWidth")))


def test_operators_do_not_see_it(visit: Callable[..., Page]) -> None:
    page = visit("/api-metrics", role=Role.OPERATOR)
    expect(page.locator("main")).to_contain_text("Not allowed")
    expect(page.get_by_role("link", name="Metrics")).to_have_count(0)
