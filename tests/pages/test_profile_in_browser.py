"""The profile, a forgotten password and a new address in Chromium."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select, update

from config import settings as configuration
from database.engine import snapshot, transaction
from models import User
from models.permissions import Role
from tests.support import mail
from tests.support.axe import serious_faults_in_each_look
from tests.support.experiments import running
from tests.support.people import PASSWORD, person
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
NEW = "another fine passphrase"
Visit = Callable[..., Page]


@pytest.fixture(autouse=True)
def own_outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails of this test only."""
    monkeypatch.setattr(configuration.Settings, "outbox_dir", property(lambda _: tmp_path / "mail"))


def me() -> User:
    with snapshot() as session:
        return session.scalars(select(User)).one()


def link_in_mail(live_server: str, kind: str) -> str:
    mail.run_waiting()
    found = re.search(rf"(/{kind}/[\w-]{{43}})", mail.text_of(mail.outbox()[-1]))
    assert found is not None
    return live_server + found[1]


def test_axe_finds_nothing_serious(visit: Visit) -> None:
    page = visit("/account/profile", width=390, scheme="dark")
    assert serious_faults_in_each_look(page) == {}


def test_axe_finds_nothing_serious_before_the_sign_in(chromium: Any, live_server: str, sqlite: Engine) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 900}, color_scheme="dark")
    for path in ("/login", "/forgot"):
        page.goto(live_server + path)
        assert serious_faults_in_each_look(page) == {}, path


def test_it_is_found_in_the_account_menu(visit: Visit) -> None:
    page = visit("/", role=Role.VIEWER)
    page.locator(".account-button").click()
    page.locator(".menu-items").get_by_role("link", name="Profile").click()
    expect(page.get_by_label("Display name")).to_be_visible()


def test_name_and_zone_are_saved_and_times_follow_at_once(visit: Visit) -> None:
    page = visit("/account/profile", role=Role.VIEWER, zone="Europe/Berlin")
    page.evaluate(
        """() => { const time = document.createElement("time"); time.id = "probe"; time.textContent = "?";
        time.setAttribute("datetime", "2026-01-02T20:00:00Z"); time.setAttribute("data-format", "datetime");
        document.body.appendChild(time); }"""
    )
    expect(page.locator("#probe")).to_have_text("2 Jan 2026, 21:00")
    page.get_by_label("Display name").fill("Vera Nováková <b>")
    page.get_by_label("Time zone").select_option("Asia/Kolkata")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toast-region")).to_contain_text("Your profile was saved.")
    expect(page.locator("#probe")).to_have_text("3 Jan 2026, 01:30")
    expect(page.locator(".account-name")).to_have_text("Vera Nováková <b>")
    assert (me().display_name, me().time_zone) == ("Vera Nováková <b>", "Asia/Kolkata")
    page.reload()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Kolkata")


def test_a_theme_chosen_in_the_menu_follows_to_another_browser(visit: Visit) -> None:
    page = visit("/", role=Role.VIEWER)
    page.locator(".account-button").click()
    page.locator(".menu-items [data-theme-choice=dark]").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    wait_until(lambda: me().theme == "dark")
    elsewhere = visit("/account/profile", role=Role.VIEWER)
    expect(elsewhere.locator("html")).to_have_attribute("data-bs-theme", "dark")
    pressed = elsewhere.locator("main [data-theme-choice=dark]")
    expect(pressed).to_have_attribute("aria-pressed", "true")


def test_compact_makes_tables_closer_here_and_elsewhere(visit: Visit) -> None:
    running("one")
    page = visit("/experiments", role=Role.VIEWER)
    expect(page.locator(".ag-row").first).to_have_css("height", "40px")
    profile = visit("/account/profile", role=Role.VIEWER)
    profile.get_by_role("button", name="Compact").click()
    expect(profile.locator("html")).to_have_attribute("data-density", "compact")
    wait_until(lambda: me().density == "compact")
    page.reload()
    expect(page.locator(".ag-row").first).to_have_css("height", "32px")
    expect(page.locator("html")).to_have_attribute("data-density", "compact")


def test_a_new_address_is_confirmed_by_its_link(visit: Visit, live_server: str) -> None:
    page = visit("/account/profile", role=Role.VIEWER)
    page.get_by_label("New e-mail address").fill("vera@example.net")
    page.get_by_label("Current password").fill("not the password at all")
    page.get_by_role("button", name="Send the link").click()
    expect(page.locator("#profile-current-error")).to_have_text("That is not your current password.")
    expect(page.get_by_label("New e-mail address")).to_have_value("vera@example.net")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("Current password").press("Enter")
    expect(page.locator("#profile-waiting")).to_contain_text("A link was sent to vera@example.net.")
    expect(page.locator("#profile-waiting")).to_contain_text("the mail waits in the outbox")
    page.goto(link_in_mail(live_server, "confirm-email"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading")).to_have_text("Your address was changed")
    assert me().email == "vera@example.net"
    page.get_by_role("link", name="Go on").click()
    expect(page.locator("#profile-waiting")).to_contain_text("vera@example.net")  # still signed in


def test_a_forgotten_password_is_set_anew(visit: Visit, live_server: str) -> None:
    page = visit("/account/profile", role=Role.VIEWER)
    page.goto("about:blank")  # where it asked for something meanwhile, it would go to the form by itself
    page.context.clear_cookies()
    page.goto(f"{live_server}/login")
    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("User name or e-mail").fill("viewer-person")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading")).to_have_text("Look into your mail")
    page.goto(link_in_mail(live_server, "reset"))
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("User name or e-mail").fill("viewer-person")
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(".page-header")


def test_a_zone_that_the_browser_does_not_know_leaves_times_readable(visit: Visit) -> None:
    person(Role.VIEWER)
    with transaction() as session:
        session.execute(update(User).values(time_zone="Nowhere/At_All"))
    page = visit("/account/sessions", role=Role.VIEWER)
    expect(page.locator(".plain-table time").first).to_have_text(re.compile("^(just now|[1-9] min ago)$"))
