"""The advice beneath a new password in Chromium."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.axe import serious_faults
from tests.support.people import PASSWORD

pytestmark = pytest.mark.browser


def test_advice_follows_what_is_typed_and_goes_with_it(visit: Callable[..., Page]) -> None:
    page = visit("/account/security")
    meter = page.locator(".password-meter")
    field = page.get_by_label("New password", exact=True)
    field.fill("password1234567")
    expect(meter).to_contain_text("Guessed easily.")
    field.fill("my dog is called rex")
    expect(meter).to_have_text("Very good.")
    assert serious_faults(page) == []
    field.fill("")
    expect(meter).to_be_hidden()


def test_advice_goes_once_the_form_was_sent(visit: Callable[..., Page]) -> None:
    page = visit("/account/security")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("my dog is called rex")
    expect(page.locator(".password-meter")).to_be_visible()
    page.get_by_label("New password again").fill("my dog is called rex")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#toast-region")).to_contain_text("Your password was changed.")
    expect(page.locator(".password-meter")).to_be_hidden()


def test_the_other_fields_have_no_advice(visit: Callable[..., Page]) -> None:
    page = visit("/account/security")
    page.get_by_label("Current password").fill("password1234567")
    page.get_by_label("New password again").fill("password1234567")
    page.wait_for_timeout(800)
    assert page.locator(".password-meter").count() == 0
