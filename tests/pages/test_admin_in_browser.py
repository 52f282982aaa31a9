"""Users and roles in Chromium: somebody is invited, changed and shut out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from database.engine import transaction
from models import Experiment, SavedSearch, User
from models.permissions import ROLE_PERMISSIONS, Permission, Role
from tests.support import people
from tests.support.axe import serious_faults, serious_faults_in_each_look
from tests.support.following import SETTLED, follow

pytestmark = pytest.mark.browser
PAGES = ("/admin/users", "/admin/roles")


def test_axe_finds_nothing_serious(visit: Callable[..., Page]) -> None:
    page = visit("/", width=390, scheme="dark")
    for path in PAGES:
        follow(page, path)
        page.wait_for_function(SETTLED)
        assert serious_faults_in_each_look(page) == {}, path


def test_axe_finds_nothing_serious_in_the_dialogs(visit: Callable[..., Page]) -> None:
    people.person(Role.VIEWER)
    page = visit("/admin/users")
    for opener in ("Invite", "Change viewer-person"):
        page.get_by_role("button", name=opener).click()
        page.locator(".dialog.show .form-select").wait_for()
        assert serious_faults(page) == [], opener
        page.keyboard.press("Escape")
        expect(page.locator(".dialog.show")).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "opener", "field"), [("/admin/users", "Invite", "invite-name"), ("/account/keys", "New key", "key-name")]
)
def test_a_dialog_opens_with_the_cursor_in_its_first_field(
    visit: Callable[..., Page], path: str, opener: str, field: str
) -> None:
    page = visit(path)
    page.get_by_role("button", name=opener).click()
    expect(page.locator(f"#{field}")).to_be_focused()


def test_on_a_phone_a_permission_is_one_row_with_a_mark_for_each_role(visit: Callable[..., Page]) -> None:
    row = visit("/admin/roles", width=390).locator(".role-matrix tbody tr").nth(1)
    tops = row.locator("td").evaluate_all("cells => cells.map((cell) => cell.getBoundingClientRect().top)")
    assert (len(tops), len(set(tops))) == (1 + len(Role), 1)


def test_somebody_is_invited_and_comes_in(visit: Callable[..., Page], stranger: Page) -> None:
    page = visit("/admin/users")
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("User name").fill("a b")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator("#invite-name-error")).to_contain_text("Use letters")
    page.get_by_label("User name").fill("ada")
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator(".one-time")).to_contain_text("No mail server is set up, so send ada this link yourself.")
    link = page.locator(".one-time-link").inner_text()
    expect(page.locator(".plain-table")).to_contain_text("ada@example.org")
    expect(page.locator(".plain-table")).to_contain_text("Invited")
    guest, address = stranger, page.url.split("/admin")[0]
    guest.goto(address + "/invitation/" + link.rsplit("/", 1)[1])
    guest.get_by_label("Password", exact=True).fill("a passphrase of my own")
    guest.get_by_label("Password again").fill("a passphrase of my own")
    guest.get_by_role("button", name="Open account").click()
    expect(guest.locator(".account-name")).to_have_text("ada")


def test_somebody_who_is_signed_in_is_shut_out_at_their_next_click(visit: Callable[..., Page]) -> None:
    other = visit("/account/profile", role=Role.VIEWER)  # a page that asks nothing by itself
    page = visit("/admin/users")
    page.get_by_title("Change viewer-person").click()
    page.get_by_role("button", name="Disable").click()
    expect(page.locator("#toast-region")).to_contain_text("viewer-person is disabled.")
    expect(page.locator(".plain-table")).to_contain_text("Disabled")
    other.get_by_role("link", name="Compare").first.click()
    other.wait_for_url("**/login?next=*")


def test_a_role_is_changed(visit: Callable[..., Page]) -> None:
    people.person(Role.VIEWER)
    page = visit("/admin/users")
    page.get_by_title("Change viewer-person").click()
    page.locator("#person-role").select_option("operator")
    page.get_by_role("button", name="Change role").click()
    expect(page.locator("#toast-region")).to_contain_text("viewer-person is now operator.")


def test_a_new_password_is_required(visit: Callable[..., Page]) -> None:
    people.person(Role.VIEWER)
    page = visit("/admin/users")
    page.get_by_title("Change viewer-person").click()
    page.get_by_role("button", name="Require a new password").click()
    expect(page.locator("#toast-region")).to_contain_text("A new password has to be chosen at the next sign-in.")
    expect(page.locator(".plain-table")).to_contain_text("new password required")
    expect(page.get_by_role("button", name="Require a new password")).to_be_hidden()


def test_a_second_factor_is_reset(visit: Callable[..., Page]) -> None:
    number = people.person(Role.VIEWER).user_id
    with transaction() as session:
        session.execute(update(User).where(User.id == number).values(totp_enabled=True, totp_secret="x"))
    page = visit("/admin/users")
    page.get_by_title("Change viewer-person").click()
    page.get_by_role("button", name="Reset second factor").click()
    expect(page.locator("#toast-region")).to_contain_text("The second factor was removed")
    expect(page.get_by_role("button", name="Reset second factor")).to_be_hidden()


def test_an_account_is_deleted_after_a_look_at_what_becomes_of_it(visit: Callable[..., Page]) -> None:
    number = people.person(Role.VIEWER).user_id
    with transaction() as session:
        session.add_all([Experiment(name="kept", created_by=number), SavedSearch(user_id=number, name="s", query="q")])
    page = visit("/admin/users")
    page.get_by_title("Change viewer-person").click()
    page.get_by_role("button", name="Delete account").click()
    preview = page.locator(".deletion-preview")
    expect(preview.locator("li")).to_have_text(["1 saved search", "1 experiment"])
    page.locator("#deletion-dialog-cancel").click()
    expect(preview).to_be_hidden()
    page.get_by_title("Change viewer-person").click()
    page.get_by_role("button", name="Delete account").click()
    expect(preview).to_be_visible()
    assert serious_faults(page) == []
    page.locator("#deletion-dialog-confirm").click()
    expect(page.locator("#toast-region")).to_contain_text("The account viewer-person was deleted.")
    expect(page.locator(".plain-table")).not_to_contain_text("viewer-person")
    page.goto(page.url.split("/admin")[0] + "/experiments/1")
    expect(page.locator(".page-header")).to_contain_text("Deleted user")


def test_the_matrix_is_what_the_app_enforces(visit: Callable[..., Page]) -> None:
    page = visit("/admin/roles")
    rows = page.locator(".plain-table tbody tr")
    expect(rows).to_have_count(len(Permission))
    for place, permission in enumerate(Permission):
        marks = rows.nth(place).locator("[role=img]")
        shown = [marks.nth(column).get_attribute("aria-label") for column in range(len(Role))]
        assert shown == ["yes" if permission in ROLE_PERMISSIONS[role] else "no" for role in Role]
