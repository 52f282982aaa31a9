"""Figures of results per class."""

import json

import numpy as np
import pytest

from components.figures import bars_per_class_figure, confusion_figure, sparkline
from components.figures.base import abbreviate


class TestConfusion:
    def test_rows_sum_to_one_and_cells_name_count_and_share(self):
        figure = confusion_figure([[3, 1], [0, 4]], ["sound", "worn"])
        heat = figure["data"][0]
        assert heat["z"] == [[0.75, 0.25], [0.0, 1.0]]
        assert heat["text"] == [["3<br>75 %", "1<br>25 %"], ["", "4<br>100 %"]]

    def test_columns_sum_to_one_when_normalised_by_prediction(self):
        heat = confusion_figure([[3, 1], [1, 1]], ["a", "b"], normalise="predicted")["data"][0]
        assert np.allclose(np.sum(heat["z"], axis=0), 1)

    def test_class_without_samples_is_no_division_by_zero(self):
        heat = confusion_figure([[0, 0], [0, 4]], ["a", "b"])["data"][0]
        assert heat["z"][0] == [0.0, 0.0]

    def test_share_below_one_percent_is_not_shown_as_zero(self):
        heat = confusion_figure([[999, 1], [0, 1]], ["a", "b"])["data"][0]
        assert heat["text"][0][1] == "1<br>&lt;1 %"

    def test_phone_gets_shorter_names_and_one_line_a_cell(self):
        meta = confusion_figure([[3, 1], [0, 4]], ["Misalignment + Imbalance", "b"])["layout"]["meta"]
        assert max(map(len, meta["narrow"]["labels"])) <= 11
        assert meta["narrow"]["text"][0][0] == "75%"

    @pytest.mark.parametrize("length", [11, 14, 24])
    def test_names_that_begin_alike_stay_apart(self, length):
        names = ["Misalignment", "Misalignment and imbalance", "Misalignment + Wear", "Imbalance"]
        short = [abbreviate(name, length) for name in names]
        assert len({text[:10] for text in short}) == 4 or length > 14
        assert len(set(short)) == 4 and max(map(len, short)) <= length

    def test_figure_is_strict_json_and_holds_no_markup_of_names(self):
        text = json.dumps(confusion_figure([[1]], ["<b>x</b>"]), allow_nan=False)
        assert "<b>" not in text


class TestScores:
    def test_equal_scores_stand_beside_each_other(self):
        figure = bars_per_class_figure(["a", "b"], {"precision": [1, 1], "recall": [1, 1], "F1": [1, 1]})
        heights = [trace["y"][1] for trace in figure["data"]]
        assert heights == [0.78, 1, 1.22]

    def test_missing_score_leaves_a_gap(self):
        figure = bars_per_class_figure(["a", "b"], {"F1": [0.9, None]})
        assert figure["data"][0]["x"] == [0.9, None]

    def test_worst_score_is_inside_the_axis(self):
        low, high = bars_per_class_figure(["a"], {"F1": [0.31], "Recall": [1.0]})["layout"]["xaxis"]["range"]
        assert low < 0.31
        assert high > 1.0


class TestSparkline:
    def test_gap_begins_a_new_stroke(self):
        mask = sparkline([1.0, 2.0, float("nan"), 3.0, 4.0]).style["maskImage"]
        assert mask.count("M") == 2

    def test_value_between_two_gaps_is_a_dot(self):
        mask = sparkline([float("nan"), 2.0, float("nan"), 3.0]).style["maskImage"]
        assert mask.count("h0") == 2

    def test_course_is_told_to_those_who_do_not_see_it(self):
        assert (
            "from 1.0000 to 3.0000" in sparkline([1.0, 2.0, 3.0], label="Loss").to_plotly_json()["props"]["aria-label"]
        )

    def test_too_few_values_draw_nothing(self):
        assert sparkline([]).children == "–"
