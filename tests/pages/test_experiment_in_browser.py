"""The page of one experiment in a real Chromium: drawn, smoothed, zoomed, growing, nothing run that was noted."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect
from playwright.sync_api import TimeoutError as TookTooLong
from sqlalchemy import update

from database.engine import transaction
from models import User
from models.permissions import Role
from services.actor import SYSTEM
from services.experiments import editing, epochs, lifecycle
from services.experiments.epochs import Epoch
from tests.support.axe import looks, serious_faults_in_each_look
from tests.support.experiments import completed, record, running, with_series
from tests.support.following import FOLLOW, follow, settle
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
LINES = '[data-panel-key="loss"] .scatterlayer .js-line'


def slide(page: Page, id: str, value: float) -> None:
    """Move a range input as a hand would."""
    page.locator(f"#{id}").evaluate(
        """(element, value) => {
            Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(element, String(value));
            element.dispatchEvent(new Event("input", { bubbles: true }));
            element.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        value,
    )


def waiting() -> int:
    """An experiment that has not started."""
    with transaction() as session:
        return lifecycle.create(session, SYSTEM, name="run", total_epochs=7).id


def words(page: Page) -> list[str]:
    """What the page says, panel by panel, once all that is on screen is drawn."""
    page.evaluate("scrollTo(0, 0)")
    settle(page)
    parts = page.locator(".stat-row, .key-values, .annotation-text, .range-value, #experiment-epoch-rows")
    return parts.all_inner_texts()


def ranges(page: Page, key: str) -> Any:
    return page.evaluate(
        "key => document.querySelector(`[data-panel-key='${key}'] .js-plotly-plot`)._fullLayout.xaxis.range", key
    )


def zoom(page: Page, key: str) -> None:
    box = page.locator(f'[data-panel-key="{key}"] .nsewdrag').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 120, steps=6)
    page.mouse.up()


def zoom_out(page: Page, key: str) -> None:
    """Until two clicks come close enough together to be a double one, which a busy browser may not see."""
    for _ in range(10):
        page.locator(f'[data-panel-key="{key}"] .nsewdrag').dblclick(position={"x": 120, "y": 60})
        try:
            page.wait_for_url(lambda url: "low=" not in url, timeout=3000)
            return
        except TookTooLong:
            continue
    pytest.fail("a double click does not zoom out")


