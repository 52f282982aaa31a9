"""Figures of curves: what plotly.js receives."""

import base64
import json
from urllib.parse import unquote

import numpy as np
import pytest

from components.figures import Curve, Mark, curves_figure, sparkline, typed_array
from components.figures.curves import _spread
from components.figures.ticks import duration_ticks, linear_ticks, log_ticks, tick_text

DTYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4"}


def unpack(packed):
    return np.frombuffer(base64.b64decode(packed["bdata"]), DTYPES[packed["dtype"]])


def traces(figure, role):
    return [trace for trace in figure["data"] if trace["meta"]["role"] == role]


class TestTypedArray:
    def test_whole_numbers_survive_exactly(self):
        steps = np.array([0, 1, 2**24 + 1, -5, 2**31 - 1])
        assert unpack(typed_array(steps)).tolist() == steps.tolist()

    def test_numbers_beyond_i4_survive_exactly(self):
        assert unpack(typed_array([0, 2**40 + 1])).tolist() == [0, 2**40 + 1]

    @pytest.mark.filterwarnings("error")
    def test_numbers_beyond_single_precision_survive(self):
        values = np.array([1e308, -1e308, np.inf, 0.5] * 500)
        assert unpack(typed_array(values)).tolist() == values.tolist()

    def test_nan_and_infinity_survive(self):
        assert np.array_equal(unpack(typed_array([1.5, np.nan, np.inf])), [1.5, np.nan, np.inf], equal_nan=True)

    def test_moments_become_milliseconds_to_the_millisecond(self):
        moment = np.array(["2026-01-05T10:00:00.123"], dtype="datetime64[ms]")
        assert unpack(typed_array(moment)).tolist() == [1767607200123.0]


