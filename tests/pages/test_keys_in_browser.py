"""One's own keys in Chromium: made, shown once, used, replaced, revoked."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from models.permissions import Role
from tests.support import records
from tests.support.axe import serious_faults_in_each_look

pytestmark = pytest.mark.browser


def me(page: Page, key: str) -> int:
    address = page.url.split("/account")[0] + "/api/v1/me"
    return page.context.request.get(address, headers={"Authorization": f"Bearer {key}"}).status


def test_a_key_is_made_used_replaced_and_revoked(visit: Callable[..., Page]) -> None:
    page = visit("/account/keys", role=Role.VIEWER)
    expect(page.locator(".empty-title")).to_have_text("No keys yet")
    page.get_by_role("button", name="New key").click()
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#key-name-error")).to_have_text("This must not be empty.")
    page.get_by_label("Name", exact=True).fill("notebook")
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("#key-dialog .one-time-link").first.inner_text()
    assert me(page, key) == 200
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".plain-table")).to_contain_text(key[:15])
    page.get_by_role("button", name="New key").click()
    expect(page.locator("#key-dialog .one-time")).to_have_count(0)
    page.get_by_role("button", name="Close").click()
    page.get_by_title("Replace notebook").click()
    page.get_by_role("button", name="Make the new key").click()
    new = page.locator("#keys-shown .one-time-link").first.inner_text()
    assert (me(page, key), me(page, new)) == (200, 200)
    expect(page.locator(".plain-table tbody tr")).to_have_count(2)
    page.get_by_title("Revoke notebook").last.click()
    expect(page.locator("#keys-dialog-body")).to_contain_text(f"notebook ({key[:15]}…)")
    page.locator("#keys-dialog-confirm").click()
    expect(page.locator("#toast-region")).to_contain_text("no longer works")
    assert (me(page, key), me(page, new)) == (401, 200)


def test_what_is_wrong_is_in_sight_on_a_phone_and_goes_when_the_field_is_changed(visit: Callable[..., Page]) -> None:
    page = visit("/account/keys", role=Role.SUPER_ADMIN, width=390)
    page.set_viewport_size({"width": 390, "height": 560})
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()  # which brings it into sight
    page.locator("#key-dialog .dialog-body").evaluate("body => body.scrollTo(0, body.scrollHeight)")
    expect(page.get_by_label("Name", exact=True)).not_to_be_in_viewport()
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#key-name-error")).to_be_in_viewport(ratio=1)
    page.get_by_label("Name", exact=True).press_sequentially("n")
    expect(page.locator("#key-name-error")).to_be_empty()
    expect(page.get_by_label("Name", exact=True)).not_to_have_class("is-invalid")


def test_the_limit_fits_what_the_key_may_do_unless_it_was_chosen(visit: Callable[..., Page]) -> None:
    page = visit("/account/keys", role=Role.OPERATOR)
    page.get_by_role("button", name="New key").click()
    limit, may_run = page.get_by_label("Requests an hour"), page.get_by_label("run experiments")
    expect(limit).to_have_value("1000")
    may_run.check()
    expect(limit).to_have_value("100000")
    may_run.uncheck()
    expect(limit).to_have_value("1000")
    limit.fill("250")
    may_run.check()
    page.get_by_label("Name", exact=True).fill("script")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#key-dialog .one-time-link").first).to_be_visible()
    expect(page.get_by_role("cell", name="250 an hour", include_hidden=True)).to_have_count(1)


def test_a_limit_that_cannot_be_is_told_at_its_field_and_one_that_can_is_listed_with_the_use(
    visit: Callable[..., Page],
) -> None:
    page = visit("/account/keys", role=Role.VIEWER)
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name", exact=True).fill("notebook")
    page.get_by_label("Requests an hour").fill("1000001")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#key-rate-error")).to_have_text("A limit lies between 1 and 1,000,000 requests an hour.")
    page.get_by_label("Requests an hour").fill("250")
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("#key-dialog .one-time-link").first.inner_text()
    records.forget()
    assert [me(page, key) for _ in range(3)] == [200] * 3
    records.drained()
    page.reload()
    row = page.locator(".plain-table tbody tr")
    expect(row).to_contain_text("250")
    expect(row.locator(".key-use")).to_contain_text(re.compile("3[0-3] today"))  # midnight may lie between
    expect(row.locator(".key-use [role=img]")).to_have_attribute(
        "aria-label", re.compile("Requests a day with notebook")
    )


def test_axe_finds_nothing_serious(visit: Callable[..., Page]) -> None:
    page = visit("/account/keys", role=Role.OPERATOR, width=390, scheme="dark")
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name", exact=True).fill("notebook")
    page.get_by_role("button", name="Make the key").click()
    page.wait_for_selector("#key-dialog .one-time")
    assert serious_faults_in_each_look(page) == {}


def test_a_key_begins_without_what_only_an_admin_reads(visit: Callable[..., Page]) -> None:
    page = visit("/account/keys", role=Role.SUPER_ADMIN)
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_label("View experiments")).to_be_checked()
    expect(page.get_by_label("View audit logs")).not_to_be_checked()
    expect(page.get_by_label("View system health")).not_to_be_checked()