class TestCurves:
    def test_are_drawn_and_smoothing_puts_a_line_before_the_raw_one(self, visit: Visit) -> None:
        page = visit(f"/experiments/{completed()}")
        expect(page.locator(LINES)).to_have_count(2)
        expect(page.locator('[data-panel-key="loss"] [data-chart-points]')).to_have_text("24 points")
        slide(page, "experiment-smoothing", 0.7)
        expect(page.locator(LINES)).to_have_count(4)
        expect(page.locator("#experiment-smoothing-value")).to_have_text("0.70")
        page.wait_for_url("**?smoothing=0.7")

    def test_what_is_chosen_while_another_page_comes_stays_out_of_its_address(self, visit: Visit) -> None:
        page = visit(f"/experiments/{completed()}")
        expect(page.locator(LINES)).to_have_count(2)
        held: list[Route] = []

        def hold(route: Route) -> None:
            brings = "_pages_content.children" in (route.request.post_data or "")
            held.append(route) if brings else route.continue_()

        page.route(re.compile("_dash-update-component"), hold)
        page.evaluate(FOLLOW, "/compare")
        slide(page, "experiment-smoothing", 0.7)
        expect(page.locator("#experiment-smoothing-value")).to_have_text("0.70")
        expect(page.locator(LINES)).to_have_count(4)
        wait_until(lambda: bool(held))
        held[0].continue_()
        expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
        assert page.url.endswith("/compare")
        expect(page.locator("#announcer")).to_have_text("Compare")

    def test_zoom_of_one_panel_asks_for_that_part_of_all_and_double_click_brings_all_back(self, visit: Visit) -> None:
        rng = np.random.default_rng(1)
        number = with_series("long", {"val_loss": rng.normal(size=50_000), "val_acc": rng.normal(size=50_000)})
        page = visit(f"/experiments/{number}")
        points = page.locator('[data-panel-key="accuracy"] [data-chart-points]')
        expect(points).to_contain_text("of 50,000 points")
        before = ranges(page, "accuracy")
        zoom(page, "loss")
        page.wait_for_url("**low=*")
        page.wait_for_function("""() => document.querySelector("[data-panel-key=accuracy] .js-plotly-plot")
            ._fullLayout.xaxis.range[0] > 5000""")
        low, high = ranges(page, "accuracy")
        assert ranges(page, "loss") == pytest.approx([low, high])
        zoom_out(page, "loss")
        page.wait_for_function("""() => document.querySelector("[data-panel-key=accuracy] .js-plotly-plot")
            ._fullLayout.xaxis.range[0] < 10""")
        assert ranges(page, "accuracy") == pytest.approx(before)

    def test_wall_time_is_the_viewers_and_a_zoom_sends_the_moment_that_its_ticks_say(self, visit: Visit) -> None:
        number = completed(epochs=6)
        page = visit(f"/experiments/{number}?x=wall", zone="Asia/Tokyo")
        expect(page.locator(LINES)).to_have_count(2)
        title = page.locator('[data-panel-key="loss"] .xtitle')
        expect(title).to_have_text("Time (GMT+9)")
        first = page.locator('[data-panel-key="loss"] .xtick text').first
        expect(first).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\S* ?\d{1,2} [A-Z][a-z]{2} 20\d\d$"))
        zoom(page, "loss")
        page.wait_for_url("**low=*")
        low = float(page.url.split("low=")[1].split("&")[0])
        page.wait_for_function("""() => document.querySelector("[data-panel-key=accuracy] .js-plotly-plot")
            .layout.meta.zoomed""")
        shown = str(ranges(page, "accuracy")[0])
        moment = datetime.fromisoformat(shown).replace(tzinfo=ZoneInfo("Asia/Tokyo"))
        assert moment.timestamp() * 1000 == pytest.approx(low, abs=2)

    def test_wall_time_is_of_the_zone_that_the_profile_names_also_where_the_browser_is_elsewhere(
        self, visit: Visit
    ) -> None:
        number = running(epochs=3)
        page = visit(f"/experiments/{number}?x=wall", zone="America/New_York")
        with transaction() as session:
            session.execute(update(User).values(time_zone="Asia/Kolkata"))
        page.reload()
        expect(page.locator(LINES)).to_have_count(2)
        expect(page.locator('[data-panel-key="loss"] .xtitle')).to_have_text("Time (GMT+5:30)")
        drawn = """() => document.querySelector('[data-panel-key="loss"] .js-plotly-plot')._fullData[0].x"""
        record(number, 4)
        page.wait_for_function(f"() => ({drawn})().length === 4")  # what is added is of the same zone
        clock = datetime.now(ZoneInfo("Asia/Kolkata")).replace(tzinfo=None)
        for shown in page.evaluate(drawn):
            assert abs(datetime.fromisoformat(shown) - clock) < timedelta(minutes=10)

    def test_best_epoch_is_marked_once_and_by_name(self, visit: Visit) -> None:
        page = visit(f"/experiments/{completed(epochs=12)}?smoothing=0.8")
        expect(page.locator(LINES)).to_have_count(4)
        said = page.locator('[data-panel-key="loss"] .annotation-text', has_text="best")
        expect(said).to_have_text(re.compile(r"^best epoch \d+: 0\.\d+ \(raw value\)$"))
        dot, raw = page.evaluate("""() => {
            const data = document.querySelector("[data-panel-key='loss'] .js-plotly-plot")._fullData;
            const of = (role) => data.find((trace) => trace.meta.role === role && trace.meta.colour === 1);
            const raw = of("raw"), [x] = of("best").x;
            return [of("best").y[0], raw.y[raw.x ? Array.from(raw.x).indexOf(x) : (x - raw.x0) / raw.dx]];
        }""")
        assert dot == pytest.approx(raw)

    def test_cursor_of_another_panel_names_each_of_many_values(self, visit: Visit) -> None:
        classes = {f"f1/class {n}": [0.1, 0.2, 0.5 + n / 100] for n in range(11)}
        page = visit(f"/experiments/{with_series('classes', {'val_loss': [3.0, 2.0, 1.0], **classes})}")
        expect(page.locator('[data-panel-key="classes:f1"] .scatterlayer .js-line')).to_have_count(11)
        expect(page.locator('[data-panel-key="loss"] [data-chart-points]')).to_have_text("3 points")
        settle(page)
        box = page.locator('[data-panel-key="loss"] .nsewdrag').bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 60)
        page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 62)
        values = page.locator(".chart-reading .cursor-value")
        expect(values).to_have_count(11)
        assert values.all_inner_texts()[0].split() == ["class", "10", "0.6000"]
        page.mouse.move(5, 5)
        expect(values).to_have_count(0)

    def test_clipping_says_how_many_points_it_leaves_out(self, visit: Visit) -> None:
        values = [1 / (n + 1) for n in range(47)]
        values[9] = values[20] = values[30] = 900.0
        page = visit(f"/experiments/{with_series('spikes', {'val_loss': values})}")
        points = page.locator('[data-panel-key="loss"] [data-chart-points]')
        expect(points).to_have_text("47 points")
        page.get_by_label("Clip outliers").check()
        expect(points).to_have_text(re.compile(r"^47 points, \d outside$"))

    def test_panels_beside_a_high_one_are_as_high(self, visit: Visit) -> None:
        classes = {f"f1/class {n}": [0.1, 0.2] for n in range(11)}
        page = visit(f"/experiments/{with_series('classes', {'lr': [1.0, 2.0], **classes})}")
        expect(page.locator('[data-panel-key="learning_rate"] .scatterlayer .js-line')).to_have_count(1)
        charts = page.locator("#experiment-grid .js-plotly-plot")
        height = "charts => charts.map((chart) => Math.round(chart.getBoundingClientRect().height))"
        wait_until(lambda: charts.evaluate_all(height) == [400, 400])

    def test_of_many_only_some_stand_in_the_page_and_the_filter_finds_the_rest(self, visit: Visit) -> None:
        number = with_series("many", {f"layer{n}/norm": [1.0, 2.0, 3.0] for n in range(120)})
        page = visit(f"/experiments/{number}")
        expect(page.locator("#experiment-range")).to_have_text("Panels 1–24 of 120")
        expect(page.locator("#experiment-grid [data-panel-key]")).to_have_count(24)
        page.locator("#experiment-next").click()
        expect(page.locator("#experiment-range")).to_have_text("Panels 25–48 of 120")
        page.locator("#experiment-filter").fill("layer119")
        expect(page.locator("#experiment-grid [data-panel-key]")).to_have_count(1)
        expect(page.locator('[data-panel-key="metric:layer119/norm"] .js-line')).to_have_count(1)