class TestCurvesFigure:
    def test_long_values_are_packed_and_read_back(self):
        y = np.linspace(0, 1, 500)
        trace = traces(curves_figure([Curve("loss", np.arange(500), y)]), "line")[0]
        assert np.allclose(unpack(trace["y"]), y, atol=1e-6)
        assert (trace["x0"], trace["dx"]) == (0, 1)

    def test_uneven_large_steps_are_not_rounded(self):
        steps = np.cumsum(np.arange(1, 41)) + 2**25
        trace = traces(curves_figure([Curve("loss", steps, np.zeros(40))]), "line")[0]
        assert unpack(trace["x"]).tolist() == steps.tolist()

    def test_large_float_times_are_not_rounded_to_single_precision(self):
        times = 1.7e9 + np.arange(40) * 0.5
        trace = traces(curves_figure([Curve("loss", times, np.zeros(40))]), "line")[0]
        assert unpack(trace["x"]).tolist() == times.tolist()

    def test_each_kind_of_nonfinite_value_is_marked_at_its_step(self):
        figure = curves_figure([Curve("loss", [10, 20, 30, 40], [1.0, np.nan, np.inf, -np.inf])])
        (flag,) = traces(figure, "flag")
        assert (flag["x"], flag["customdata"]) == ([20, 30, 40], ["NaN", "+inf", "-inf"])
        assert len(set(flag["marker"]["symbol"])) == 3
        assert figure["layout"]["yaxis2"]["range"] == [0, 1]

    def test_point_between_two_gaps_is_a_dot_of_its_colour(self):
        values = [2.2, np.nan, 1.5, np.inf, 1.3, 1.2]
        (dots,) = traces(curves_figure([Curve("val", range(1, 7), values, 3)]), "lone")
        assert (dots["x"], dots["y"], dots["meta"]["colour"]) == ([1, 3], [2.2, 1.5], 3)

    def test_raw_point_between_two_gaps_is_a_dot_behind_the_smoothed_one(self):
        values = [2.2, np.nan, 1.5]
        figure = curves_figure([Curve("val", [1, 2, 3], [2.2, np.nan, 1.7], raw=([1, 2, 3], values))])
        (dots,) = traces(figure, "lone-raw")
        assert dots["y"] == [2.2, 1.5]
        assert traces(figure, "lone")[0]["y"] == [2.2, 1.7]

    def test_axis_reaches_to_a_point_between_two_gaps(self):
        low, high = curves_figure([Curve("val", [1, 2, 3], [2.2, np.nan, 1.5])])["layout"]["yaxis"]["range"]
        assert low < 1.5 and high > 2.2

    def test_line_without_gaps_has_no_dots(self):
        assert traces(curves_figure([Curve("val", [1, 2, 3], [2.2, 1.7, 1.5])]), "lone") == []

    def test_nonfinite_values_of_the_unsampled_series_replace_those_of_the_sample(self):
        figure = curves_figure([Curve("loss", [0, 9], [1.0, 2.0], nonfinite=[(4.0, "NaN")])])
        assert traces(figure, "flag")[0]["x"] == [4.0]

    def test_finite_curves_have_no_marks(self):
        assert traces(curves_figure([Curve("loss", [0, 1], [1.0, 2.0])]), "flag") == []

    def test_whole_figure_is_strict_json(self):
        figure = curves_figure(
            [Curve("a", [1, 2], [np.nan, 1.0], raw=([1, 2], [np.inf, 2.0]), best=(2, 1.0))], marks=[Mark(2, "best")]
        )
        assert "NaN" in json.dumps(figure, allow_nan=False)

    def test_raw_line_is_drawn_behind_the_smoothed_one(self):
        figure = curves_figure([Curve("a", [1, 2], [1.0, 2.0], raw=([1, 2], [3.0, 4.0]))])
        assert [trace["meta"]["role"] for trace in figure["data"]] == ["raw", "line"]

    def test_six_curves_are_named_at_their_ends_and_seven_in_a_legend(self):
        def curves(count):
            return [Curve(f"run {i}", [0, 1], [0.0, i], i) for i in range(count)]

        six, seven = curves_figure(curves(6)), curves_figure(curves(7))
        assert (len(six["layout"]["annotations"]), six["layout"]["showlegend"]) == (6, False)
        assert (len(seven["layout"]["annotations"]), seven["layout"]["showlegend"]) == (0, True)

    def test_eleven_curves_of_a_high_panel_are_named_at_their_ends_too(self):
        curves = [Curve(f"class {i}", [0, 1], [0.0, 1.0], i) for i in range(11)]
        layout = curves_figure(curves, height=400)["layout"]
        assert (len(layout["annotations"]), layout["showlegend"]) == (11, False)

    def test_without_its_outliers_a_curve_has_the_range_of_its_core(self):
        curve = Curve("loss", [0, 1, 2, 3], [0.0, 1e6, 1.0, 0.5], core=(0.0, 1.0))
        low, high = curves_figure([curve])["layout"]["yaxis"]["range"]
        assert (low, high) == pytest.approx((-0.06, 1.06))

    def test_clipped_axis_says_how_many_points_it_leaves_out(self):
        curve = Curve("loss", [0, 1, 2, 3], [0.0, 1e6, 1.0, -7.0], core=(0.0, 1.0))
        assert curves_figure([curve])["layout"]["meta"]["outside"] == 2
        smoothed = Curve("loss", [0, 1], [0.4, 0.5], raw=([0, 1], [0.0, 1e6]), core=(0.0, 1.0))
        assert curves_figure([smoothed])["layout"]["meta"]["outside"] == 1

    def test_axis_that_is_not_clipped_leaves_nothing_out(self):
        assert curves_figure([Curve("loss", [0, 1], [0.0, 1e6])])["layout"]["meta"]["outside"] == 0

    def test_first_step_alone_has_no_steps_before_it(self):
        assert curves_figure([Curve("loss", [0], [5.0])])["layout"]["xaxis"]["range"] == [0, 1]

    def test_name_of_a_line_stands_where_it_leaves_a_zoomed_picture(self):
        curves = [Curve("a", [0, 10, 20], [0.0, 1.0, 3.0]), Curve("b", [0, 10, 20], [1.0, 1.0, 1.0], 1)]
        first, _ = curves_figure(curves, x_range=(5, 15))["layout"]["annotations"]
        assert (first["x"], first["y"]) == (15, 2.0)

    @pytest.mark.parametrize(
        ("values", "form"), [([0.30758, 1.5], ".4f"), ([3e-5, 2.0], ".5g"), ([1e-4, 5e-4], ".5g"), ([0, 5e5], ".5g")]
    )
    def test_values_of_a_panel_have_one_number_of_decimals_unless_these_would_round_to_nothing(self, values, form):
        (line,) = traces(curves_figure([Curve("a", [0, 1], values)]), "line")
        assert line["hovertemplate"] == f"%{{y:{form}}}"

    def test_curves_without_outliers_keep_their_range_beside_one_that_has_some(self):
        curves = [Curve("a", [0, 1], [0.0, 1e6], core=(0.0, 1.0)), Curve("b", [0, 1], [0.0, 9.0])]
        assert curves_figure(curves)["layout"]["yaxis"]["range"][1] == pytest.approx(9.54)

    def test_dot_of_a_smoothed_curve_says_that_it_is_a_raw_value(self):
        raw = ([1, 2], [0.5, 0.25])
        curve = Curve("val", [1, 2], [0.6, 0.5], raw=raw, best=(2, 0.25), best_word="best epoch 2")
        figure = curves_figure([curve], marks=[Mark(2, "best epoch 2")])
        (dot,) = traces(figure, "best")
        assert (dot["x"], dot["y"]) == ([2], [0.25])
        assert dot["hovertemplate"].startswith("best epoch 2: %{y:.4f} (raw value)")

    def test_dot_that_no_line_names_is_named_over_the_panel(self):
        figure = curves_figure([Curve("val", [1, 2], [0.5, 0.03124], 3, best=(2, 0.03124), best_word="lowest")])
        (note,) = figure["layout"]["annotations"]
        assert (note["name"], note["text"]) == ("best-label:3", "● lowest: 0.03124")

    def test_constant_that_single_precision_blurs_is_flat(self):
        values = np.where(np.arange(60) < 50, np.float64(np.float32(1e-4)), 1e-4)
        low, high = curves_figure([Curve("lr", np.arange(60), values)])["layout"]["yaxis"]["range"]
        assert high - low > 1e-5

    def test_markup_in_a_name_is_text(self):
        figure = curves_figure([Curve("<a href='//evil'>x</a>", [0, 1], [0.0, 1.0]), Curve("b", [0, 1], [1.0, 2.0])])
        assert "<a" not in json.dumps(figure)

    def test_zoom_is_kept_while_the_revision_stays(self):
        first = curves_figure([Curve("a", [0, 1], [0.0, 1.0])], revision="exp-1")
        second = curves_figure([Curve("a", [0, 1, 2], [0.0, 1.0, 5.0])], revision="exp-1")
        assert first["layout"]["uirevision"] == second["layout"]["uirevision"] == "exp-1"
        assert first["layout"]["yaxis"]["range"] != second["layout"]["yaxis"]["range"]

    def test_logarithmic_range_is_given_in_powers_and_leaves_zero_out(self):
        figure = curves_figure([Curve("lr", [0, 1, 2], [0.0, 0.001, 10.0])], log_y=True)
        low, high = figure["layout"]["yaxis"]["range"]
        assert -3.5 < low <= -3
        assert 1 <= high < 1.5

    @pytest.mark.parametrize("y", [[], [np.nan], [np.nan, np.nan], [5.0], [5.0, 5.0]])
    def test_degenerate_curves_give_a_finite_range(self, y):
        figure = curves_figure([Curve("a", list(range(len(y))), y)])
        low, high = figure["layout"]["yaxis"]["range"]
        assert np.isfinite([low, high]).all()
        assert low < high

    @pytest.mark.parametrize("log", [False, True])
    @pytest.mark.parametrize("y", [[1e308, -1e308], [1.79e308, 1e-300], [1e308, 1e308], [-1.79e308, 1.79e308]])
    @pytest.mark.filterwarnings("error")
    def test_the_largest_numbers_give_a_range_that_can_be_divided_by(self, y, log):
        figure = curves_figure(
            [Curve("a", np.arange(2), np.array(y)), Curve("b", np.arange(2), np.array(y))], log_y=log
        )
        low, high = figure["layout"]["yaxis"]["range"]
        assert low < high
        assert np.isfinite(high - low)

    def test_no_curves_say_so(self):
        assert curves_figure([])["layout"]["annotations"][0]["text"] == "No values yet"


