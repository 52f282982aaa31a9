"""Experiments side by side: the address, differences, hostile ids, and the page in a real Chromium."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from database.engine import transaction
from models.permissions import Role
from pages._compare_ids import ids_from
from services.actor import SYSTEM
from services.experiments import editing, lifecycle
from tests.support.axe import serious_faults_in_each_look
from tests.support.experiments import completed, record, running, with_series
from tests.support.people import dispatch
from web.dispatch import is_passive

Visit = Callable[..., Page]


def show(app: Any, client: Any, search: str) -> Any:
    router = next(key for key in app.callback_map if key.startswith(".._pages_content.children"))
    where = {"_pages_location.pathname": "/compare", "_pages_location.search": search}
    return dispatch(client, app, router, **where)


def many(number: int) -> list[int]:
    return [
        with_series(
            f"run {n}", {"val_loss": [1.0, 1 / (n + 1)]}, hyperparameters={"seed": n, "lr": 0.1, "a": n, "b": n}
        )
        for n in range(number)
    ]


def tick(app: Any, client: Any, ids: list[int], **values: Any) -> Any:
    """The page's clock ticks; `values` are by the rest of the id with its property."""
    output = next(key for key in app.callback_map if key.startswith("..compare-seen.data...compare-alive"))
    given = {"compare-tick.n_intervals": 1, "compare-ids.data": ids, "compare-seen.data": "", "compare-drawn.data": {}}
    given |= {f"compare-{name}": value for name, value in values.items()}
    return dispatch(client, app, output, **given)


CLASSES = {f"{score}/{name}": 0.5 for score in ("f1", "recall") for name in ("Healthy", "Wear", "Imbalance")}


class TestIds:
    def test_order_stays_and_each_comes_once(self) -> None:
        assert ids_from("3, 1,2,3") == [3, 1, 2]

    @pytest.mark.parametrize(
        "value", ["", "x", "0", "-1", "1.5", "٣", "99999999999", None, {}, 7, [None, True, 1.5, "x", [1]], "1 OR 1=1"]
    )
    def test_what_is_no_id_is_left_out(self, value: Any) -> None:
        assert ids_from(value) == []


