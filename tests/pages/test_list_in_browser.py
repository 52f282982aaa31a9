"""The list, Home and the forms in a real browser."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import update

from database.engine import transaction
from database.types import now
from models import Experiment, ExperimentStatus, SessionLog
from models.permissions import Role
from services import accounts
from services.actor import SYSTEM
from services.experiments import editing, epochs, lifecycle
from services.experiments.epochs import Epoch
from tests.support import people
from tests.support.axe import serious_faults_in_each_look
from tests.support.following import SETTLED, follow
from tests.support.list_page import choose, make, names
from tests.support.waiting import wait_until
from web.identity import cookie_name

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
FIRST = ".ag-pinned-left-cols-container .ag-row[row-index='0'] a"
LINES_REACH_THE_MENUS = """() => {
    const [row, menus] = [".ag-center-cols-container .ag-row", ".ag-pinned-right-cols-container"]
        .map((one) => document.querySelector(one).getBoundingClientRect());
    return row.right > menus.left - 1;
}"""
HOSTILE = "<img src=x onerror=window.pwned=1> & \"quotes\" 'single' ünïcode " + "long " * 30


class TestList:
    def test_shows_newest_first_and_sorts_by_a_metric(self, visit: Visit) -> None:
        for place, accuracy in enumerate([0.3, 0.9, 0.6]):
            make(f"run {place}", accuracy)
        page = visit("/experiments")
        assert names(page) == ["run 2", "run 1", "run 0"]
        expect(page.locator("#experiments-count")).to_have_text("3 experiments")
        page.get_by_role("columnheader", name="max val_accuracy").click()
        page.get_by_role("columnheader", name="max val_accuracy").click()
        expect(page.locator(".ag-pinned-left-cols-container .ag-row[row-index='0'] a")).to_have_text("run 1")

    @pytest.mark.parametrize(("width", "height"), [(1440, 900), (2560, 1300), (390, 844)])
    def test_the_list_fits_the_window_and_scrolls_alone(self, visit: Visit, width: int, height: int) -> None:
        for number in range(40):
            make(f"run {number}")
        page = visit("/experiments", width=width)
        page.set_viewport_size({"width": width, "height": height})
        page.locator(".ag-row").first.wait_for()
        page.wait_for_function("height => document.documentElement.scrollHeight === height", arg=height)
        page.wait_for_function(LINES_REACH_THE_MENUS)

    def test_search_narrows_it_and_stands_in_the_address(self, visit: Visit) -> None:
        make("alpha")
        make("beta")
        page = visit("/experiments")
        page.fill("#experiments-search", "alp")
        expect(page.locator("#experiments-count")).to_have_text("1 experiment")
        page.wait_for_url("**/experiments?q=alp")
        page.reload()
        expect(page.locator("#experiments-count")).to_have_text("1 experiment")
        assert names(page) == ["alpha"]

    def test_all_that_match_are_selected_and_deleted_also_those_not_on_screen(self, visit: Visit) -> None:
        with transaction() as session:
            for number in range(230):
                word = "kept" if number < 10 else "gone"
                session.add(Experiment(name=f"{word} {number}", model_type="mlp", status=ExperimentStatus.COMPLETED))
        page = visit("/experiments?q=gone")
        choose(page, "gone 229")
        page.get_by_role("button", name="Select all that match").click()
        expect(page.locator("#experiments-selected")).to_have_text("220 selected")
        expect(page.get_by_role("button", name="Select all that match")).to_be_hidden()
        page.click("#experiments-bulk-delete")
        expect(page.get_by_role("dialog", name="Delete 220 experiments?")).to_contain_text("212 more")
        page.click("#experiments-delete-dialog-confirm")
        expect(page.locator("#toast-region")).to_contain_text("220 deleted.")
        expect(page.locator("#experiments-count")).to_have_text("0 experiments")
        expect(page.locator(".modal")).to_have_count(0)
        page.fill("#experiments-search", "")
        expect(page.locator("#experiments-count")).to_have_text("10 experiments")

    def test_rows_come_back_after_a_search_that_found_none_also_in_a_busy_browser(self, visit: Visit) -> None:
        with transaction() as session:
            for number in range(120):  # more than one block: how many there are in all does not come along
                session.add(Experiment(name=f"run {number}", model_type="mlp", status=ExperimentStatus.COMPLETED))
        page = visit("/experiments?q=none")
        expect(page.get_by_text("No experiment matches")).to_be_visible()
        page.evaluate(
            "(own => { window.setTimeout = (act, wait, ...more) => own(act, wait || 100, ...more); })(setTimeout)"
        )
        page.fill("#experiments-search", "run")
        expect(page.locator(FIRST)).to_have_text("run 119")

    def test_an_answer_that_comes_late_does_not_take_the_place_of_a_newer_one(self, visit: Visit) -> None:
        make("alpha")
        make("beta")
        page = visit("/experiments")
        names(page)
        held: list[Route] = []

        def hold_alpha(route: Route) -> None:
            body = route.request.post_data or ""
            if "experiments-answer" in body and '"alpha"' in body:
                held.append(route)
            else:
                route.continue_()

        page.route(re.compile("_dash-update-component"), hold_alpha)
        page.fill("#experiments-search", "alpha")
        expect(page.locator("#experiments-count")).to_have_text("1 experiment")
        wait_until(lambda: bool(page.wait_for_timeout(50) or held))
        page.fill("#experiments-search", "beta")
        expect(page.locator(FIRST)).to_have_text("beta")
        with page.expect_response(lambda answer: "experiments-answer" in (answer.request.post_data or "")):
            held[0].continue_()
        page.wait_for_timeout(300)
        assert names(page) == ["beta"]

    def test_a_dialog_is_gone_the_moment_it_closes(self, visit: Visit) -> None:
        make("one")
        page = visit("/experiments")
        names(page)
        choose(page, "one")
        page.click("#experiments-bulk-delete")
        expect(page.locator("#experiments-delete-dialog")).to_be_visible()
        page.evaluate("""() => {
            const dialog = document.querySelector(".modal"), button = dialog.querySelector("button");
            const watched = { attributes: true, attributeFilter: ["class"], childList: true, subtree: true };
            window.left = new Promise((done) => new MutationObserver((_, watch) => {
                if (dialog.isConnected && dialog.classList.contains("show")) return;
                watch.disconnect();
                button.dispatchEvent(new TransitionEvent("transitionend", { bubbles: true }));
                done(document.querySelectorAll(".modal, .modal-backdrop").length);
            }).observe(document.body, watched));
        }""")
        page.locator("#experiments-delete-dialog-cancel").dispatch_event("click")
        assert page.evaluate("window.left") == 0
        expect(page.locator("#experiments-delete-dialog")).to_have_count(0)

    def test_another_selection_takes_the_place_of_all_that_match(self, visit: Visit) -> None:
        for number in range(3):
            make(f"run {number}")
        page = visit("/experiments")
        choose(page, "run 0")
        page.get_by_role("button", name="Select all that match").click()
        expect(page.locator("#experiments-selected")).to_have_text("3 selected")
        choose(page, "run 1")
        expect(page.locator("#experiments-selected")).to_have_text("2 selected")
        page.get_by_role("button", name="Clear the selection").click()
        expect(page.locator("#experiments-bulk")).to_be_hidden()

    def test_selection_stays_when_a_row_arrives(self, visit: Visit) -> None:
        make("first")
        make("second")
        page = visit("/experiments")
        names(page)
        choose(page, "first")
        expect(page.locator("#experiments-selected")).to_have_text("1 selected")
        make("third")
        expect(page.locator("#experiments-count")).to_have_text("3 experiments")
        expect(page.locator(".ag-row", has_text="third").first).to_be_visible()
        selected = page.locator(".ag-pinned-left-cols-container .ag-row-selected a")
        expect(selected).to_have_text(["first"])

    def test_deletes_with_a_preview_and_brings_back(self, visit: Visit) -> None:
        make("doomed")
        make("kept")
        page = visit("/experiments")
        names(page)
        choose(page, "doomed")
        page.click("#experiments-bulk-delete")
        expect(page.get_by_role("dialog", name="Delete this experiment?")).to_contain_text("doomed")
        page.click("#experiments-delete-dialog-confirm")
        expect(page.locator("#experiments-count")).to_have_text("1 experiment")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#experiments-count")).to_have_text("2 experiments")

    def test_tags_many_at_once(self, visit: Visit) -> None:
        make("one")
        make("two")
        page = visit("/experiments")
        names(page)
        choose(page, "one", "two")
        page.click("#experiments-bulk-tag")
        expect(page.locator("#experiments-tag-name")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#experiments-tag-name-error")).to_have_text("Type a tag first.")
        page.keyboard.type("Warm start")
        page.keyboard.press("Enter")
        expect(page.get_by_text("“warm-start” added to 2.")).to_be_visible()
        expect(page.locator(".ag-row", has_text="warm-start")).to_have_count(2)
        expect(page.locator("#experiments-selected")).to_have_text("2 selected")

    def test_filters_of_the_address_hold_by_the_clock_of_the_viewer(self, visit: Visit) -> None:
        number = make("one")
        make("two")
        make("a day later where the viewer is", created_at=datetime(2026, 3, 2, 20, tzinfo=UTC))
        with transaction() as session:
            editing.add_tag(session, SYSTEM, [number, number + 2], "cold")
        filters = quote(
            '{"tags":{"filterType":"text","type":"contains","filter":"cold"},'
            '"created":{"filterType":"date","type":"notEqual","dateFrom":"2026-03-03 00:00:00"}}'
        )
        page = visit(f"/experiments?filter={filters}", zone="Asia/Kolkata")
        expect(page.locator("#experiments-count")).to_have_text("1 experiment")
        assert names(page) == ["one"]

    def test_csv_is_in_the_order_of_the_list(self, visit: Visit) -> None:
        for place, accuracy in enumerate([0.3, 0.9, 0.6]):
            make(f"run {place}", accuracy)
        page = visit("/experiments?sort=-metric:max:val_accuracy")
        assert names(page) == ["run 1", "run 2", "run 0"]
        with page.expect_download() as download:
            page.click("#experiments-export")
        lines = download.value.path().read_text().splitlines()[1:]
        assert [line.split(",")[1] for line in lines] == ["run 1", "run 2", "run 0"]

    def test_back_from_an_experiment_finds_the_list_sorted_and_filtered_as_it_was(self, visit: Visit) -> None:
        for place, accuracy in enumerate([0.3, 0.9, 0.6]):
            make(f"run {place}", accuracy)
        make("another", 0.8)
        filters = quote('{"name":{"filterType":"text","type":"contains","filter":"run"}}')
        page = visit(f"/experiments?filter={filters}")
        expect(page.locator("#experiments-count")).to_have_text("3 experiments")
        header = page.get_by_role("columnheader", name="max val_accuracy")
        header.click()
        page.wait_for_url(re.compile("sort=metric"))
        header.click()
        page.wait_for_url(re.compile("sort=-metric"))
        expect(page.locator(FIRST)).to_have_text("run 1")
        page.locator(FIRST).click()
        page.wait_for_url("**/experiments/2")
        page.go_back()
        for place, name in enumerate(["run 1", "run 2", "run 0"]):
            expect(page.locator(FIRST.replace("'0'", f"'{place}'"))).to_have_text(name)
        expect(page.locator("#experiments-count")).to_have_text("3 experiments")

    def test_a_hostile_address_shows_the_plain_list(self, visit: Visit) -> None:
        make("one")
        page = visit("/experiments?sort=drop&filter=%7B%22name%22%3A%5B1%5D%7D&columns=%00&status=x")
        assert names(page) == ["one"]

    def test_says_that_a_running_one_was_cancelled_with_its_deletion(self, visit: Visit) -> None:
        make("busy", status="running")
        page = visit("/experiments")
        names(page)
        choose(page, "busy")
        page.click("#experiments-bulk-delete")
        page.click("#experiments-delete-dialog-confirm")
        expect(page.get_by_text("1 had not ended and stay cancelled")).to_be_visible()

    def test_takes_two_to_the_comparison(self, visit: Visit) -> None:
        first, second = make("one"), make("two")
        page = visit("/experiments")
        names(page)
        choose(page, "one", "two")
        page.click("#experiments-bulk-compare")
        page.wait_for_url(re.compile(rf"/compare\?ids=({first},{second}|{second},{first})"))

    def test_a_viewer_is_offered_nothing_that_changes(self, visit: Visit) -> None:
        make("one")
        page = visit("/experiments", role=Role.VIEWER)
        names(page)
        choose(page, "one")
        expect(page.locator("#experiments-bulk-compare")).to_be_visible()
        for word in ("tag", "cancel", "delete", "restore"):
            expect(page.locator(f"#experiments-bulk-{word}")).to_be_hidden()

    def test_hostile_names_stay_text(self, visit: Visit) -> None:
        make(HOSTILE[:240])
        for path in ("/experiments", "/"):
            page = visit(path)
            expect(page.locator("a", has_text="<img src=x").first).to_be_attached()
            assert page.evaluate("window.pwned") is None


class TestHome:
    def test_an_empty_installation_says_what_to_do(self, visit: Visit) -> None:
        page = visit("/")
        expect(page.locator(".empty")).to_contain_text("pfd import tensorboard")
        expect(page.locator("#home-failed")).to_have_text("None in the last seven days.")

    def test_a_running_curve_grows_without_a_reload(self, visit: Visit) -> None:
        number = make("growing", total_epochs=5, status="running")
        page = visit("/")
        row = page.locator(".plain-table tr", has_text="growing")
        expect(row).to_contain_text("0 / 5")
        with transaction() as session:
            epochs.record_epoch(session, number, Epoch(1, val_accuracy=0.4))
        expect(row).to_contain_text("1 / 5")

    def test_failures_are_told_with_their_reason(self, visit: Visit) -> None:
        number = make("unlucky", status="running")
        with transaction() as session:
            lifecycle.fail(session, number, "the loss became NaN")
        page = visit("/")
        expect(page.locator("main")).to_contain_text("the loss became NaN")


class TestPalette:
    def test_finds_an_experiment_by_keyboard_alone(self, visit: Visit) -> None:
        number = make("needle in the haystack", group_name="needle in")
        page = visit("/")
        page.keyboard.press("Control+k")
        page.keyboard.type("needle")
        expect(page.get_by_role("option", name=re.compile("needle"))).to_be_visible()
        expect(page.locator(".palette-side")).to_have_text(f"#{number}")  # its group says no more than its name
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/experiments/{number}")


class TestForms:
    def test_somebody_signs_in_and_out(self, stranger: Page, live_server: str) -> None:
        people.person(Role.OPERATOR, "olaf")
        page = stranger
        page.goto(f"{live_server}/experiments")
        page.wait_for_url(re.compile("/login.next="))
        page.fill("#username", "olaf")
        page.fill("#password", people.PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/experiments")
        page.wait_for_selector(".page-header")
        page.locator("details", has=page.locator("form[action='/logout']")).locator("summary").click()
        page.locator("form[action='/logout'] button").click()
        page.wait_for_url("**/login")
        page.go_back()
        page.wait_for_url(re.compile("/login.next="))

    def test_an_ended_session_leads_to_sign_in(self, stranger: Page, live_server: str) -> None:
        page, token = stranger, people.token_of(people.person(Role.VIEWER))
        page.context.add_cookies([{"name": cookie_name(), "value": token, "url": live_server}])
        page.goto(live_server)
        page.wait_for_selector(".page-header")
        with transaction() as session:
            session.execute(update(SessionLog).values(last_active=now() - timedelta(hours=2)))
        page.wait_for_url(re.compile("/login.next="))
        expect(page.locator("#password")).to_be_visible()


PAGES = ("/", "/experiments", "/no-such-page", "/compare")


def test_axe_finds_nothing_serious(visit: Visit) -> None:
    make("one", status="running", total_epochs=9)
    make("two", notes="x")
    page = visit("/account/profile", width=390, scheme="dark")
    for path in PAGES:
        follow(page, path)
        if path == "/experiments":
            page.wait_for_selector(".ag-row")
        page.wait_for_function(SETTLED)  # axe looks once
        assert serious_faults_in_each_look(page) == {}, path


def test_axe_finds_nothing_serious_on_the_forms(chromium: Any, live_server: str, sqlite: Any) -> None:
    with transaction() as session:
        token = accounts.new_setup_token(session)
    page = chromium.new_page()
    for path in ("/login", f"/setup/{token}", "/setup/none"):
        page.goto(live_server + path)
        assert serious_faults_in_each_look(page) == {}
    page.close()


def test_no_page_fetches_anything_from_outside(visit: Visit, live_server: str) -> None:
    make("one")
    page = visit("/account/profile")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    for path in PAGES:
        follow(page, path)
        page.wait_for_function(SETTLED)
    outside = [url for url in asked if not url.startswith((live_server, "data:", "blob:"))]
    assert outside == []
    assert len(asked) > 20


def test_nothing_of_the_session_lies_in_the_browsers_storage(visit: Visit) -> None:
    make("secret name")
    page = visit("/experiments")
    names(page)
    stored = page.evaluate("JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})")
    assert "secret name" not in stored
