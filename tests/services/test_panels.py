"""Panels and their lines: grouping, smoothing before down-sampling, windows, axes, what is not finite, growth."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot, transaction
from diagnosis.smoothing import scale_for, smooth
from models import Experiment
from models.metric_series import MetricChunk
from models.permissions import Role
from services.actor import SYSTEM, Actor
from services.curves import writing
from services.curves.growth import grows, growth
from services.curves.packing import Points
from services.curves.panels import Line, Panel, View, draw, panels
from services.experiments import lifecycle

NOBODY = Actor(None, "nobody", Role.VIEWER, frozenset())
START = datetime(2026, 3, 1, tzinfo=UTC)


def made(metrics: dict[str, Any], *, name: str = "run", times: bool = False, **columns: Any) -> int:
    with transaction() as session:
        experiment = lifecycle.create(session, SYSTEM, name=name, **columns)
        log(session, experiment.id, metrics, times=times)
        return experiment.id


def log(session: Any, experiment_id: int, metrics: dict[str, Any], *, start: int = 1, times: bool = False) -> None:
    series = {}
    for key, values in metrics.items():
        steps = range(start, start + len(values))
        series[key] = Points.of(steps, values, [START.timestamp() + step for step in steps] if times else None)
    writing.append(session, experiment_id, series)


def in_two_chunks() -> tuple[int, int, int]:
    """An experiment whose metric lies in two chunks, where the first one ends, and where the second one begins."""
    with transaction() as session:
        one = lifecycle.create(session, SYSTEM, name="run").id
        for steps in (range(10, 3010, 10), range(3010, 6010, 10)):
            writing.append(session, one, {"m": Points.of(steps, steps)})
    with snapshot() as session:
        first, second = session.scalars(select(MetricChunk).order_by(MetricChunk.start)).all()
    return one, first.high_step, second.low_step


def drawn(ids: list[int], view: View = View(), **options: Any) -> dict[str, list[Line]]:  # noqa: B008 - it is frozen
    with snapshot() as session:
        return draw(session, panels(session, SYSTEM, ids, **options), view)


def found(ids: list[int], **options: Any) -> list[Panel]:
    with snapshot() as session:
        return panels(session, SYSTEM, ids, **options)


class TestPanels:
    def test_training_and_validation_share_a_panel_and_the_rest_follows_by_name(self, database: Engine) -> None:
        one = made({name: [1.0] for name in ("zeta", "val_loss", "lr", "loss/train", "Alpha", "val_acc", "f1/Wear")})
        assert [panel.key for panel in found([one])] == [
            "loss", "accuracy", "learning_rate", "classes:f1", "metric:Alpha", "metric:zeta",
        ]  # fmt: skip
        assert {series.role for series in found([one])[0].series} == {"train_loss", "val_loss"}

    def test_separate_panels_join_what_tools_call_differently(self, database: Engine) -> None:
        one, two = made({"val_loss": [1.0]}), made({"loss/val": [2.0]})
        (panel,) = found([one, two], separate=True)
        assert (panel.key, [series.experiment_id for series in panel.series]) == ("role:val_loss", [one, two])

    def test_separate_panels_of_one_score_for_each_class_are_a_family_and_come_last(self, database: Engine) -> None:
        one = made({name: [1.0] for name in ("f1/Wear", "f1/Healthy", "recall/Wear", "zeta", "val_loss", "f1")})
        assert [(panel.key, panel.family) for panel in found([one], separate=True)] == [
            ("role:val_loss", None), ("metric:f1", None), ("metric:zeta", None),
            ("metric:f1/Healthy", "F1 per class"), ("metric:f1/Wear", "F1 per class"),
            ("metric:recall/Wear", "Recall per class"),
        ]  # fmt: skip

    def test_hostile_names_stay_names(self, database: Engine) -> None:
        names = ["<img src=x onerror=alert(1)>", '{"type":"x"}.figure', "a" * 250, "'; DROP TABLE experiments; --"]
        one = made({name: [1.0] for name in names})
        assert {panel.title for panel in found([one])} == set(names)

    def test_who_may_not_see_experiments_gets_no_panels(self, database: Engine) -> None:
        one = made({"loss": [1.0]})
        with snapshot() as session:
            assert panels(session, NOBODY, [one]) == []

    @pytest.mark.parametrize("separate", [False, True])
    def test_queries_do_not_grow_with_the_experiments(
        self, database: Engine, count_queries: Callable[..., int], separate: bool
    ) -> None:
        ids = [made({"val_loss": [1.0, 0.5], "val_accuracy": [0.1, 0.2]}, name=f"run {n}") for n in range(12)]
        few = count_queries(database, lambda: drawn(ids[:2], separate=separate))
        assert count_queries(database, lambda: drawn(ids, separate=separate)) == few == 3


class TestDraw:
    def test_smoothing_comes_before_down_sampling(self, sqlite: Engine) -> None:
        values = np.random.default_rng(1).normal(size=5000).cumsum()
        one = made({"m": values})
        (line,) = drawn([one], View(smoothing=0.8, points=200))["metric:m"]
        steps = np.arange(1, 5001, dtype=float)
        stored = values.astype(np.float64)
        expected = smooth(steps, stored, 0.8, scale=scale_for([5000]), x_range=4999.0)
        assert len(line.x) < 300
        np.testing.assert_allclose(line.y, expected[line.x.astype(int) - 1], rtol=1e-5, atol=1e-5)
        assert line.raw is not None and line.total == 5000

    @pytest.mark.parametrize("place", [0, 777, 49_999, 99_998, 99_999])
    def test_one_spike_in_a_hundred_thousand_points_is_seen(self, sqlite: Engine, place: int) -> None:
        values = np.random.default_rng(place).normal(size=100_000)
        values[place] = 60.0
        one = made({"m": values})
        (line,) = drawn([one], View(points=400))["metric:m"]
        assert line.y.max() == 60.0
        assert line.shown == len(line.x) <= 400 and line.total == 100_000

    def test_window_reaches_its_points_exactly_with_a_neighbour_on_each_side(self, sqlite: Engine) -> None:
        one = made({"m": np.arange(50_000, dtype=float)})
        (line,) = drawn([one], View(low=1000.0, high=1010.0))["metric:m"]
        assert line.x.tolist() == list(range(999, 1012))

    def test_zooming_does_not_change_what_was_smoothed(self, sqlite: Engine) -> None:
        one = made({"m": np.random.default_rng(2).normal(size=1500)})
        (whole,) = drawn([one], View(smoothing=0.9, points=2000))["metric:m"]
        (part,) = drawn([one], View(smoothing=0.9, points=2000, low=700, high=720))["metric:m"]
        np.testing.assert_allclose(part.y, whole.y[698:721])

    @pytest.mark.parametrize("limits", [(1e299, 1e300), (-1e300, -1e299), (0.2, 0.3)])
    def test_windows_beside_the_curve_are_harmless(self, database: Engine, limits: tuple[float, float]) -> None:
        one = made({"m": [1.0, 2.0, 3.0]})
        (line,) = drawn([one], View(low=limits[0], high=limits[1]))["metric:m"]
        assert len(line.x) <= 2

    def test_values_that_are_not_finite_are_marked_and_break_the_line(self, database: Engine) -> None:
        one = made({"m": [1.0, float("nan"), 3.0, float("inf"), float("-inf"), 6.0]})
        (line,) = drawn([one])["metric:m"]
        assert line.nonfinite == ((2.0, "NaN"), (4.0, "+inf"), (5.0, "-inf"))
        assert np.isnan(line.y[1]) and line.shown == line.total == 6

    @pytest.mark.parametrize("smoothing", [0.0, 0.9])
    def test_no_line_is_joined_across_a_gap_however_many_there_are(self, sqlite: Engine, smoothing: float) -> None:
        values = np.arange(3000, dtype=float)
        values[5::7] = np.nan
        (line,) = drawn([made({"m": values})], View(smoothing=smoothing, points=200))["metric:m"]
        for x, y in [(line.x, line.y), *([line.raw] if line.raw else [])]:
            finite = np.flatnonzero(np.isfinite(y))
            joined = [(int(x[a]), int(x[b])) for a, b in pairwise(finite) if b == a + 1]
            assert all(np.isfinite(values[first - 1 : last]).all() for first, last in joined)

    def test_epoch_axis_has_no_place_for_series_that_are_not_per_epoch(self, database: Engine) -> None:
        one = made({"val_loss": [3.0, 2.0, 1.0], "steps": [0.0] * 30}, epochs_completed=3)
        lines = drawn([one], View(axis="epoch"))
        assert [line.x.tolist() for line in lines["loss"]] == [[1.0, 2.0, 3.0]]
        assert lines["metric:steps"] == []

    def test_relative_time_begins_at_the_start(self, database: Engine) -> None:
        one = made({"m": [1.0, 2.0]}, times=True, started_at=START - timedelta(seconds=9))
        (line,) = drawn([one], View(axis="relative"))["metric:m"]
        assert line.x.tolist() == [10.0, 11.0]

    def test_wall_time_without_times_has_no_line(self, database: Engine) -> None:
        assert drawn([made({"m": [1.0]})], View(axis="wall"))["metric:m"] == []

    def test_best_is_the_lowest_validation_loss_and_the_best_epoch_is_placed(self, database: Engine) -> None:
        metrics = {"val_loss": [3.0, 1.0, 2.0], "train_loss": [3.0, 2.0, 1.0]}
        one = made(metrics, epochs_completed=3, total_epochs=3, best_epoch=2)
        train, val = drawn([one])["loss"]
        assert (train.best, val.best, val.best_epoch_at) == (None, (2.0, 1.0), 2.0)

    def test_mark_is_a_raw_value_on_the_raw_line_however_much_is_smoothed(self, sqlite: Engine) -> None:
        one = made({"val_loss": [3.0, 1.0, 2.0, 2.0]}, epochs_completed=4, total_epochs=4, best_epoch=2)
        (line,) = drawn([one], View(smoothing=0.9))["loss"]
        assert line.best == (2.0, 1.0) and line.raw is not None
        assert line.best in list(zip(*line.raw, strict=True)) and line.y[1] > 1.0

    def test_mark_of_accuracy_is_at_the_best_epoch_even_if_the_highest_is_elsewhere(self, database: Engine) -> None:
        metrics = {"val_loss": [3.0, 1.0, 2.0], "val_accuracy": [0.5, 0.6, 0.7]}
        one = made(metrics, epochs_completed=3, total_epochs=3, best_epoch=2)
        (line,) = drawn([one])["accuracy"]
        assert line.best == (2.0, pytest.approx(0.6)) and line.best_epoch == 2

    def test_mark_without_a_best_epoch_is_the_best_of_the_whole_run(self, database: Engine) -> None:
        one = made({"val_loss": [3.0, 1.0, 2.0, 1.5]})
        (line,) = drawn([one])["loss"]
        assert line.best == (2.0, 1.0) and line.best_epoch is None
        (beside,) = drawn([one], View(low=2.5, high=4))["loss"]
        assert beside.best is None

    def test_clipping_leaves_the_outliers_out_of_the_range(self, database: Engine) -> None:
        one = made({"m": [*np.linspace(0, 1, 200), 1e6]})
        (line,) = drawn([one], View(clip=True, points=2000))["metric:m"]
        assert line.core == (0.0, 1.0)
        assert line.y.max() == 1e6

    def test_clipping_changes_nothing_where_there_are_no_outliers(self, database: Engine) -> None:
        one = made({"m": 2 * np.exp(-np.arange(200) / 9) + 0.1})
        (line,) = drawn([one], View(clip=True, points=2000))["metric:m"]
        assert line.core is None

    def test_line_crosses_a_window_that_lies_between_two_chunks(self, database: Engine) -> None:
        one, low, high = in_two_chunks()
        (line,) = drawn([one], View(low=low + 2, high=high - 2))["metric:m"]
        assert line.x.tolist() == [low, high]

    def test_window_that_begins_with_a_chunk_has_the_neighbour_before_it(self, database: Engine) -> None:
        one, before, first = in_two_chunks()
        (line,) = drawn([one], View(low=first - 5, high=first + 5))["metric:m"]
        assert line.x.tolist() == [before, first, first + 10]


class TestGrowth:
    def grown(self, one: int, more: dict[str, list[float]], start: int) -> tuple[Any, Any]:
        before = {panel.key: [series.points for series in panel.series] for panel in found([one])}
        with transaction() as session:
            log(session, one, more, start=start)
        with snapshot() as session:
            return growth(session, panels(session, SYSTEM, [one]), before)

    def test_only_new_points_come(self, database: Engine) -> None:
        one = made({"train_loss": [3.0, 2.0], "val_loss": [4.0]})
        added, again = self.grown(one, {"train_loss": [1.0, 0.5]}, 3)
        assert again == []
        assert [(line.line, line.had, line.x, line.y) for line in added["loss"]] == [(0, 2, [3.0, 4.0], [1.0, 0.5])]

    def test_point_that_is_not_finite_draws_the_panel_again(self, database: Engine) -> None:
        one = made({"m": [1.0, 2.0]})
        assert self.grown(one, {"m": [float("nan")]}, 3) == ({}, ["metric:m"])

    @pytest.mark.parametrize("before", [[1.0, float("nan")], [float("nan"), 2.0]])
    def test_point_beside_a_gap_draws_the_panel_again(self, database: Engine, before: list[float]) -> None:
        one = made({"m": [1.0, *before]})
        assert self.grown(one, {"m": [3.0]}, 4) == ({}, ["metric:m"])

    def test_step_back_draws_the_panel_again(self, database: Engine) -> None:
        one = made({"m": [1.0, 2.0, 3.0]})
        assert self.grown(one, {"m": [9.0]}, 2) == ({}, ["metric:m"])

    @pytest.mark.parametrize(
        "view", [View(smoothing=0.5), View(axis="wall"), View(low=0, high=1), View(clip=True), View(points=2)]
    )
    def test_changed_or_thinned_lines_are_not_extended(self, sqlite: Engine, view: View) -> None:
        (panel,) = found([made({"m": [1.0, 2.0, 3.0]})])
        assert grows(panel, View(), [2])
        assert not grows(panel, view, [2])

    def test_other_lines_than_were_drawn_are_not_extended(self, sqlite: Engine) -> None:
        (panel,) = found([made({"m": [1.0, 2.0]})])
        assert not grows(panel, View(), [])
        assert not grows(panel, View(), [3])
        assert not grows(panel, View(), [0])


def test_series_of_deleted_experiments_go_with_them(database: Engine) -> None:
    one = made({"m": [1.0]})
    with transaction() as session:
        session.delete(session.get_one(Experiment, one))
    assert found([one]) == []
