"""One's own account in Chromium: change the password, throw a session out, read the attempts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from database.engine import snapshot
from models import User
from models.permissions import Role
from services import passwords
from tests.support.axe import serious_faults_in_each_look
from tests.support.following import SETTLED, follow
from tests.support.people import PASSWORD

pytestmark = pytest.mark.browser
PAGES = ("/account/security", "/account/sessions", "/account/logins")
NEW = "another fine passphrase"


def test_axe_finds_nothing_serious(visit: Callable[..., Page]) -> None:
    page = visit("/", width=390, scheme="dark")
    for path in PAGES:
        follow(page, path)
        page.wait_for_function(SETTLED)
        assert serious_faults_in_each_look(page) == {}, path


def test_they_are_found_in_the_account_menu_by_every_role(visit: Callable[..., Page]) -> None:
    page = visit("/", role=Role.VIEWER)
    page.locator(".account-button").click()
    for name, path in zip(("Security", "Sessions", "Sign-ins"), PAGES, strict=True):
        assert page.locator(".menu-items").get_by_role("link", name=name).get_attribute("href") == path


def test_a_password_is_changed_and_what_is_wrong_stands_at_its_field(visit: Callable[..., Page]) -> None:
    page = visit("/account/security", role=Role.VIEWER)
    page.get_by_label("Current password").fill("not the password at all")
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#security-current-error")).to_have_text("That is not your current password.")
    expect(page.locator("#security-current")).to_contain_class("is-invalid")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password again").press("Enter")
    expect(page.locator("#toast-region")).to_contain_text("Your password was changed.")
    expect(page.get_by_label("Current password")).to_have_value("")
    with snapshot() as session:
        assert passwords.verify(session.scalar(select(User.password_hash)), NEW)


def test_an_ended_session_is_thrown_out_at_its_next_click(visit: Callable[..., Page]) -> None:
    other = visit("/account/profile", role=Role.VIEWER)  # a page that asks nothing by itself
    page = visit("/account/sessions", role=Role.VIEWER)
    expect(page.locator(".plain-table tbody tr")).to_have_count(2)
    expect(page.get_by_role("button", name="End all others")).to_be_enabled()
    page.get_by_role("button", name="End the session of").click()
    expect(page.locator(".plain-table tbody tr")).to_have_count(1)
    expect(page.get_by_role("button", name="End all others")).to_be_disabled()
    expect(page.get_by_text("You are signed in nowhere else.")).to_be_visible()
    other.get_by_role("link", name="Compare").first.click()
    other.wait_for_url("**/login?next=*")


def test_the_attempts_are_read_and_filtered(visit: Callable[..., Page]) -> None:
    page = visit("/account/logins", role=Role.VIEWER)
    expect(page.locator(".empty-title")).to_have_text("No attempts")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "sign-ins.csv"