class TestLive:
    def test_new_epochs_are_added_while_one_looks_and_the_end_stops_the_asking(self, visit: Visit) -> None:
        number = running(epochs=5)
        page = visit(f"/experiments/{number}")
        expect(page.locator(LINES)).to_have_count(2)
        settle(page)  # the other panels are drawn: what is asked from here on is news
        asked: list[str] = []
        page.on("response", lambda answer: asked.append(answer.text()) if "_dash-update" in answer.url else None)
        points = page.locator('[data-panel-key="loss"] [data-chart-points]')
        with page.expect_response(lambda answer: "_dash-update" in answer.url and '"had":5' in answer.text()):
            record(number, 6)
        expect(points).to_have_text("12 points")
        assert not any('"bdata"' in text and "experiment-chart" in text for text in asked)
        expect(page.locator("#experiment-epoch-rows tr")).to_have_count(6)
        expect(page.locator("#experiment-matrix-epoch")).to_have_value("6")
        slide(page, "experiment-smoothing", 0.5)
        expect(page.locator(LINES)).to_have_count(4)
        record(number, 7)
        expect(points).to_have_text("14 points")
        with transaction() as session:
            lifecycle.complete(session, number)
        expect(page.locator(".page-title-row .status")).to_have_text("Completed")

        def nothing_is_asked() -> bool:
            asked.clear()
            page.wait_for_timeout(2600)  # longer than the pause between two questions
            return asked == []

        wait_until(nothing_is_asked, 30)  # what the end itself has changed may still be on its way

    def test_at_its_end_the_page_is_as_one_that_is_opened_then(self, visit: Visit) -> None:
        number = waiting()
        page = visit(f"/experiments/{number}")
        started, ended = page.locator("#experiment-started"), page.locator("#experiment-ended")
        expect(started).to_have_text("–")
        with transaction() as session:
            lifecycle.start(session, number)
        for epoch in range(1, 4):
            record(number, epoch)
        expect(page.locator(LINES)).to_have_count(2)
        expect(started.locator("time")).to_be_visible()
        page.locator("#experiment-notes").scroll_into_view_if_needed()  # the curves are out of sight when it ends
        for epoch in range(4, 8):
            record(number, epoch)
        with transaction() as session:
            lifecycle.complete(session, number)
        expect(ended.locator("time")).to_be_visible()
        best = page.locator('[data-panel-key="loss"] .annotation-text', has_text="best epoch")
        expect(best).to_have_text(re.compile(r"^best epoch 7: "))
        watched = words(page)
        page.reload()
        expect(best).to_have_count(1)
        assert words(page) == watched

    def test_what_stayed_empty_goes_when_the_run_has_ended(self, visit: Visit) -> None:
        number = running()
        page = visit(f"/experiments/{number}")
        expect(page.get_by_text("No curves yet")).to_be_visible()
        with transaction() as session:
            lifecycle.fail(session, number, "out of memory")
        expect(page.get_by_text("No metric was logged.")).to_be_visible()
        for title in ("Curves", "Confusion between classes", "Epochs"):
            expect(page.get_by_role("heading", name=title, exact=True)).to_be_hidden()

    def test_first_metric_makes_the_first_panel(self, visit: Visit) -> None:
        number = running()
        page = visit(f"/experiments/{number}")
        expect(page.get_by_text("No curves yet")).to_be_visible()
        record(number, 1)
        expect(page.locator('[data-panel-key="loss"] .main-svg').first).to_be_visible()
        expect(page.locator("#experiment-confusion")).to_be_visible()
        expect(page.locator("#experiment-epochs")).to_be_visible()