class TestStates:
    @pytest.mark.parametrize("search", ["", "?ids=", "?ids=abc", "?ids=999999", "?ids=%00&x=%00&diff=x&y=z"])
    def test_nothing_chosen_says_what_to_do(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, search: str
    ) -> None:
        answer = show(dash_app, client_of(Role.VIEWER), search)
        assert answer.status_code == 200 and "Nothing to compare yet" in answer.text

    def test_one_asks_for_another_and_names_what_is_gone(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        one, two = many(2)
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [two])
        answer = show(dash_app, client_of(Role.VIEWER), f"?ids={one},{two}")
        assert "Add one more experiment" in answer.text and f"Experiment {two} is left out" in answer.text

    def test_more_than_fifty_are_cut_and_it_is_said(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        ids = many(52)
        answer = show(dash_app, client_of(Role.VIEWER), f"?ids={','.join(map(str, ids))}")
        assert "The first 50 of 52 experiments are compared" in answer.text

    def test_page_costs_the_same_queries_for_5_and_for_50(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, count_queries: Callable[..., int]
    ) -> None:
        ids, client = many(50), client_of(Role.VIEWER)

        def ask(number: int) -> int:
            search = f"?ids={','.join(map(str, ids[:number]))}"
            return count_queries(sqlite, lambda: show(dash_app, client, search))

        ask(2)
        assert ask(50) == ask(5) <= 10

    def test_page_of_fifty_is_made_of_few_components(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        ids = many(50)
        answer = show(dash_app, client_of(Role.VIEWER), f"?ids={','.join(map(str, ids))}")
        # Each costs the browser a quarter of a millisecond before anything is painted.
        assert answer.text.count('"namespace"') < 300


class TestCallbacks:
    def test_experiment_is_added_and_removed_and_the_view_stays(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        one, two, three = many(3)
        spec = dash_app.callback_map["compare-go.href"]
        add = ({"id": three, "type": "compare-add", "times": 1}, None, "pressed-compare-add.data")
        remove = (None, one, "compare-removed.data")
        for (added, removed, changed), expected in ((add, [one, two, three]), (remove, [two])):
            body = {
                "output": "compare-go.href",
                "outputs": {"id": "compare-go", "property": "href"},
                "inputs": [
                    {**given, "value": value} for given, value in zip(spec["inputs"], (added, removed), strict=True)
                ],
                "state": [
                    {**spec["state"][0], "value": [one, two]},
                    {**spec["state"][1], "value": "?x=epoch&ids=9&evil=1&smoothing=0.6"},
                ],
                "changedPropIds": [changed],
            }
            answer = client_of(Role.VIEWER).post("/_dash-update-component", json=body).get_json()
            href = answer["response"]["compare-go"]["href"]
            assert href == f"/compare?ids={','.join(map(str, expected))}&x=epoch&smoothing=0.6"

    @pytest.mark.parametrize("ids", [None, "x", [["a"]], {"a": 1}, [10**30]])
    def test_stores_of_a_stranger_draw_nothing(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, ids: Any
    ) -> None:
        many(2)
        output = next(key for key in dash_app.callback_map if key.startswith("..compare-drawn.data...compare-address"))
        values = {"compare-visible.data": ["role:val_loss"], "compare-shown.data": ["role:val_loss"]}
        answer = dispatch(client_of(Role.VIEWER), dash_app, output, **values, **{"compare-ids.data": ids})
        assert answer.status_code == 200 and "compare-chart" not in answer.text


class TestGroups:
    def test_scores_of_classes_wait_in_closed_groups_without_a_chart(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        ids = [with_series(name, {"val_loss": [1.0], **{key: [0.5] for key in CLASSES}}) for name in "ab"]
        answer = show(dash_app, client_of(Role.VIEWER), f"?ids={ids[0]},{ids[1]}").text
        assert answer.count('"type":"compare-chart"') == 1
        assert "F1 per class" in answer and "Recall per class" in answer

    def test_filter_brings_out_what_it_finds(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        ids = [with_series(name, {"val_loss": [1.0], **{key: [0.5] for key in CLASSES}}) for name in "ab"]
        output = next(key for key in dash_app.callback_map if key.startswith("..compare-grid.children"))
        values = {"compare-filter.value": "wear", "compare-ids.data": ids, "compare-page.data": 0}
        answer = dispatch(client_of(Role.VIEWER), dash_app, output, **values).get_json()["response"]
        assert answer["compare-shown"]["data"] == ["metric:f1/Wear", "metric:recall/Wear"]
        assert answer["compare-groups"]["children"] == []


class TestTable:
    def test_only_what_reads_differently_is_left(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        one = with_series("a", {"val_loss": [0.5]}, hyperparameters={"lr": 0.1, "seed": 1, "n": 3})
        two = with_series("b", {"val_loss": [0.5 + 1e-9]}, config={"trainer": {"learning_rate": "1e-1", "seed": 2}})
        output = next(
            key for key in dash_app.callback_map if key.startswith("..compare-table-data.data...compare-diff")
        )
        values = {"compare-differences.value": True, "compare-chosen.data": [one, two]}
        answer = dispatch(client_of(Role.VIEWER), dash_app, output, **values).get_json()["response"]
        assert [line["name"] for line in answer["compare-table-data"]["data"]["lines"]] == ["n", "seed"]


class TestTicks:
    def test_nothing_new_costs_three_queries_and_a_few_bytes(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, count_queries: Callable[..., int]
    ) -> None:
        client, ids = client_of(Role.VIEWER), [running(f"run {n}", epochs=3) for n in range(20)]
        seen = tick(dash_app, client, ids).get_json()["response"]["compare-seen"]["data"]
        quiet = {"seen.data": seen, "table-seen.data": seen}
        assert len(tick(dash_app, client, ids, **quiet).data) < 100
        # The session with its user, the experiments, the sum of their points.
        assert count_queries(sqlite, lambda: tick(dash_app, client, ids, **quiet)) <= 4

    def test_only_new_points_of_the_one_that_runs_are_sent(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        client, ids = client_of(Role.VIEWER), [completed("done", epochs=4), running("run", epochs=3)]
        keys = ["role:val_loss"]
        drawing = next(key for key in dash_app.callback_map if key.startswith("..compare-drawn.data...compare-address"))
        values = {"compare-visible.data": keys, "compare-shown.data": keys, "compare-ids.data": ids}
        drawn = dispatch(client, dash_app, drawing, **values).get_json()["response"]["compare-drawn"]["data"]
        record(ids[1], 4)
        first = tick(dash_app, client, ids).get_json()["response"]["compare-shown"]["data"]
        answer = tick(
            dash_app, client, ids, **{"drawn.data": drawn, "visible.data": keys, "shown.data": first}
        ).get_json()
        (panel,) = answer["response"]["compare-news"]["data"]["panels"].values()
        assert [(line["line"], line["x"]) for line in panel["lines"]] == [(1, [4.0])]
        assert "compare-table-data" not in answer["response"] and "sideUpdate" not in answer

    @pytest.mark.parametrize(("number", "sent"), [(4, False), (5, True)])
    def test_table_follows_every_fifth_tick(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, number: int, sent: bool
    ) -> None:
        ids = [running(name, epochs=1) for name in "ab"]
        answer = tick(dash_app, client_of(Role.VIEWER), ids, **{"tick.n_intervals": number}).get_json()
        assert ("compare-table-data" in answer["response"]) is sent

    def test_end_of_the_last_one_ends_the_asking_and_renews_the_table(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        ids = [completed(name, epochs=1) for name in "ab"]
        response = tick(dash_app, client_of(Role.VIEWER), ids).get_json()["response"]
        assert response["compare-alive"]["data"] is False and "compare-table-data" in response

    def test_nothing_is_asked_where_all_have_ended(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        ids = [completed(name, epochs=1) for name in "ab"]
        answer = show(dash_app, client_of(Role.VIEWER), f"?ids={ids[0]},{ids[1]}").text
        (clock,) = re.findall(r'\{"props":(\{[^{}]*"compare-tick"[^{}]*\})', answer)
        assert json.loads(clock)["disabled"] is True

    @pytest.mark.parametrize(
        "name", ["compare-tick.n_intervals", "compare-shown.data", "compare-again.data", "experiment-again.data"]
    )
    def test_what_a_tick_brings_about_keeps_no_session_alive(self, name: str) -> None:
        assert is_passive({"changedPropIds": [name]})

    @pytest.mark.parametrize("ids", [None, "x", [["a"]], {"a": 1}, [10**9]])
    def test_stores_of_a_stranger_are_harmless(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, ids: Any
    ) -> None:
        odd = {"opened.data": {"a": 1}, "shown.data": 7, "drawn.data": "x", "page.data": "1", "tick.n_intervals": "x"}
        assert tick(dash_app, client_of(Role.VIEWER), ids, **odd).status_code == 200


@pytest.mark.browser
class TestInBrowser:
    def test_running_experiment_grows_in_all_panels_while_one_looks(self, visit: Visit) -> None:
        ids = [completed("done", epochs=4), running("run", epochs=3)]
        page = visit(f"/compare?ids={ids[0]},{ids[1]}")
        points = page.locator('[data-panel-key="role:val_loss"] [data-chart-points]')
        expect(points).to_have_text("7 points")
        record(ids[1], 4)
        expect(points).to_have_text("8 points")
        with transaction() as session:
            lifecycle.complete(session, ids[1])
        expect(page.locator("#compare-table .status-running")).to_have_count(0)

    def test_nothing_jumps_while_the_page_comes_up(self, visit: Visit) -> None:
        ids = many(8)
        page = visit("/experiments", new=True, marked=True)
        page.add_init_script(
            """window.jumped = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
                window.jumped += entry.value; })).observe({ type: "layout-shift", buffered: true });"""
        )
        page.goto(page.url.partition("/experiments")[0] + f"/compare?ids={','.join(map(str, ids))}")
        expect(page.locator('[data-panel-key="role:val_loss"] .scatterlayer .js-line')).to_have_count(8)
        expect(page.locator(".compare-table")).to_be_visible()
        assert page.evaluate("window.jumped") < 0.1

    def test_group_is_opened_and_drawn(self, visit: Visit) -> None:
        values = {"val_loss": [1.0, 0.5], **{key: [0.5, 0.6] for key in CLASSES}}
        ids = [with_series(name, values) for name in "ab"]
        page = visit(f"/compare?ids={ids[0]},{ids[1]}")
        expect(page.locator("[data-panel-key]")).to_have_count(1)
        page.locator(".panel-group summary", has_text="F1 per class").click()
        expect(page.locator(".panel-group [data-panel-key]")).to_have_count(3)
        lines = page.locator('[data-panel-key="metric:f1/Wear"] .js-line')
        page.locator('[data-panel-key="metric:f1/Wear"]').scroll_into_view_if_needed()
        expect(lines).to_have_count(2)
        page.get_by_label("Log y").check()
        page.wait_for_function("""() => document.querySelector("[data-panel-key='metric:f1/Wear'] .js-plotly-plot")
            ._fullLayout.yaxis.type === "log" """)

    @pytest.mark.parametrize("number", [2, 8])
    def test_hostile_names_and_values_are_text(self, visit: Visit, number: int) -> None:
        word = "<img src=x onerror=alert(1)>"
        ids = [
            with_series(f"{word} {n}", {word: [float(n)]}, hyperparameters={word: f"{word}{n}"}) for n in range(number)
        ]
        page = visit(f"/compare?ids={','.join(map(str, ids))}")
        table = page.locator(".compare-table")
        expect(table).to_contain_text(f"{word}1")
        expect(table.locator("img")).to_have_count(0)

    def test_name_in_the_table_leads_to_the_experiment_within_the_app(self, visit: Visit) -> None:
        ids = many(2)
        page = visit(f"/compare?ids={ids[0]},{ids[1]}")
        page.evaluate("window.stayed = true")
        page.locator(".compare-table").get_by_role("link", name="run 1").click()
        page.wait_for_url(f"**/experiments/{ids[1]}")
        expect(page.locator(".page-title")).to_have_text("run 1")
        assert page.evaluate("window.stayed")

    def test_names_of_rows_can_be_read_on_a_phone(self, visit: Visit) -> None:
        ids = [completed(name, epochs=2, hyperparameters={"a_parameter_of_a_long_name": name}) for name in "ab"]
        page = visit(f"/compare?ids={ids[0]},{ids[1]}", width=390)
        head = page.get_by_role("rowheader", name="a_parameter_of_a_long_name")
        box = head.bounding_box()
        assert box is not None and box["width"] >= 150
        assert head.evaluate("cell => cell.scrollWidth <= cell.clientWidth")
        page.locator(".compare-frame").evaluate("frame => { frame.scrollLeft = 500; }")
        moved = head.bounding_box()
        assert moved is not None and moved["x"] == pytest.approx(box["x"], abs=1)

    def test_address_holds_the_view_and_brings_it_back(self, visit: Visit) -> None:
        ids = ",".join(map(str, many(3)))
        page = visit(f"/compare?ids={ids}")
        expect(page.locator('[data-panel-key="role:val_loss"] .scatterlayer .js-line')).to_have_count(3)
        expect(page.get_by_label("Only differences")).to_be_checked()
        expect(page.get_by_role("rowheader", name="lr")).to_have_count(0)
        page.get_by_label("Log y").check()
        page.locator("#compare-axis").select_option("relative")
        page.get_by_label("Only differences").uncheck()
        expect(page.get_by_role("rowheader", name="lr")).to_be_visible()
        page.wait_for_url(lambda url: "diff=0" in url and "show=log_y" in url and "x=relative" in url)
        assert f"ids={ids}" in page.url
        page.reload()
        expect(page.get_by_label("Log y")).to_be_checked()
        expect(page.locator("#compare-axis")).to_have_value("relative")
        expect(page.get_by_label("Only differences")).not_to_be_checked()

    def test_experiment_is_found_added_and_taken_out(self, visit: Visit) -> None:
        one, two, three = many(3)
        page = visit(f"/compare?ids={one},{two}")
        page.get_by_label("Add an experiment").fill("run")
        page.locator(".add-results button").click()
        expect(page.locator(".legend-entry")).to_have_count(3)
        page.wait_for_url(f"**ids={one},{two},{three}*")
        page.get_by_role("button", name="Remove run 0 from the comparison").click()
        expect(page.locator(".legend-entry")).to_have_count(2)
        page.wait_for_url(f"**ids={two},{three}*")

    def test_long_names_of_one_series_are_told_apart_on_a_phone(self, visit: Visit) -> None:
        ids = [with_series(f"MLP on spectra and features, cosine, seed {n}", {"m": [1.0, 2.0]}) for n in (1, 2)]
        page = visit(f"/compare?ids={ids[0]},{ids[1]}", width=390)
        ends = page.locator(".legend-entry .legend-tail")
        expect(ends).to_have_text(["seed 1", "seed 2"])
        assert ends.evaluate_all("ends => ends.every(end => end.scrollWidth <= end.offsetWidth + 1)")

    def test_first_thing_to_do_with_one_is_to_type_and_the_keys_choose(self, visit: Visit) -> None:
        one, _, three = many(3)
        page = visit(f"/compare?ids={one}")
        expect(page.get_by_label("Add an experiment")).to_be_focused()
        page.keyboard.type("run")
        expect(page.locator("[data-found-for=run]")).to_be_attached()  # not what was found for its first letters
        expect(page.locator(".add-results button")).to_have_count(2)
        wanted = page.locator(".add-results button", has_text="run 2")
        for _step in range(2):
            page.keyboard.press("ArrowDown")
            if wanted.evaluate("button => button === document.activeElement"):
                break
        page.keyboard.press("ArrowDown")  # stays in the list at its end
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        expect(page.get_by_label("Add an experiment")).to_be_focused()
        page.get_by_label("Add an experiment").fill("run 2")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**ids={one},{three}")
        expect(page.locator(".legend-entry")).to_have_count(2)

    @pytest.mark.parametrize("width", [1440, 390])
    def test_legend_stays_in_sight_and_leaves_the_charts_room(self, visit: Visit, width: int) -> None:
        page = visit(f"/compare?ids={','.join(map(str, many(12)))}", width=width)
        expect(page.locator('[data-panel-key="role:val_loss"] .scatterlayer .js-line')).to_have_count(12)
        expect(page.locator(".compare-table")).to_be_visible()  # the page is long enough to be scrolled
        page.evaluate("scrollBy(0, document.querySelector('#compare-grid').getBoundingClientRect().top + 60)")
        entry = page.locator(".legend-entry").first
        expect(entry).to_be_in_viewport(ratio=1)
        box = page.locator(".legend-bar").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 180
        on_top = entry.evaluate("""entry => { const box = entry.getBoundingClientRect();
            return entry.contains(document.elementFromPoint(box.left + 30, box.top + box.height / 2)); }""")
        assert on_top and page.evaluate("document.documentElement.scrollWidth") == width

    def test_status_that_all_share_is_no_difference(self, visit: Visit) -> None:
        ids = [completed(name, epochs=2, hyperparameters={"lr": rate}) for name, rate in (("a", 0.1), ("b", 0.2))]
        page = visit(f"/compare?ids={ids[0]},{ids[1]}&diff=1")
        expect(page.get_by_role("rowheader", name="lr")).to_be_visible()
        expect(page.get_by_role("rowheader", name="Status")).to_have_count(0)
        page.get_by_label("Only differences").uncheck()
        expect(page.get_by_role("rowheader", name="Status")).to_be_visible()
        expect(page.get_by_role("rowheader", name="Best epoch")).to_be_visible()

    def test_legend_fades_all_curves_but_one(self, visit: Visit) -> None:
        ids = many(4)
        page = visit(f"/compare?ids={','.join(map(str, ids))}")
        expect(page.locator('[data-panel-key="role:val_loss"] .scatterlayer .js-line')).to_have_count(4)
        page.locator(".legend-entry").nth(1).hover()
        expect(page.locator(".trace.is-faded")).to_have_count(3)
        page.mouse.move(5, 5)
        expect(page.locator(".trace.is-faded")).to_have_count(0)

    @pytest.mark.parametrize("number", [3, 50])
    def test_axe_finds_nothing_serious(self, visit: Visit, number: int) -> None:
        ids = [completed(f"run {n}", epochs=2) for n in range(2)] + many(number - 2)
        page = visit(f"/compare?ids={','.join(map(str, ids))}", width=390, scheme="dark")
        expect(page.locator('[data-panel-key="role:val_loss"] .scatterlayer .js-line')).to_have_count(number)
        assert serious_faults_in_each_look(page) == {}