def seen(axis, limits):
    pairs = zip(axis["tickvals"], axis["ticktext"], strict=True)
    return [text for value, text in pairs if limits[0] <= value <= limits[1]]


class TestTicks:
    @pytest.mark.parametrize(
        ("limits", "texts"),
        [
            ((0.03, 2.5), ["0.05", "0.1", "0.2", "0.5", "1", "2"]),
            ((6e-5, 1e-3), ["1e−4", "2e−4", "5e−4", "0.001"]),
            ((1, 1e5), ["1", "10", "100", "1,000", "10,000", "100,000"]),
            ((0.21, 0.24), ["0.21", "0.22", "0.23", "0.24"]),
        ],
    )
    def test_logarithmic_axis_has_whole_numbers_at_all_ticks(self, limits, texts):
        assert seen(log_ticks(limits), limits) == texts

    @pytest.mark.parametrize(
        "limits", [(1e-300, 1.0), (1e-12, 1e12), (0.9, 1.1), (5.0, 5.0), (0.0, 0.0), (1e-9, 1e300)]
    )
    def test_logarithmic_axis_is_never_crowded(self, limits):
        assert len(seen(log_ticks(limits), limits)) <= 10

    def test_small_numbers_of_a_linear_axis_have_no_leading_fraction(self):
        assert seen(linear_ticks((0.0, 1e-4)), (0.0, 1e-4)) == ["0", "5e−5", "1e−4"]

    @pytest.mark.parametrize(
        ("limits", "texts"),
        [
            ((0, 8_000), ["0", "30 min", "1 h", "1 h 30 min", "2 h"]),
            ((0, 40), ["0", "10 s", "20 s", "30 s", "40 s"]),
            ((0, 0.4), ["0", "0.1 s", "0.2 s", "0.3 s", "0.4 s"]),
            ((0, 400_000), ["0", "1 d", "2 d", "3 d", "4 d"]),
        ],
    )
    def test_seconds_are_written_as_people_say_them(self, limits, texts):
        assert seen(duration_ticks(limits), limits) == texts

    def test_large_numbers_of_a_linear_axis_are_written_out(self):
        assert linear_ticks((0.0, 50_000.0)) == {"exponentformat": "none", "separatethousands": True}

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (6e-5, "6e−5"),
            (0.002, "0.002"),
            (0.1 + 0.2, "0.3"),
            (20_000, "20,000"),
            (2.5e6, "2.5M"),
            (0, "0"),
            (-0.5, "−0.5"),
        ],
    )
    def test_number_is_written_as_it_is_read(self, value, text):
        assert tick_text(value) == text


class TestSpread:
    def test_labels_stay_within_the_panel(self):
        placed = _spread([180.0, 181, 182, 183, 1, 2], 15, 185)
        assert min(placed) >= 0 and max(placed) <= 185
        assert min(np.diff(sorted(placed))) >= 15 - 1e-9

    def test_labels_keep_their_distance_and_order(self):
        placed = _spread([10, 11, 12, 90, 91, 300], 15)
        assert placed == sorted(placed)
        assert min(np.diff(placed)) >= 15 - 1e-9
        assert placed[-1] == 300


def test_sparkline_of_the_largest_numbers_is_a_path():
    drawn = str(sparkline([1.7e308, -1.7e308, 0.0], label="loss"))
    assert "M0.0 2.0h0" in unquote(drawn)
    assert "nan" not in unquote(drawn)


@pytest.mark.parametrize(
    ("steps", "whole", "ticks"),
    [((1, 2), True, 1), ((1, 2, 3, 6), True, 1), (range(1, 60), True, None), ((1, 2), False, None)],
)
def test_each_step_of_a_short_axis_has_its_tick(steps, whole, ticks):
    figure = curves_figure([Curve("val", list(steps), list(steps))], whole=whole)
    assert figure["layout"]["xaxis"].get("dtick") == ticks
