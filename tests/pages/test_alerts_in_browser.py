"""Alerts in Chromium: a rule is made, raised, seen where people look, changed and deleted."""

import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from database.engine import transaction
from database.types import now
from models.permissions import Role
from services.actor import SYSTEM
from services.api_alerts import rules, watching
from tests.support.axe import serious_faults_in_each_look
from tests.support.requests_made import row, write

pytestmark = pytest.mark.browser


def raise_one() -> None:
    with transaction() as session:
        rules.create(session, SYSTEM, rules.wanted("error_rate", "5", 5, None))
    write(row(now() - timedelta(seconds=5), status=500) for _ in range(25))
    watching.look()


def test_a_rule_is_made_raised_changed_and_deleted(visit: Callable[..., Page], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["pages.api_alerts"], "POLL_MILLISECONDS", 1500)
    page = visit("/api-metrics/alerts")
    expect(page.locator("#alerts-rules")).to_contain_text("No rules yet")
    page.get_by_role("button", name="New rule").click()
    page.get_by_label("Raise an alert above").fill("many")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#alerts-threshold-error")).to_have_text("This must be a number.")
    page.get_by_label("Raise an alert above").fill("7.5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#alerts-rules")).to_contain_text("the error rate of all requests over 15 min exceeds 7.5 %")
    write(row(now() - timedelta(seconds=5), status=500) for _ in range(25))
    watching.look()
    expect(page.locator("#alerts-rules .status-failed")).to_have_text("Raised")
    expect(page.locator("#alerts-lately")).to_contain_text("is 100 % (25 requests), more than 7.5 %.")
    page.get_by_title("Change the rule").click()
    expect(page.get_by_label("Raise an alert above")).to_have_value("7.5")
    page.get_by_label("Over the last").select_option("30")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#alerts-rules")).to_contain_text("over 30 min")
    expect(page.locator("#alerts-lately")).to_contain_text("the rule was changed")
    page.get_by_title("Delete the rule").click()
    page.locator("#alerts-delete-dialog-confirm").click()
    expect(page.locator("#alerts-rules")).to_contain_text("No rules yet")


def test_one_that_is_raised_stands_on_home_and_on_the_metrics_for_those_who_may_see_them(
    visit: Callable[..., Page],
) -> None:
    raise_one()
    for path in ("/", "/api-metrics"):
        expect(visit(path).locator(".alert-line")).to_contain_text(
            "The error rate of all requests over 5 min is 100 %, more than 5 %"
        )
    page = visit("/", role=Role.OPERATOR)
    expect(page.locator("#home-live")).to_be_visible()
    expect(page.locator(".alert-line")).to_have_count(0)
    expect(page.get_by_role("link", name="Alerts")).to_have_count(0)
    main = visit("/api-metrics/alerts", role=Role.OPERATOR).locator("main")
    expect(main).to_contain_text("Not allowed")
    expect(main.get_by_role("link", name="Home")).to_have_attribute("href", "/")


def test_axe_finds_nothing_serious(visit: Callable[..., Page]) -> None:
    raise_one()
    page = visit("/api-metrics/alerts", width=390, scheme="dark")
    expect(page.locator("#alerts-rules .status-failed")).to_be_visible()
    assert serious_faults_in_each_look(page) == {}
    page.get_by_role("button", name="New rule").click()
    expect(page.get_by_label("Raise an alert above")).to_be_visible()
    assert serious_faults_in_each_look(page) == {}
