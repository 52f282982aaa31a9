"""Two changes of which the second comes before the answer to the first, which Dash then throws away: none is lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from services.api_metrics import reading, rollup
from tests.support import clock
from tests.support.people import dispatch
from tests.support.requests_made import row, write

Ask = Callable[..., Any]
GRID = "experiments-grid"
METRICS = {
    "api-metrics-range.value": "24h",
    "api-metrics-compare.value": False,
    "api-metrics-sort.value": "requests",
    "api-metrics-find.value": "",
    "page-visible.data": True,
}


def output_of(app: Any, *parts: str) -> str:
    """The callback that sets all of these."""
    (found,) = [name for name in app.callback_map if all(f".{part}." in name for part in parts)]
    return str(found)


@pytest.fixture
def metrics(dash_app: Any, sqlite: Engine, client_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask the page of API metrics, and hear its answer; nothing where it has none."""
    from pages import _api_range, api_metrics  # which only an app can hold

    moment = clock.hold(monkeypatch, _api_range, api_metrics, reading, rollup) - timedelta(minutes=5)
    write([row(moment, endpoint="/api/v1/me"), *(row(moment, endpoint="/api/v1/experiments") for _ in range(2))])
    rollup.roll_up()
    admin = client_of("admin")

    def ask(changed: str, **values: Any) -> dict[str, Any]:
        output = output_of(dash_app, "api-metrics-stats.children", "api-metrics-cursor.data")
        answer = dispatch(admin, dash_app, output, changed=changed, **{**METRICS, **values})
        assert answer.status_code in {200, 204}, answer.text
        told: dict[str, Any] = answer.json["response"] if answer.status_code == 200 else {}
        return told

    return ask


def test_what_has_come_is_asked_for_again_and_again_but_told_once(metrics: Ask) -> None:
    first = metrics("api-metrics-range.value")
    assert (
        metrics("api-metrics-tick.n_intervals", **{"api-metrics-cursor.data": first["api-metrics-cursor"]["data"]})
        == {}
    )


def test_a_route_that_is_chosen_as_the_page_looks_for_news_is_shown(metrics: Ask) -> None:
    shown = {"api-metrics-cursor.data": metrics("api-metrics-range.value")["api-metrics-cursor"]["data"]}
    chosen = {"api-metrics-route.data": "GET /api/v1/me"}
    told = metrics("api-metrics-tick.n_intervals", **chosen, **shown)
    assert told["api-metrics-stats"] == metrics("api-metrics-route.data", **chosen, **shown)["api-metrics-stats"]


@pytest.mark.parametrize("hostile", [["7d"], {"a": 1}, 7, None, True])
def test_what_is_no_choice_is_taken_for_none(metrics: Ask, hostile: object) -> None:
    forged = {f"api-metrics-{name}.value": hostile for name in ("compare", "sort", "find")}
    assert "api-metrics-cursor" in metrics("api-metrics-sort.value", **forged)


@pytest.fixture
def columns(dash_app: Any, sqlite: Engine, client_of: Callable[[str], Any]) -> Ask:
    """Change the dialog of columns, whose list shows “a” of the hyper-parameters a, b and c."""
    viewer = client_of("viewer")

    def ask(changed: str, ticked: list[str], kept: list[str]) -> list[str]:
        offered = [{"label": name, "value": name} for name in "abc"]
        answer = dispatch(
            viewer,
            dash_app,
            output_of(dash_app, "experiments-columns.data"),
            changed=changed,
            **{
                "experiments-names.value": ticked,
                "experiments-chosen.value": kept,
                "experiments-names.options": offered,
                "experiments-kind.value": "param",
                "experiments-columns.data": ["param:a"],
            },
        )
        told: list[str] = answer.json["response"]["experiments-columns"]["data"]
        return told

    return ask


@pytest.mark.parametrize("changed", ["experiments-names.value", "experiments-chosen.value"])
def test_a_column_is_added_and_another_taken_away(columns: Ask, changed: str) -> None:
    assert columns(changed, ["a", "b"], []) == ["param:b"]


def test_what_is_unticked_where_it_was_added_goes(columns: Ask) -> None:
    assert columns("experiments-names.value", ["c"], ["param:a"]) == ["param:c"]


def test_a_column_that_is_added_as_the_status_is_chosen_is_shown(
    dash_app: Any, sqlite: Engine, client_of: Callable[[str], Any]
) -> None:
    asked = {
        "experiments-columns.data": ["param:lr"],
        "experiments-shown.data": ["status"],
        "experiments-status.value": "failed",
        "experiments-sort.data": "-created",
    }

    def ask(before: Any) -> Any:
        return dispatch(
            client_of("viewer"),
            dash_app,
            f"{GRID}.columnDefs",
            changed="experiments-status.value",
            **asked,
            **{f"{GRID}.columnDefs": before},
        )

    shown = ask([]).json["response"][GRID]["columnDefs"]
    assert [one["headerName"] for one in shown if one.get("field") == "param:lr"] == ["lr"]
    assert ask(shown).json["response"] == {}


def test_a_dialog_is_closed_also_as_the_list_behind_it_is_drawn_anew(
    dash_app: Any, sqlite: Engine, client_of: Callable[[str], Any]
) -> None:
    output = output_of(dash_app, "app-dialog.is_open", "app-body.children")
    told = dispatch(client_of("viewer"), dash_app, output, changed="app-open.n_clicks", **{"app-close.n_clicks": 1})
    assert told.json["response"]["app-dialog"]["is_open"] is False
    assert dispatch(client_of("viewer"), dash_app, output, changed="app-open.n_clicks").json["response"] == {}
