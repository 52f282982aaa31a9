"""The page of one experiment over HTTP: statuses, hostile ids and stores, what little is sent."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from database.engine import snapshot, transaction
from models import Experiment
from models.permissions import Role
from pages._curve_controls import Choices, choices_from, page_of
from pages._curve_figures import by_role, figures
from pages._experiment_ids import number_of
from services.actor import SYSTEM
from services.curves import writing
from services.curves.packing import Points
from services.curves.panels import Panel, panels
from services.errors import NotFound
from services.experiments import lifecycle
from tests.support.experiments import completed, record, running, with_series
from tests.support.people import dispatch

HOSTILE_IDS = ["abc", "0", "-1", "1/2", "٣", "1e3", "99999999999", str(2**31), "1 OR 1=1", "", "../1", "1%00"]


def output_of(app: Any, *parts: str) -> str:
    """The callback whose outputs begin with these."""
    return next(key for key in app.callback_map if key.startswith(f"..{'...'.join(parts)}"))


def draw(app: Any, client: Any, ids: Any, **values: Any) -> Any:
    given = {
        "experiment-visible.data": ["loss"],
        "experiment-shown.data": ["loss", "accuracy"],
        "experiment-ids.data": ids,
        "experiment-drawn.data": {},
    }
    given |= {f"experiment-{name}": value for name, value in values.items()}
    return dispatch(client, app, output_of(app, "experiment-drawn.data", "experiment-address.data"), **given)


def tick(app: Any, client: Any, number: int, seen: str, **values: Any) -> Any:
    given = {"experiment-tick.n_intervals": 1, "experiment-seen.data": seen, "experiment-ids.data": [number]}
    given |= {f"experiment-{name}": value for name, value in values.items()}
    return dispatch(client, app, output_of(app, "experiment-seen.data"), **given)


class TestStatus:
    def test_existing_experiment_answers_200(self, sqlite: Engine, client_of: Callable[..., Any]) -> None:
        number = running()
        assert client_of(Role.VIEWER).get(f"/experiments/{number}").status_code == 200

    @pytest.mark.parametrize("text", ["abc", "0", "-1", "1/2", "99999999999", "7"])
    def test_anything_else_answers_404(self, sqlite: Engine, client_of: Callable[..., Any], text: str) -> None:
        assert client_of(Role.VIEWER).get(f"/experiments/{text}").status_code == 404


class TestIds:
    @pytest.mark.parametrize("value", [*HOSTILE_IDS, None, True, 1.5, [1], {"id": 1}])
    def test_what_is_no_id_is_not_found(self, value: Any) -> None:
        with pytest.raises(NotFound):
            number_of(value)

    @pytest.mark.parametrize("ids", [None, [], ["x"], [[1]], {"a": 1}, [0], [2**40], [1, 2], "1; DROP TABLE"])
    def test_stores_of_a_stranger_are_told_in_a_toast(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, ids: Any
    ) -> None:
        answer = draw(dash_app, client_of(Role.VIEWER), ids)
        assert answer.status_code in {200, 204}
        assert "Traceback" not in answer.text and "experiment-chart" not in answer.text


class TestDrawing:
    def test_only_panels_on_screen_are_sent(self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any) -> None:
        answer = draw(dash_app, client_of(Role.VIEWER), [completed()]).get_json()
        charts = [key for key in answer["sideUpdate"] if "experiment-chart" in key]
        assert charts == ['{"panel":"loss","type":"experiment-chart"}']
        assert list(answer["response"]["experiment-drawn"]["data"]) == ["loss"]

    def test_panels_that_look_the_same_are_not_sent_again(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
    ) -> None:
        client, number = client_of(Role.VIEWER), completed()
        drawn = draw(dash_app, client, [number]).get_json()["response"]["experiment-drawn"]["data"]
        again = draw(dash_app, client, [number], **{"drawn.data": drawn})
        assert "sideUpdate" not in again.get_json()
        smoothed = draw(dash_app, client, [number], **{"drawn.data": drawn, "smoothing.value": "0.5"})
        assert "sideUpdate" in smoothed.get_json()

    @pytest.mark.parametrize(
        "drawn", [None, [], "x", {"loss": 1}, {"loss": ["", [True]]}, {"loss": ["", [-1, 10**30]]}]
    )
    def test_odd_memory_of_the_browser_counts_as_not_drawn(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, drawn: Any
    ) -> None:
        answer = draw(dash_app, client_of(Role.VIEWER), [completed()], **{"drawn.data": drawn})
        assert "sideUpdate" in answer.get_json()

    @pytest.mark.parametrize(
        "zoom",
        [
            {"axis": "step", "low": "NaN", "high": 3},
            {"axis": "step", "low": 1e308, "high": -1e308},
            {"axis": "step", "low": -1e299, "high": 1e299, "panel": "loss", "y": [None, "x"]},
            {"axis": "step", "low": [], "high": {}},
            {"axis": "wall", "low": 1, "high": 2},
            {"axis": "step", "low": 3, "high": 1, "y": ["inf", 1]},
            "x",
            [1, 2],
        ],
    )
    @pytest.mark.parametrize("flags", [[], ["log_x", "log_y", "clip"], "x", [["log_x"]], None])
    def test_absurd_ranges_are_drawn_or_ignored(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, zoom: Any, flags: Any
    ) -> None:
        values = {"zoom.data": zoom, "flags.value": flags, "axis.value": "step", "smoothing.value": "abc"}
        answer = draw(dash_app, client_of(Role.VIEWER), [completed()], **values)
        assert "went wrong" not in answer.text and "experiment-chart" in answer.text


class TestTicks:
    def test_nothing_new_costs_one_look_and_a_few_bytes(
        self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any, count_queries: Callable[..., int]
    ) -> None:
        client, number = client_of(Role.VIEWER), running(epochs=3)
        seen = tick(dash_app, client, number, "").get_json()["response"]["experiment-seen"]["data"]
        quiet = tick(dash_app, client, number, seen)
        assert len(quiet.data) < 100
        # The session with its user, the experiment, the sum of its points.
        assert count_queries(sqlite, lambda: tick(dash_app, client, number, seen)) <= 4

    def test_only_new_epochs_are_sent(self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any) -> None:
        client, number = client_of(Role.VIEWER), running(epochs=3)
        drawn = draw(dash_app, client, [number]).get_json()["response"]["experiment-drawn"]["data"]
        record(number, 4)
        answer = tick(
            dash_app, client, number, "",
            **{
                "drawn.data": drawn,
                "visible.data": ["loss"],
                "shown.data": ["loss", "accuracy", "learning_rate"],
                "last.data": {"last": 3, "all": True},
            },
        ).get_json()  # fmt: skip
        response = answer["response"]
        (loss,) = response["experiment-news"]["data"]["panels"].values()
        assert [line["x"] for line in loss["lines"]] == [[4.0], [4.0]]
        assert [row[0] for row in response["experiment-rows"]["data"]] == ["4"]
        assert "sideUpdate" not in answer

    def test_ended_experiment_says_so(self, sqlite: Engine, client_of: Callable[..., Any], dash_app: Any) -> None:
        number = running(epochs=1)
        with transaction() as session:
            lifecycle.complete(session, number)
        answer = tick(dash_app, client_of(Role.VIEWER), number, "").get_json()
        assert answer["response"]["experiment-alive"]["data"] is False


class TestControls:
    def test_choices_survive_the_way_through_the_address(self) -> None:
        zoom = {"axis": "epoch", "low": 2.5, "high": 7.0}
        said = choices_from("epoch", "0.6", ["log_y", "clip", "nonsense"], " acc ", zoom)
        query = said.query
        again = choices_from(
            query["x"], query["smoothing"], query["show"], query["panels"],
            {"axis": query["x"], "low": query["low"], "high": query["high"]},
        )  # fmt: skip
        assert again == said and said.flags == ("log_y", "clip")

    @pytest.mark.parametrize("smoothing", ["nan", "inf", "-3", "7", None, True, [], "0.5.5", 10**400])
    def test_smoothing_stays_within_its_range(self, smoothing: Any) -> None:
        assert 0 <= choices_from(smoothing=smoothing).smoothing <= 0.99

    @pytest.mark.parametrize(("page", "shown"), [(0, 24), (1, 6), (99, 6), (-1, 24), (None, 24), (True, 24)])
    def test_pages_hold_24_panels_and_no_page_lies_outside(self, page: Any, shown: int) -> None:
        panels = [Panel(f"metric:{n}", f"m{n}", ()) for n in range(30)]
        assert len(page_of(panels, "", page)[0]) == shown


def test_viewer_can_neither_cancel_nor_delete_nor_write(
    sqlite: Engine, client_of: Callable[..., Any], dash_app: Any
) -> None:
    number = running(epochs=1)
    client = client_of(Role.VIEWER)
    for output, trigger in (
        ("experiment-notes.children", "experiment-notes-save.n_clicks"),
        ("experiment-actions.children", "experiment-delete-dialog-confirm.n_clicks"),
    ):
        name = output_of(dash_app, output)
        assert dispatch(client, dash_app, name, **{trigger: 1, "experiment-ids.data": [number]}).status_code == 403
    with transaction() as session:
        assert session.get_one(Experiment, number).deleted_at is None


def test_page_with_hostile_names_is_built(sqlite: Engine, client_of: Callable[..., Any], dash_app: Any) -> None:
    name = "<img src=x onerror=alert(1)>" * 6
    number = with_series(name, {"</script>" * 5: [1.0], '{"a":1}.figure': [float("nan")]}, model_type="<b>")
    router = output_of(dash_app, "_pages_content.children")
    where = {"_pages_location.pathname": f"/experiments/{number}", "_pages_location.search": "?x=%00&smoothing=NaN"}
    answer = dispatch(client_of(Role.VIEWER), dash_app, router, **where)
    assert answer.status_code == 200 and "experiment-chart" in answer.text


@pytest.mark.parametrize(
    ("first", "axis", "word"),
    [
        (0, "step", "best epoch 2, step 1: 1.0000"),
        (0, "epoch", "best epoch 2: 1.0000"),
        (1, "step", "best epoch 2: 1.0000"),
    ],
)
def test_the_mark_names_the_step_that_it_stands_at_where_steps_are_no_epochs(
    sqlite: Engine, first: int, axis: Any, word: str
) -> None:
    columns: dict[str, Any] = {"epochs_completed": 3, "total_epochs": 3, "best_epoch": 2}
    with transaction() as session:
        number = lifecycle.create(session, SYSTEM, name="run", **columns).id
        writing.append(session, number, {"val_loss": Points.of(range(first, first + 3), [3.0, 1.0, 2.0])})
    with snapshot() as session:
        figure = figures(session, panels(session, SYSTEM, [number]), Choices(axis=axis), by_role)["loss"]
    assert [note["text"] for note in figure["layout"]["annotations"]] == [word]
