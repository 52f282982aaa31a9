"""The second factor in Chromium: set up, signed in with, lost, and asked for again before acts that open doors."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from models import SessionLog, User
from models.permissions import Role
from tests.support.axe import serious_faults_in_each_look
from tests.support.people import PASSWORD, person
from tests.support.second_factor import code_of, give_app, give_codes

pytestmark = pytest.mark.browser
NAME = "viewer-person"


def let_time_pass() -> None:
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(hours=1)))


def sign_in(page: Page, wanted: str) -> None:
    """Give name and password in a browser that is signed out."""
    address = page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2]
    page.goto("about:blank")  # where it asked for something meanwhile, it would go to the form by itself
    page.context.clear_cookies()
    page.goto(address + wanted)
    page.get_by_label("User name or e-mail").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#code")
    page.wait_for_load_state()  # the scripts of its buttons, too


def test_an_app_is_set_up_and_signs_in_and_a_backup_code_does_too(visit: Callable[..., Page]) -> None:
    page = visit("/account/security", role=Role.VIEWER)
    page.locator("#app-open").click()
    page.get_by_label("Your password").fill("not the password at all")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#app-password-error")).to_have_text("That is not your password.")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Your password").press("Enter")
    expect(page.locator(".qr-code")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.qr-code').naturalWidth > 0")
    seed = page.locator("#app-body .one-time-link").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill("12")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator("#app-code-error")).to_have_text("Type the six digits that the app shows.")
    page.get_by_label("Code", exact=True).fill(code_of(seed))
    page.get_by_label("Code", exact=True).press("Enter")
    expect(page.locator("#app-body .codes-list li")).to_have_count(10)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    codes = page.locator("#app-body .codes-list code").all_inner_texts()
    assert download.value.suggested_filename == "pfd-backup-codes.txt"
    assert all(code in download.value.path().read_text() for code in codes)
    page.locator("#app-close").click()
    expect(page.locator("#app-body .codes-list")).to_have_count(0)
    expect(page.locator("#factors-list")).to_contain_text("10 left")
    sign_in(page, "/compare")
    page.get_by_label("Code").fill(code_of(seed, 1))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/compare")
    sign_in(page, "/account/security")
    page.get_by_role("link", name="Use a backup code").click()
    page.get_by_label("Backup code").fill(codes[0].lower())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/account/security")
    expect(page.locator("#factors-list")).to_contain_text("9 left")


def test_codes_are_printed_alone(visit: Callable[..., Page]) -> None:
    give_app(person(Role.VIEWER))
    page = visit("/account/security", role=Role.VIEWER)
    page.get_by_role("button", name="Make codes").click()
    page.locator("#factors-renew-dialog-confirm").click()
    page.wait_for_selector(".codes-list")
    page.evaluate("window.print = () => { window.printed = document.documentElement.className; }")
    page.get_by_role("button", name="Print").click()
    assert "prints-codes" in page.evaluate("window.printed")
    assert "prints-codes" not in page.evaluate("document.documentElement.className")


def test_new_codes_end_the_old_ones_and_the_app_is_turned_off(visit: Callable[..., Page]) -> None:
    give_app(person(Role.VIEWER))
    old = give_codes(person(Role.VIEWER))
    page = visit("/account/security", role=Role.VIEWER)
    page.get_by_role("button", name="Make new codes").click()
    page.evaluate("""() => new MutationObserver(() => {
        const button = document.querySelector("#factors-renew-dialog-confirm:disabled");
        if (button) window.busy = button.textContent;
    }).observe(document.body, { subtree: true, childList: true, attributes: true })""")
    page.locator("#factors-renew-dialog-confirm").click()
    page.wait_for_selector(".codes-list")
    assert page.evaluate("window.busy") == " Making them…"
    expect(page.get_by_text("Make new backup codes?")).to_have_count(0)
    assert not set(old) & set(page.locator(".codes-list code").all_inner_texts())
    page.locator("#factors-codes-close").click()
    page.get_by_role("button", name="Turn off").click()
    page.locator("#factors-app-off-dialog-confirm").click()
    expect(page.locator("#toast-region")).to_contain_text("The app is off.")
    with snapshot() as session:
        assert not session.scalars(select(User.totp_enabled)).one()


class TestAskedAgain:
    def test_it_goes_on_with_what_was_typed(self, visit: Callable[..., Page]) -> None:
        page = visit("/account/keys", role=Role.VIEWER)
        let_time_pass()
        page.get_by_role("button", name="New key").click()
        page.get_by_label("Name", exact=True).fill("notebook")
        page.get_by_role("button", name="Make the key").click()
        asked = page.get_by_role("dialog", name="Is it still you?")
        expect(asked).to_be_visible()
        expect(page.locator("#identity-answer")).to_be_focused()
        page.locator("#identity-answer").fill("a wrong guess at it")
        page.keyboard.press("Enter")
        expect(page.locator("#identity-error")).to_have_text("That is not your password.")
        page.locator("#identity-answer").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("#key-dialog .one-time-link").first).to_contain_text("pfd_")
        expect(asked).to_have_count(0)

    def test_escape_changes_nothing_and_loses_nothing(self, visit: Callable[..., Page]) -> None:
        page = visit("/account/keys", role=Role.VIEWER)
        let_time_pass()
        page.get_by_role("button", name="New key").click()
        page.get_by_label("Name", exact=True).fill("notebook")
        page.get_by_role("button", name="Make the key").click()
        page.locator("#identity-answer").press("Escape")
        expect(page.get_by_role("dialog", name="Is it still you?")).to_have_count(0)
        expect(page.get_by_label("Name", exact=True)).to_have_value("notebook")
        expect(page.locator("#key-dialog .one-time")).to_have_count(0)
        page.get_by_role("button", name="Make the key").click()
        expect(page.locator("#identity-answer")).to_be_visible()

    def test_a_code_does_as_well(self, visit: Callable[..., Page]) -> None:
        seed = give_app(person(Role.VIEWER))
        visit("/", role=Role.VIEWER)  # another session, to be ended
        page = visit("/account/sessions", role=Role.VIEWER)
        let_time_pass()
        page.get_by_role("button", name="End all others").click()
        page.locator("#sessions-dialog-confirm").click()
        page.get_by_role("button", name="Use a code instead").click()
        page.locator("#identity-answer").fill(code_of(seed))
        page.keyboard.press("Enter")
        expect(page.locator("#toast-region")).to_contain_text("One session was ended.")

    def test_axe_finds_nothing_serious(self, visit: Callable[..., Page]) -> None:
        give_app(person(Role.VIEWER))
        page = visit("/account/keys", role=Role.VIEWER, width=390, scheme="dark")
        let_time_pass()
        page.get_by_role("button", name="New key").click()
        page.get_by_label("Name", exact=True).fill("notebook")
        page.get_by_role("button", name="Make the key").click()
        page.wait_for_selector("#identity-answer")
        assert serious_faults_in_each_look(page) == {}


class TestPasskeys:
    @pytest.fixture
    def security(self, visit: Callable[..., Page], live_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
        """The security page under a name, in a browser with an authenticator."""
        named = live_server.replace("127.0.0.1", "localhost")
        monkeypatch.setattr(settings(), "public_url", named)
        page = visit("/account/security", role=Role.VIEWER, new=True, server=named)
        page.wait_for_selector(".factor")
        session: Any = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        yield page
        session.detach()

    def add(self, page: Page, name: str) -> None:
        page.get_by_role("button", name="Add a passkey").first.click()
        page.get_by_label("Name", exact=True).first.fill(name)
        page.locator("[data-passkey-add]").click()

    def test_one_is_added_signs_in_is_renamed_and_removed(self, security: Page) -> None:
        page = security
        self.add(page, "laptop")
        expect(page.locator(".factor-table tbody tr")).to_have_count(1)
        sign_in(page, "/account/security")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/account/security")
        page.get_by_role("button", name="Rename laptop").click()
        page.locator("#passkey-new-name").fill("old laptop")
        page.locator("#passkey-new-name").press("Enter")
        expect(page.locator(".factor-table")).to_contain_text("old laptop")
        page.get_by_role("button", name="Remove old laptop").click()
        page.locator("#passkey-removing-confirm").click()
        expect(page.locator(".factor-table")).to_have_count(0)

    def test_the_same_authenticator_is_not_added_twice_and_is_told_at_the_field(self, security: Page) -> None:
        page = security
        self.add(page, "laptop")
        expect(page.locator(".factor-table tbody tr")).to_have_count(1)
        self.add(page, "again")
        expect(page.locator("#passkey-name-error")).to_have_text("This passkey is registered already.")

    def test_it_answers_when_one_is_asked_again(self, security: Page) -> None:
        page = security
        self.add(page, "laptop")
        expect(page.locator(".factor-table tbody tr")).to_have_count(1)
        let_time_pass()
        page.get_by_role("button", name="Make codes").click()
        page.locator("#factors-renew-dialog-confirm").click()
        page.get_by_role("dialog", name="Is it still you?").get_by_role("button", name="Use a passkey").click()
        expect(page.locator(".codes-list li")).to_have_count(10)


def test_axe_finds_nothing_serious_on_the_way(visit: Callable[..., Page]) -> None:
    page = visit("/account/security", role=Role.VIEWER, width=390, scheme="dark")
    page.locator("#app-open").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Your password").press("Enter")
    page.wait_for_selector(".qr-code")
    assert serious_faults_in_each_look(page) == {}
    seed = page.locator("#app-body .one-time-link").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(seed).at(int(time.time())))
    page.get_by_label("Code", exact=True).press("Enter")
    page.wait_for_selector(".codes-list")
    assert serious_faults_in_each_look(page) == {}
    sign_in(page, "/compare")
    assert serious_faults_in_each_look(page) == {}


def test_who_needs_one_is_led_to_its_set_up_and_goes_on_afterwards(visit: Callable[..., Page]) -> None:
    page = visit("/admin/roles", role=Role.SUPER_ADMIN)
    page.get_by_label("Super admin", exact=True).check()
    page.locator("#roles-second-factor-save").click()
    expect(page.locator("#toast-region")).to_contain_text("Saved.")
    page.get_by_role("link", name="Experiments").first.click()
    expect(page.locator(".empty-title")).to_have_text("Set up a second factor first")
    page.get_by_role("link", name="Set it up").click()
    expect(page.locator(".notice-text")).to_contain_text("Your role needs a second factor.")
    give_app(person(Role.SUPER_ADMIN))
    page.get_by_role("link", name="Experiments").first.click()
    page.wait_for_selector(".page-title")
    expect(page.locator(".page-title")).to_have_text("Experiments")