class TestResults:
    def test_matrix_of_the_best_epoch_is_shown_first(self, visit: Visit) -> None:
        number = running(epochs=3)
        with transaction() as session:
            worse = epochs.Epoch(4, val_accuracy=0.1)
            epochs.record_epoch(session, number, worse, confusion=(["a", "b"], [[1, 1], [1, 1]]))
            lifecycle.complete(session, number)
        page = visit(f"/experiments/{number}")
        expect(page.locator(".stat", has_text="Best epoch")).to_have_text("Best epoch3highest validation accuracy")
        expect(page.locator("#experiment-matrix-epoch")).to_have_value("3")
        expect(page.locator("#experiment-matrix-text")).to_have_text("3")

    def test_slider_shows_the_matrix_of_another_epoch(self, visit: Visit) -> None:
        page = visit(f"/experiments/{completed(epochs=12)}")
        page.locator("#experiment-confusion").scroll_into_view_if_needed()
        first_cell = "document.querySelector('#experiment-matrix .js-plotly-plot')?.data?.[0].text[0][0]"
        page.wait_for_function(f"() => {first_cell}?.startsWith('29')")
        slide(page, "experiment-matrix-epoch", 1)
        page.wait_for_function(f"() => {first_cell}?.startsWith('10')")
        expect(page.locator("#experiment-matrix-text")).to_have_text("1")


class TestEpochs:
    def test_a_column_in_which_nothing_was_recorded_is_left_out_until_something_is(self, visit: Visit) -> None:
        number = running()
        with transaction() as session:
            epochs.record_epoch(session, number, Epoch(1, train_loss=0.5))
        page = visit(f"/experiments/{number}")
        heads = page.locator(".epochs-table th:visible")
        expect(heads).to_have_text(["Epoch", "Train loss"])
        with transaction() as session:
            epochs.record_epoch(session, number, Epoch(2, train_loss=0.4, val_accuracy=0.9))
        expect(heads).to_have_text(["Epoch", "Train loss", "Val accuracy"])
        expect(page.locator("#experiment-epoch-rows tr").first.locator("td:visible")).to_have_text(["1", "0.5000", "–"])


