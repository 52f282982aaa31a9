"""The log of requests in Chromium: scrolled through, filtered, opened, taken along."""

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TookTooLong
from sqlalchemy import Engine

from database.types import now
from models.permissions import Role
from tests.support.axe import serious_faults_in_each_look
from tests.support.people import client, dispatch
from tests.support.requests_made import row, traffic, write

CANARY = "canary-8c1d"
ROWS = ".ag-center-cols-container .ag-row"
# Before further rows are known the end comes earlier, and only what moves is looked at again.
SCROLL = """([top, nudge]) => {
    const rows = document.querySelector(".ag-body-viewport");
    rows.scrollTop = Math.min(top, rows.scrollHeight - rows.clientHeight) - nudge;
}"""
pytestmark = pytest.mark.browser


def fill(count: int = 30) -> None:
    moment = now() - timedelta(minutes=1)
    write(traffic(moment - timedelta(seconds=place) for place in range(count)))


def scroll_to(page: Page, place: int, height: int) -> None:
    """Until the row is drawn: for half a second after its other bar has moved, the grid does not look at this one."""
    for nudge in range(60):
        page.evaluate(SCROLL, [place * height, nudge % 2])
        try:
            page.wait_for_selector(f"{ROWS}[row-index='{place}'][row-id]", timeout=1000)
            return
        except TookTooLong:
            continue
    pytest.fail(f"row {place} was never drawn")


def test_every_page_follows_the_one_above_it(visit: Callable[..., Page]) -> None:
    moment = now() - timedelta(minutes=1)
    write(row(moment - timedelta(seconds=place // 3), milliseconds=float(place)) for place in range(330))
    page = visit("/api-metrics/requests")
    expect(page.locator(".grid-open").first).to_be_visible()
    height = page.locator(ROWS).first.evaluate("row => row.offsetHeight")
    seen: dict[str, str] = {}
    for place in range(330):
        if str(place) not in seen:
            scroll_to(page, place, height)
            seen |= page.evaluate(
                """() => Object.fromEntries([...document.querySelectorAll('.ag-center-cols-container .ag-row[row-id]')]
                  .map((row) => [row.getAttribute('row-index'), row.getAttribute('row-id')]))"""
            )
    assert [seen[str(place)] for place in range(330)] == [
        str(3 * group + offset) for group in range(110) for offset in (3, 2, 1)
    ]


def test_filters_live_in_the_address_and_narrow_what_is_shown(visit: Callable[..., Page]) -> None:
    write([row(now(), status=status, ip_address="192.0.2.7") for status in (200, 404, 404, 500)])
    page = visit("/api-metrics/requests")
    expect(page.locator(ROWS)).to_have_count(4)
    page.get_by_label("Status", exact=True).select_option("404")
    expect(page.locator(ROWS)).to_have_count(2)
    page.wait_for_function("location.search.includes('status=404')")
    page.reload()
    expect(page.locator(ROWS)).to_have_count(2)
    page.get_by_label("Address").fill("nowhere")
    expect(page.locator("#requests-wrong")).to_contain_text("An address looks like")
    page.get_by_label("Address").fill("192.0.2.7")
    expect(page.locator(ROWS)).to_have_count(2)
    page.get_by_label("Slower than").fill("9999")
    expect(page.locator("#requests-grid")).to_contain_text("No request matches.")
    page.get_by_label("Slower than").fill("")
    expect(page.locator(ROWS)).to_have_count(2)


def test_one_is_opened_with_its_sample_and_leads_to_those_like_it(visit: Callable[..., Page]) -> None:
    write([row(now(), endpoint="/a", status=404, request_payload_sample={"name": "<b>x</b>"})])
    write([row(now(), endpoint="/a", status=404), row(now(), endpoint="/b", status=404)])
    page = visit("/api-metrics/requests?request=1")
    expect(page.locator(".drawer .sample")).to_contain_text('"name": "<b>x</b>"')
    expect(page.locator(ROWS)).to_have_count(3)
    page.get_by_role("link", name="More like this").click()
    expect(page.locator(ROWS)).to_have_count(2)
    assert "endpoint=%2Fa" in page.url and "status=404" in page.url
    page.get_by_title("Details of request 2", exact=True).click()
    expect(page.locator(".drawer")).to_contain_text("The bodies of this request were not kept.")
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_be_hidden()


def test_what_is_shown_is_taken_along(visit: Callable[..., Page]) -> None:
    write([row(now(), status=status) for status in (200, 404)])
    page = visit("/api-metrics/requests?status=404")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    (told,) = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert told["status"] == "404"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_nobody_without_the_permission_gets_a_word_of_it(dash_app: Any, sqlite: Engine, role: Role) -> None:
    write([row(now(), endpoint=f"/{CANARY}", error_message=CANARY, ip_address="192.0.2.7")])
    signed_in = client(dash_app.server, role)
    values = {
        "requests-asked.data": {"asked": 1, "startRow": 0},
        "requests-open.data": {"id": "1"},
        "requests-filter-range.value": "24h",
        "requests-csv.n_clicks": 1,
        "_pages_location.pathname": "/api-metrics/requests",
        "_pages_location.search": "?request=1",
    }
    outputs = [name for name in dash_app.callback_map if "requests-" in name or "_pages_content" in name]
    assert len(outputs) >= 4
    for output in outputs:
        if dash_app.callback_map[output].get("callback") is None:
            continue
        answer = dispatch(signed_in, dash_app, output, **values)
        assert CANARY not in answer.text
        assert "_pages_content" in output or answer.status_code == 403 or "This needs the permission" in answer.text
    allowed = dispatch(
        client(dash_app.server, Role.ADMIN), dash_app, "..requests-answer.data...requests-wrong.children..", **values
    )
    assert CANARY in json.dumps(allowed.json)


def test_axe_finds_nothing_serious(visit: Callable[..., Page]) -> None:
    fill()
    page = visit("/api-metrics/requests", width=390, scheme="dark")
    expect(page.locator(".grid-open").first).to_be_visible()
    assert serious_faults_in_each_look(page) == {}
    page.locator(".grid-open").first.click()
    page.wait_for_selector(".drawer.show .kv")
    expect(page.locator(".drawer")).to_have_css("transform", "none")
    assert serious_faults_in_each_look(page) == {}
