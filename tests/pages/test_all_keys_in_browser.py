"""Everybody's keys in Chromium: found, and ended with a reason."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from database.engine import transaction
from models.permissions import Role
from services.api_keys import keys
from tests.support.axe import serious_faults_in_each_look
from tests.support.people import person

pytestmark = pytest.mark.browser


def two_keys() -> None:
    for owner, name in (("vera", "notebook"), ("olaf", "script")):
        actor = person(Role.OPERATOR, owner)
        with transaction() as session:
            keys.create(session, actor, name=name, scopes=["view_experiments", "export_results"])


def test_a_key_is_found_and_revoked_with_a_reason(visit: Callable[..., Page]) -> None:
    two_keys()
    page = visit("/admin/keys")
    rows = page.locator(".plain-table tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("searchbox").fill("vera")
    expect(rows).to_have_count(1)
    page.wait_for_url("**/admin/keys?q=vera")
    page.get_by_title("Revoke notebook of vera").click()
    expect(page.locator("#all-keys-what")).to_contain_text("of vera are refused from their next request on.")
    page.locator("#all-keys-confirm").click()
    expect(page.locator("#all-keys-reason-error")).to_have_text("This must not be empty.")
    page.get_by_label("Reason").fill("found in a repository")
    page.locator("#all-keys-confirm").click()
    expect(page.locator("#toast-region")).to_contain_text("no longer works")
    expect(page.locator("#all-keys-dialog")).to_be_hidden()
    expect(rows).to_contain_text("found in a repository")
    page.get_by_label("State").select_option("active")
    expect(page.locator(".empty-title")).to_have_text("No key matches")
    page.wait_for_url("**/admin/keys?q=vera&state=active")


def test_axe_finds_nothing_serious(visit: Callable[..., Page]) -> None:
    two_keys()
    page = visit("/admin/keys", width=390, scheme="dark")
    assert serious_faults_in_each_look(page) == {}
    page.get_by_title("Revoke notebook of vera").click()
    expect(page.locator("#all-keys-dialog")).to_be_visible()
    assert serious_faults_in_each_look(page) == {}
