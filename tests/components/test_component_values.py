"""Values as text, and what components send to the browser."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from plotly.utils import PlotlyJSONEncoder

from components.attributes import attributes
from components.config_tree import config_tree
from components.feedback import STATUS_ICONS, preview_list, status_badge
from components.graph import GRAPH_CONFIG, chart, chart_panel
from components.grid import RowAction, actions_column, data_grid, number_column
from components.icons import icon
from components.shell import NavEntry, NavGroup, UserBadge, page_header, shell
from components.toasts import toast
from components.values import duration_text, number, progress, size_text, time_tag


def wire(component):
    return json.dumps(component, cls=PlotlyJSONEncoder, separators=(",", ":"))


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "–"),
        (0, "0 B"),
        (512, "512 B"),
        (1500, "1.5 kB"),
        (999_600, "1.0 MB"),
        (23_000_000, "23 MB"),
        (10**15, "1000 TB"),
    ],
)
def test_bytes_are_told_in_the_unit_in_which_they_are_read(count, text):
    assert size_text(count) == text


class TestNumber:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, "–"),
            (0.98421, "0.9842"),
            (1204331, "1,204,331"),
            (-3, "−3"),
            (0.00003, "3.00e−5"),
            (0.0, "0.0000"),
            (float("nan"), "NaN"),
            (float("inf"), "+∞"),
            (float("-inf"), "−∞"),
            (2.5e12, "2.50e12"),
            (12400.0, "12,400"),
        ],
    )
    def test_number_is_readable(self, value, text):
        assert number(value) == text


class TestDuration:
    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (None, "–"),
            (-1, "–"),
            (float("nan"), "–"),
            (0.25, "250 ms"),
            (3.21, "3.2 s"),
            (9.96, "10 s"),
            (59.7, "1 min 0 s"),
            (754, "12 min 34 s"),
            (7500, "2 h 5 min"),
            (273_600, "3 d 4 h"),
        ],
    )
    def test_duration_has_two_units(self, seconds, text):
        assert duration_text(seconds) == text


class TestTimeTag:
    def test_moment_of_another_zone_is_sent_in_utc(self):
        moment = datetime(2026, 1, 5, 12, tzinfo=timezone(timedelta(hours=2)))
        assert time_tag(moment).dateTime == "2026-01-05T10:00:00Z"

    def test_naive_moment_is_read_as_utc(self):
        naive = datetime(2026, 1, 5, 12, tzinfo=UTC).replace(tzinfo=None)
        assert time_tag(naive).dateTime == "2026-01-05T12:00:00Z"

    def test_no_moment_is_a_dash(self):
        assert time_tag(None).children == "–"


class TestFeedback:
    def test_every_status_has_an_icon_of_its_own_and_its_word(self):
        badges = [status_badge(status) for status in STATUS_ICONS]
        assert len({badge.children[0].className for badge in badges}) == 6
        assert [badge.children[1].lower() for badge in badges] == list(STATUS_ICONS)

    def test_unknown_status_stays_grey(self):
        assert "status-unknown" in status_badge('x" onload="').className

    def test_preview_says_how_many_more_there_are(self):
        assert "and 1,990 more" in wire(preview_list([f"run {i}" for i in range(10)], total=2000, shown=10))

    def test_progress_never_leaves_its_track(self):
        assert progress(500, 400, label="x").children.style["width"] == "100.0%"
        assert progress(1, 0, label="x").children.style["width"] == "0.0%"

    def test_two_equal_toasts_are_two_messages(self):
        assert toast("info", "Saved")["id"] != toast("info", "Saved")["id"]

    def test_undo_names_the_store_that_waits_for_it(self):
        assert toast("success", "Deleted", undo=("s", [1]))["action"] == {"label": "Undo", "store": "s", "data": [1]}


class TestGraph:
    def test_no_chart_offers_to_upload_itself(self):
        assert GRAPH_CONFIG["showSendToCloud"] is False
        assert GRAPH_CONFIG["plotlyServerURL"] == ""
        assert chart("a", label="A").children.config == GRAPH_CONFIG

    def test_panel_reports_under_its_key(self):
        assert chart_panel("a", "Loss", key="val/loss").to_plotly_json()["props"]["data-panel-key"] == "val/loss"

    def test_pattern_matched_id_is_kept(self):
        assert chart({"type": "curve", "key": "k"}, label="A").children.id == {"type": "curve", "key": "k"}


class TestGrid:
    def test_grid_asks_for_one_block_at_a_time(self):
        grid = data_grid("g", [number_column("a", "A")], label="Rows").children
        assert grid.dashGridOptions["maxConcurrentDatasourceRequests"] == 1
        assert grid.rowModelType == "infinite"

    def test_options_of_a_page_win(self):
        grid = data_grid("g", [], label="Rows", options={"rowHeight": 52}).children
        assert grid.dashGridOptions["rowHeight"] == 52

    def test_actions_carry_when_they_are_offered(self):
        column = actions_column([RowAction("cancel", "Cancel", when=["running"])])
        assert column["cellRendererParams"]["actions"][0]["when"] == ["running"]


class TestShell:
    def frame(self):
        return wire(
            shell(
                navigation=[NavGroup("Data", []), NavGroup("Runs", [NavEntry("Experiments", "/experiments")])],
                user=UserBadge("Ada Lovelace", "Operator"),
                page_container=page_header("T", breadcrumbs=[("Home", "/")]),
                csrf_token="t0ken",
            )
        )

    def test_group_without_entries_vanishes(self):
        assert '"Data"' not in self.frame()
        assert '"Runs"' in self.frame()

    def test_sign_out_posts_the_token(self):
        text = self.frame()
        assert '"action":"/logout"' in text
        assert '"method":"POST"' in text
        assert '"value":"t0ken"' in text

    def test_one_main_and_one_heading(self):
        assert self.frame().count('"type":"Main"') == 1
        assert self.frame().count('"type":"H1"') == 1

    def test_icon_without_label_is_hidden_from_readers(self):
        assert icon("house").to_plotly_json()["props"]["aria-hidden"] == "true"

    def test_attribute_that_is_neither_aria_nor_data_is_refused(self):
        with pytest.raises(ValueError, match="onclick"):
            attributes({"onclick": "x"})


class TestConfigTree:
    def test_leaf_is_found_by_path_and_by_value(self):
        assert '"data-search":"optimizer.lr 0.0003"' in wire(config_tree({"optimizer": {"lr": 0.0003}}, id="c"))

    def test_values_read_as_in_a_configuration_file(self):
        text = wire(config_tree({"a": None, "b": True, "c": [1, "x"], "d": {}}, id="c"))
        for shown in ('"null"', '"true"', '"[1, x]"', '"{}"'):
            assert shown in text
