"""The API explorer in Chromium: found in the side bar, read, and tried as oneself."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from models.permissions import Role
from tests.support.axe import serious_faults_in_each_look
from tests.support.following import settle
from web.rest.operations import OPERATIONS

pytestmark = pytest.mark.browser


def test_an_experiment_is_begun_and_found_from_the_page(visit: Callable[..., Page]) -> None:
    page = visit("/", role=Role.OPERATOR)
    page.get_by_role("link", name="Explorer").click()
    expect(page.locator(".operation")).to_have_count(len(OPERATIONS))
    create = page.locator("#operation-create_experiment")
    create.locator("summary").first.click()
    create.get_by_label("Body").fill('{"name": "from the explorer"}')
    create.get_by_role("button", name="Send").click()
    expect(create.locator(".operation-answer p")).to_contain_text("201")
    number = json.loads(create.locator(".operation-answer pre").inner_text())["id"]
    read = page.locator("#operation-get_experiment")
    read.locator("summary").first.click()
    read.get_by_label("experiment_id").fill(str(number))
    read.get_by_role("button", name="Send").click()
    expect(read.locator(".operation-answer pre")).to_contain_text('"name": "from the explorer"')


def test_what_ones_role_does_not_allow_is_marked_and_refused(visit: Callable[..., Page]) -> None:
    page = visit("/api/docs", role=Role.VIEWER)
    users = page.locator("#operation-list_users")
    expect(users.locator(".operation-lock")).to_have_count(1)
    expect(page.locator("#operation-list_experiments .operation-lock")).to_have_count(0)
    users.locator("summary").first.click()
    users.get_by_role("button", name="Send").click()
    expect(users.locator(".operation-answer p")).to_contain_text("403")


def test_it_is_accessible_and_as_wide_as_the_screen(visit: Callable[..., Page]) -> None:
    page = visit("/api/docs", width=390, scheme="dark")
    for name in ("list_experiments", "log_points"):
        page.locator(f"#operation-{name} summary").first.click()
        page.locator(f"#operation-{name} .operation-send").wait_for()
    others = ".operation:not([open]) ~ .operation:not([open])"  # each closed one is like the first of its group
    assert 0 < page.locator(f".operation:not({others})").count() < len(OPERATIONS) / 2
    assert serious_faults_in_each_look(page, others) == {}


def test_what_is_typed_into_one_stays_when_it_is_folded_and_opened_again(visit: Callable[..., Page]) -> None:
    page = visit("/api/docs")
    read = page.locator("#operation-get_experiment")
    head = read.locator("summary").first
    head.press("Enter")
    read.get_by_label("experiment_id").fill("12")
    head.click()
    head.click()
    settle(page)
    expect(read.get_by_label("experiment_id")).to_have_value("12")


def test_who_is_not_signed_in_is_led_to_the_form(client_of: Callable[[str | None], Any], sqlite: Any) -> None:
    answer = client_of(None).get("/api/docs", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/api/docs")
