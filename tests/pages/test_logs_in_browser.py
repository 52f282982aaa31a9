"""The system log in Chromium: searched, opened, taken along, checked."""

import csv
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from database.engine import transaction
from models.permissions import Role
from services import audit
from services.actor import SYSTEM
from tests.support.axe import serious_faults_in_each_look
from tests.support.people import person

pytestmark = pytest.mark.browser


def fill(count: int = 3) -> None:
    with transaction() as session:
        for place in range(count):
            audit.record(session, SYSTEM, "thing.do", name=f"thing {place}")
        audit.record(session, person(Role.ADMIN), "user.set_role", user="vera", before="viewer", after="operator")


def test_the_time_of_a_row_is_told_to_the_second(visit: Callable[..., Page]) -> None:
    fill(1)
    shown = visit("/admin/logs").locator(".plain-table tbody time").first
    expect(shown).to_have_text(re.compile(r"\d, \d\d:\d\d:\d\d$"))


def test_filters_live_in_the_address(visit: Callable[..., Page]) -> None:
    fill()
    page = visit("/admin/logs")
    rows = page.locator(".plain-table tbody tr")
    expect(rows).to_have_count(4)
    page.get_by_label("Action").select_option("user.set_role")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("vera")
    page.wait_for_url("**/admin/logs?action=user.set_role")
    page.reload()
    expect(rows).to_have_count(1)
    page.get_by_label("Who").fill("system")
    expect(page.locator(".empty-title")).to_have_text("Nothing matches")
    page.wait_for_url("**user=system")


def test_a_filter_that_is_none_is_told_and_nothing_is_lost(visit: Callable[..., Page]) -> None:
    fill()
    page = visit("/admin/logs?from=2026-02-01&to=2026-01-01&action=thing.do")
    expect(page.locator("#logs-wrong")).to_have_text("The first day comes after the last.")
    expect(page.get_by_label("Action")).to_have_value("thing.do")
    page.get_by_label("From this day").fill("2025-01-01")
    page.get_by_label("Up to this day").fill("2199-01-01")
    expect(page.locator(".plain-table tbody tr")).to_have_count(3)
    expect(page.locator("#logs-wrong")).to_have_text("")


def test_older_rows_are_turned_to_and_back(visit: Callable[..., Page]) -> None:
    fill(60)
    page = visit("/admin/logs")
    page.get_by_role("button", name="Older").click()
    expect(page.locator(".plain-table tbody tr")).to_have_count(11)
    expect(page.get_by_role("button", name="Older")).to_be_hidden()
    page.get_by_role("button", name="Newest").click()
    expect(page.locator(".plain-table tbody tr")).to_have_count(50)


def test_the_drawer_shows_before_and_after_side_by_side(visit: Callable[..., Page]) -> None:
    fill()
    page = visit("/admin/logs")
    page.get_by_title("Details of row 4", exact=True).click()
    expect(page.locator(".drawer .change-value")).to_have_text(["viewer", "operator"])
    expect(page.locator(".drawer .hash")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_be_hidden()


@pytest.mark.parametrize("form", ["CSV", "JSON"])
def test_what_is_shown_is_taken_along_and_that_is_a_row(visit: Callable[..., Page], form: str) -> None:
    fill()
    page = visit("/admin/logs?action=thing.do")
    with page.expect_download() as download:
        page.get_by_role("button", name=form).click()
    content = download.value.path().read_text()
    assert content.count("thing.do") == 3 and "user.set_role" not in content
    if form == "CSV":
        assert len(list(csv.reader(content.splitlines()))) == 4
    page.goto(page.url.split("?")[0])
    expect(page.locator(".plain-table tbody tr").first).to_contain_text("trail.export")


def test_the_chain_is_checked(visit: Callable[..., Page], sqlite: Engine) -> None:
    fill()
    page = visit("/admin/logs")
    page.get_by_role("button", name="Verify chain").click()
    expect(page.locator("#logs-verdict")).to_contain_text("The chain is whole: 4 rows, none changed or removed.")
    with sqlite.begin() as connection:
        connection.execute(text("UPDATE system_logs SET action = 'other' WHERE id = 2"))
    page.get_by_role("button", name="Verify chain").click()
    expect(page.locator("#logs-verdict")).to_contain_text("The chain is broken at row 2: what it says was changed.")


def test_axe_finds_nothing_serious(visit: Callable[..., Page]) -> None:
    fill()
    page = visit("/admin/logs", width=390, scheme="dark")
    page.get_by_role("button", name="Verify chain").click()
    page.wait_for_selector("#logs-verdict .notice")
    assert serious_faults_in_each_look(page) == {}
    page.get_by_title("Details of row 4", exact=True).click()
    page.wait_for_selector(".drawer.show h3")
    expect(page.locator(".drawer")).to_have_css("transform", "none")
    assert serious_faults_in_each_look(page) == {}
