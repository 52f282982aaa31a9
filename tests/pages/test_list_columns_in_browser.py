"""What the list shows of each run, and what it can be asked to do, in a real browser."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from database.engine import transaction
from models import User
from services.actor import SYSTEM
from services.curves import writing
from services.curves.packing import Points
from services.experiments import editing, lifecycle
from tests.support.axe import serious_faults
from tests.support.list_page import choose, make, names
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


class TestColumns:
    def test_a_phone_shows_status_and_a_metric_beside_the_name(self, visit: Visit) -> None:
        make("a name that takes more than one line on a phone", 0.5)
        page = visit("/experiments", width=390)
        page.wait_for_selector(".ag-row a")
        for column in ("name", "status", "metric:max:val_accuracy"):
            cell = page.locator(f".ag-cell[col-id='{column}']").first
            expect(cell).to_be_in_viewport(ratio=0.99)

    def test_a_phone_shows_the_ends_of_names_and_the_menu_of_a_row(self, visit: Visit) -> None:
        for seed in (1, 2):
            make(f"MLP on spectra and features, cosine schedule, seed {seed}")
        page = visit("/experiments", width=390)
        ends = page.locator(".ag-row .grid-link > span:last-child")
        expect(ends).to_have_text(["seed 2", "seed 1"])
        wait_until(lambda: ends.evaluate_all("ends => ends.every(end => end.scrollWidth <= end.clientWidth)"))
        expect(page.locator(".grid-actions button").first).to_be_in_viewport()

    def test_rows_are_as_high_as_on_a_phone_where_a_compact_window_becomes_as_narrow(self, visit: Visit) -> None:
        make("one")
        page = visit("/experiments")
        with transaction() as session:
            session.execute(update(User).values(density="compact"))
        page.reload()
        row = page.locator(".ag-center-cols-container .ag-row")
        expect(row).to_have_css("height", "32px")
        page.set_viewport_size({"width": 390, "height": 844})
        expect(row).to_have_css("height", "40px")
        page.set_viewport_size({"width": 1440, "height": 900})
        expect(row).to_have_css("height", "32px")

    def test_the_name_takes_the_room_that_is_left(self, visit: Visit) -> None:
        make("one")
        page = visit("/experiments", width=2560)
        names(page)
        expect(page.locator(".ag-pinned-left-cols-container .ag-cell[col-id='name']")).to_have_css(
            "width", re.compile(r"^([6-9]\d\d|1\d\d\d)(\.\d+)?px$")
        )

    def test_names_the_parent_under_the_name(self, visit: Visit) -> None:
        make("trial-0", parent_id=make("search of the fold"))
        page = visit("/experiments")
        expect(page.locator(".ag-row", has_text="trial-0").first).to_contain_text("in search of the fold")

    def test_as_many_tags_as_fit_are_whole(self, visit: Visit) -> None:
        number = make("one")
        with transaction() as session:
            for word in ("first", "second", "third", "third-and-a-half", "fifth"):
                editing.add_tag(session, SYSTEM, [number], word)
        page = visit("/experiments")
        expect(page.locator(".ag-row .chip-more")).to_have_text(re.compile(r"^\+\d$"))
        cut = "chips => chips.filter(chip => chip.scrollWidth > chip.clientWidth).length"
        wait_until(lambda: page.locator(".ag-row .chips-line > .chip").evaluate_all(cut) == 0)

    def test_a_number_is_filtered_from_below(self, visit: Visit) -> None:
        make("low", 0.2)
        make("high", 0.8)
        page = visit("/experiments")
        names(page)
        header = page.get_by_role("columnheader", name="max val_accuracy")
        header.hover()
        header.locator(".ag-header-cell-filter-button, .ag-header-cell-menu-button").first.click()
        page.locator(".ag-filter input[type=number]:visible").first.fill("0.5")
        expect(page.locator("#experiments-count")).to_have_text("1 experiment")
        page.wait_for_url(re.compile("greaterThanOrEqual"))

    def test_the_deleted_show_when_they_went(self, visit: Visit) -> None:
        number = make("gone")
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [number])
        page = visit("/experiments")
        page.select_option("#experiments-status", "deleted")
        expect(page.locator(".ag-cell[col-id='deleted'] time")).to_be_visible()

    def test_shows_a_chosen_column(self, visit: Visit) -> None:
        make("one", 0.42)
        page = visit("/experiments", width=2560)  # the grid draws only the columns that are seen
        names(page)
        page.click("#experiments-choose")
        page.select_option("#experiments-kind", "param")
        page.locator("#experiments-names").get_by_label("lr").check()
        page.keyboard.press("Escape")
        expect(page.get_by_role("columnheader", name="lr", exact=True)).to_be_attached()
        page.wait_for_url(re.compile("columns=.*param%3Alr"))

    def test_adds_several_columns_at_once_and_takes_others_away(self, visit: Visit) -> None:
        make("one", params={"lr": 0.1, "opt": "sgd"})
        page = visit("/experiments?columns=param:lr", width=2560)
        names(page)
        page.click("#experiments-choose")
        page.select_option("#experiments-kind", "param")
        page.locator("#experiments-names").get_by_label("opt").check()
        page.locator("#experiments-names").get_by_label("lr").uncheck()
        page.locator("#experiments-fields").get_by_label("Model").uncheck()
        page.locator("#experiments-fields").get_by_label("Started").check()
        page.keyboard.press("Escape")
        page.wait_for_url(re.compile("columns=param%3Aopt&fields=.*started"))
        page.reload()
        names(page)
        for name, shown in {"opt": 1, "lr": 0, "Model": 0, "Started": 1}.items():
            expect(page.get_by_role("columnheader", name=name, exact=True)).to_have_count(shown)

    def test_what_is_ticked_next_does_not_move_as_a_column_is_added(self, visit: Visit) -> None:
        make("one", params={"lr": 0.1, "opt": "sgd"})
        page = visit("/experiments?columns=", width=1440)
        names(page)
        page.click("#experiments-choose")
        page.select_option("#experiments-kind", "param")
        offered = page.locator("#experiments-names")
        before = offered.get_by_label("opt").bounding_box()
        offered.get_by_label("lr").check()
        expect(page.locator("#experiments-chosen").get_by_label("lr (hyper-parameter)")).to_be_visible()
        assert offered.get_by_label("opt").bounding_box() == before

    def test_shows_the_metrics_there_are(self, visit: Visit) -> None:
        with transaction() as session:
            experiment = lifecycle.create(session, SYSTEM, name="one")
            writing.append(session, experiment.id, {"test_f1": Points.of([1], [0.5])})
        page = visit("/experiments")
        names(page)
        expect(page.get_by_role("columnheader", name="max test_f1")).to_be_visible()
        expect(page.get_by_role("columnheader", name="val_loss")).to_have_count(0)


class TestHands:
    def test_offers_the_tags_that_can_be_taken_off(self, visit: Visit) -> None:
        first = make("one")
        make("two")
        with transaction() as session:
            editing.add_tag(session, SYSTEM, [first], "cold")
        page = visit("/experiments")
        names(page)
        choose(page, "one", "two")
        page.click("#experiments-bulk-tag")
        page.get_by_role("button", name="Remove cold on 1 of 2").click()
        expect(page.get_by_text("“cold” removed from 1.")).to_be_visible()
        expect(page.locator(".ag-row .chip")).to_have_count(0)

    def test_enter_opens_the_run_or_the_menu_that_has_the_focus(self, visit: Visit) -> None:
        number = make("one")
        page = visit("/experiments")
        names(page)
        page.locator(".ag-cell[col-id='status']").first.click()
        page.keyboard.press("End")
        expect(page.locator(".ag-cell[col-id='actions']")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("menu")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        expect(page.locator(".ag-cell[col-id='name']")).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/experiments/{number}")

    def test_back_finds_the_list_scrolled_as_it_was(self, visit: Visit) -> None:
        for number in range(160):
            make(f"run {number:03}")
        page = visit("/experiments")
        names(page)
        page.evaluate("window.dash_ag_grid.getApi('experiments-grid').ensureIndexVisible(60, 'top')")
        row = page.locator(".ag-pinned-left-cols-container .ag-row[row-index='62'] a")
        expect(row).to_have_text("run 097")
        wait_until(lambda: page.evaluate("(history.state || {}).listRow") == 60)
        row.click()
        page.wait_for_url("**/experiments/98")
        page.go_back()
        expect(row).to_be_in_viewport()

    def test_nothing_found_offers_to_clear_what_was_asked(self, visit: Visit) -> None:
        make("one")
        filters = quote('{"name":{"filterType":"text","type":"contains","filter":"none"}}')
        page = visit(f"/experiments?q=zzz&filter={filters}")
        page.get_by_role("button", name="Clear search and filters").click()
        expect(page.locator("#experiments-count")).to_have_text("1 experiment")
        assert names(page) == ["one"]
        expect(page.locator("#experiments-nothing .empty")).to_have_count(0)

    def test_an_empty_list_names_the_commands(self, visit: Visit) -> None:
        page = visit("/experiments")
        expect(page.locator("#experiments-nothing")).to_contain_text("pfd import mlflow")

    def test_stops_only_where_one_runs(self, visit: Visit) -> None:
        make("over", status="completed")
        make("busy", status="running")
        page = visit("/experiments")
        names(page)
        choose(page, "over")
        expect(page.locator("#experiments-bulk-delete")).to_be_visible()
        expect(page.locator("#experiments-bulk-cancel")).to_be_hidden()
        choose(page, "busy")
        page.get_by_role("button", name="Stop runs").first.click()
        expect(page.locator("#experiments-cancel-dialog-cancel")).to_have_text("Let them run")
        page.click("#experiments-cancel-dialog-cancel")
        page.get_by_role("button", name="Clear the selection").click()
        expect(page.locator("#experiments-bulk")).to_be_hidden()

    def test_tags_are_changed_on_the_page_of_one_as_well(self, visit: Visit) -> None:
        number = make("one")
        page = visit(f"/experiments/{number}")
        page.get_by_role("button", name="Edit tags").click()
        expect(page.locator("#experiment-tag-name")).to_be_focused()
        page.keyboard.type("cold")
        page.keyboard.press("Enter")
        expect(page.locator("#experiment-tags")).to_have_text("cold")

    @pytest.mark.parametrize("opener", ["#experiments-choose", "#experiments-bulk-tag"])
    def test_axe_finds_nothing_serious_in_a_dialog(self, visit: Visit, opener: str) -> None:
        make("one")
        page = visit("/experiments")
        names(page)
        choose(page, "one")
        page.click(opener)
        expect(page.locator(".modal.show .modal-title")).to_be_visible()
        assert serious_faults(page) == []

    def test_an_undo_is_offered_long_enough_to_find_it(self, visit: Visit) -> None:
        make("doomed")
        page = visit("/experiments", new=True, marked=True)
        page.clock.install()
        names(page)
        choose(page, "doomed")
        page.click("#experiments-bulk-delete")
        page.click("#experiments-delete-dialog-confirm")
        undo = page.get_by_role("button", name="Undo")
        expect(undo).to_be_visible()
        page.clock.fast_forward(12_000)
        expect(undo).to_be_visible()
        page.clock.fast_forward(10_000)
        expect(undo).to_be_hidden()
