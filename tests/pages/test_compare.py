"""Experiments side by side: the address, differences, hostile ids, and the page in a real Chromium."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from database.engine import transaction
from models.permissions import Role
from pages._compare_ids import ids_from
from services.actor import SYSTEM
from services.experiments import editing
from tests.support.experiments import completed, with_series
from tests.support.people import dispatch

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


class TestCallbacks:
    def test_experiment_is_added_and_removed_and_the_view_stays(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        one, two, three = many(3)
        spec = dash_app.callback_map["compare-go.href"]
        for kind, other, expected in (("add", three, [one, two, three]), ("remove", one, [two])):
            inputs = [[], []]
            identity = {"id": other, "type": f"compare-{kind}"}
            inputs[kind == "remove"] = [{"id": identity, "property": "n_clicks", "value": 1}]
            body = {
                "output": "compare-go.href",
                "outputs": {"id": "compare-go", "property": "href"},
                "inputs": inputs,
                "state": [
                    {**spec["state"][0], "value": [one, two]},
                    {**spec["state"][1], "value": "?x=epoch&ids=9&evil=1&smoothing=0.6"},
                ],
                "changedPropIds": [f'{{"id":{other},"type":"compare-{kind}"}}.n_clicks'],
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


@pytest.mark.browser
class TestInBrowser:
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
        assert f"ids={one},{two},{three}" in page.url
        page.get_by_role("button", name="Remove run 0 from the comparison").click()
        expect(page.locator(".legend-entry")).to_have_count(2)
        assert f"ids={two},{three}" in page.url

    def test_legend_fades_all_curves_but_one(self, visit: Visit) -> None:
        ids = many(4)
        page = visit(f"/compare?ids={','.join(map(str, ids))}")
        expect(page.locator('[data-panel-key="role:val_loss"] .scatterlayer .js-line')).to_have_count(4)
        page.locator(".legend-entry").nth(1).hover()
        expect(page.locator(".trace.is-faded")).to_have_count(3)
        page.mouse.move(5, 5)
        expect(page.locator(".trace.is-faded")).to_have_count(0)

    @pytest.mark.parametrize(("number", "width", "scheme"), [(3, 390, "dark"), (50, 1440, "light")])
    def test_axe_finds_nothing_serious(self, visit: Visit, number: int, width: int, scheme: str) -> None:
        ids = [completed(f"run {n}", epochs=2) for n in range(2)] + many(number - 2)
        page = visit(f"/compare?ids={','.join(map(str, ids))}", width=width, scheme=scheme)
        expect(page.locator('[data-panel-key="role:val_loss"] .scatterlayer .js-line')).to_have_count(number)
        found = Axe().run(page).response["violations"]
        assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