class TestNotes:
    def test_nothing_noted_loads_or_runs(self, visit: Visit) -> None:
        number = completed(epochs=0)
        with transaction() as session:
            editing.set_notes(
                session, SYSTEM, number,
                "**bold** ![x](http://evil.example/p.png) [a](javascript:alert(1)) <img src=http://evil.example/q.png>"
                "\n\n[r]: javascript:alert(2)\n\n[b][r] <javascript:alert(3)> [ok](https://example.org)",
            )  # fmt: skip
        page = visit(f"/experiments/{number}")
        notes = page.locator("#experiment-notes")
        expect(notes.locator("strong")).to_have_text("bold")
        assert notes.locator("img").count() == 0
        addresses = notes.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        assert set(addresses) <= {"", "http://evil.example/p.png", "https://example.org", "http://evil.example/q.png>"}
        assert "https://example.org" in addresses

    def test_brackets_that_are_no_link_are_read_as_they_were_written(self, visit: Visit) -> None:
        texts = ("see [text] here", "[text](javascript:alert(1))", "x[0](y)", "[a][b] and [c]: d", "[ ] [x] [1]")
        number = completed(epochs=0)
        with transaction() as session:
            editing.set_notes(session, SYSTEM, number, "\n\n".join(texts))
        notes = visit(f"/experiments/{number}").locator("#experiment-notes")
        for text in texts:
            expect(notes).to_contain_text(text)
        expect(notes.locator("a")).to_have_count(0)

    def test_preview_loads_and_runs_nothing_either(self, visit: Visit) -> None:
        page = visit(f"/experiments/{completed(epochs=0)}", Role.OPERATOR)
        page.locator("#experiment-notes-edit").click()
        page.get_by_label("Notes in Markdown").fill(
            "**new** ![x](http://evil.example/p.png) <img src=x> [a](javascript:b)"
        )
        preview = page.locator("#experiment-notes-preview")
        expect(preview.locator("strong")).to_have_text("new")
        assert preview.locator("img").count() == preview.locator("a[href^=javascript]").count() == 0

    def test_a_page_that_is_left_while_one_types_says_nothing_to_the_console(self, visit: Visit) -> None:
        page = visit(f"/experiments/{completed(epochs=0)}", Role.OPERATOR)
        page.locator("#experiment-notes-edit").click()
        page.get_by_label("Notes in Markdown").fill("and then")
        follow(page, "/compare")
        page.wait_for_timeout(400)  # the preview would have come after 300

    def test_code_has_one_ground_and_tables_have_lines(self, visit: Visit) -> None:
        number = completed(epochs=0)
        with transaction() as session:
            editing.set_notes(session, SYSTEM, number, "```python\nx = 'y'\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |")
        page = visit(f"/experiments/{number}")
        notes = page.locator("#experiment-notes")
        for _ in looks(page):
            expect(notes.locator("code.hljs")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
            expect(notes.locator("td").first).to_have_css("border-bottom-style", "solid")
            expect(notes.locator("td").first).to_have_css("padding-left", "12px")

    def test_of_brackets_alone_are_shown_at_once(self, visit: Visit) -> None:
        texts = ["[" * 50_000, "![" * 25_000, "words\n    " + "[" * 49_000, "`" + "[" * 1999]
        numbers = [completed(epochs=0) for _ in texts]
        with transaction() as session:
            for number, text in zip(numbers, texts, strict=True):
                editing.set_notes(session, SYSTEM, number, text)
        page = visit("/account/profile")
        for number, text in zip(numbers, texts, strict=True):
            follow(page, f"/experiments/{number}")
            expect(page.locator("#experiment-notes")).to_contain_text(text[-100:])

    def test_nested_without_end_widen_no_page(self, visit: Visit) -> None:
        number = completed(epochs=0)
        with transaction() as session:
            editing.set_notes(session, SYSTEM, number, "- " * 300 + "deep")
        page = visit(f"/experiments/{number}", width=390)
        expect(page.locator("#experiment-notes")).to_contain_text("deep")
        assert page.evaluate("document.documentElement.scrollWidth") == 390

    def test_are_written_by_who_may_and_read_by_all(self, visit: Visit) -> None:
        number = completed(epochs=0)
        page = visit(f"/experiments/{number}", Role.OPERATOR)
        page.locator("#experiment-notes-edit").click()
        expect(page.get_by_label("Notes in Markdown")).to_be_focused()
        page.keyboard.type("A *good* run")
        expect(page.locator("#experiment-notes-preview em")).to_have_text("good")
        page.keyboard.type(", the last word typed at once")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#experiment-notes")).to_have_text("A good run, the last word typed at once")
        expect(page.locator("#experiment-notes em")).to_have_text("good")
        reader = visit(f"/experiments/{number}", Role.VIEWER)
        expect(reader.locator("#experiment-notes em")).to_have_text("good")
        expect(reader.locator("#experiment-notes-edit")).to_be_hidden()
        expect(reader.locator("#experiment-delete")).to_be_hidden()

    def test_keep_the_cursor_when_the_page_comes_to_rest_only_later(self, visit: Visit) -> None:
        page = visit("/account/profile", Role.OPERATOR)
        page.evaluate("""() => {
            const restless = () => document.getElementById("announcer").replaceChildren(document.createComment(""));
            window.restlessly = setInterval(restless, 20);
        }""")
        page.evaluate(FOLLOW, f"/experiments/{completed(epochs=0)}")
        page.locator("#experiment-notes-edit").click()
        field = page.get_by_label("Notes in Markdown")
        expect(field).to_be_focused()
        page.evaluate("clearInterval(window.restlessly)")
        expect(page.locator("#announcer")).not_to_be_empty()
        page.keyboard.type("typed")
        expect(field).to_have_value("typed")

    def test_written_in_two_tabs_are_lost_in_neither(self, visit: Visit) -> None:
        number = completed(epochs=0)
        early, late = (visit(f"/experiments/{number}") for _ in range(2))
        for tab, text in ((early, "mine"), (late, "theirs")):
            tab.locator("#experiment-notes-edit").click()
            tab.get_by_label("Notes in Markdown").fill(text)
        late.get_by_role("button", name="Save").click()
        expect(late.locator("#experiment-notes")).to_have_text("theirs")
        early.get_by_role("button", name="Save").click()
        expect(early.get_by_text("were changed elsewhere since you opened them")).to_be_visible()
        expect(early.get_by_label("Notes in Markdown")).to_have_value("mine")
        early.locator("#experiment-notes-close").click()
        early.locator("#experiment-notes-edit").click()
        expect(early.get_by_label("Notes in Markdown")).to_have_value("theirs")


def test_an_experiment_that_is_not_there_leads_home(visit: Visit) -> None:
    page = visit("/experiments/9999")
    expect(page.locator(".empty").get_by_role("link", name="Home")).to_be_visible()


def test_table_of_epochs_has_no_head_before_the_first_one(visit: Visit) -> None:
    page = visit(f"/experiments/{waiting()}")
    expect(page.get_by_text("No epoch has ended so far.")).to_be_visible()
    expect(page.locator("#experiment-epochs")).to_be_hidden()


class TestDeletion:
    def test_says_what_goes_along_and_is_undone(self, visit: Visit) -> None:
        page = visit(f"/experiments/{completed(epochs=3)}")
        page.locator("#experiment-delete").click()
        expect(page.locator("#experiment-delete-dialog-body")).to_contain_text("Metric points")
        page.locator("#experiment-delete-dialog-confirm").click()
        expect(page.locator("#experiment-summary")).to_contain_text("It can be restored")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#experiment-summary")).not_to_contain_text("It can be restored")


def test_axe_finds_nothing_serious(visit: Visit) -> None:
    page = visit(f"/experiments/{completed(name='a name that goes on and on ' * 8)}", width=390, scheme="dark")
    expect(page.locator(LINES)).to_have_count(2)
    assert serious_faults_in_each_look(page) == {}


def test_a_run_is_stopped_or_left_running_by_buttons_that_say_which(visit: Visit) -> None:
    page = visit(f"/experiments/{running(epochs=3)}")
    for answer, status in (("Let it run", "Running"), ("Stop experiment", "Cancelled")):
        page.get_by_role("button", name="Stop…").click()
        page.get_by_role("button", name=answer).click()
        expect(page.locator(".page-title-row .status")).to_have_text(status)
