"""The experiment list: filters, order, pages, search; the same few queries for any number of rows."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from database.engine import snapshot, transaction
from models import Dataset, Experiment
from models.permissions import Role
from services import search
from services.actor import SYSTEM, Actor
from services.curves import writing
from services.curves.packing import Points
from services.errors import Invalid, NotFound
from services.experiments import editing, epochs, exporting, lifecycle, listing, options
from services.experiments.access import get
from services.experiments.conditions import Filter
from services.experiments.listing import ListQuery
from tests.support.people import person

NOBODY = Actor(None, "nobody", "owner", frozenset())
START = datetime(2026, 3, 1, tzinfo=UTC)


def make(
    name: str, *, metrics: dict[str, list[float]] | None = None, params: dict[str, Any] | None = None, **columns: Any
) -> int:
    with transaction() as session:
        experiment = lifecycle.create(session, SYSTEM, name=name, hyperparameters=params or {}, **columns)
        series = {key: Points.of(range(1, len(values) + 1), values) for key, values in (metrics or {}).items()}
        writing.append(session, experiment.id, series)
        return experiment.id


def names(query: ListQuery, actor: Actor = SYSTEM) -> list[str]:
    with snapshot() as session:
        return [row["name"] for row in listing.list_rows(session, actor, query).rows]


def filtered(column: str, operation: str, value: Any = None, upper: Any = None) -> list[str]:
    return sorted(names(ListQuery(filters=(Filter(column, operation, value, upper),))))


@pytest.fixture
def four(database: Engine) -> None:
    """Four experiments that differ in everything."""
    with transaction() as session:
        session.add_all([Dataset(id=1, name="CWRU"), Dataset(id=2, name="IMS")])
    make(
        "alpha_run", model_type="cnn", dataset_id=1, status="completed", duration_seconds=10.0, created_at=START,
        metrics={"acc": [0.1, 0.9, 0.5]}, params={"lr": 0.1, "opt": "adam"},
    )  # fmt: skip
    make(
        "beta_run", model_type="svm", dataset_id=1, status="failed", created_at=START + timedelta(days=1),
        metrics={"acc": [0.7]}, params={"lr": 0.01, "opt": "sgd"},
    )  # fmt: skip
    make("gamma", model_type="cnn", dataset_id=2, duration_seconds=30.0, created_at=START + timedelta(days=2))
    make(
        "delta", created_at=START + timedelta(days=3), metrics={"acc": [float("nan")]}, params={"lr": "auto"},
        notes="the bearing was warm",
    )  # fmt: skip


@pytest.mark.usefixtures("four")
class TestFilters:
    @pytest.mark.parametrize(
        ("column", "operation", "value", "upper", "found"),
        [
            ("name", "contains", "RUN", None, ["alpha_run", "beta_run"]),
            ("name", "contains", "%", None, []),
            ("name", "contains", "_", None, ["alpha_run", "beta_run"]),
            ("name", "notContains", "run", None, ["delta", "gamma"]),
            ("name", "startsWith", "g", None, ["gamma"]),
            ("name", "endsWith", "a", None, ["delta", "gamma"]),
            ("model", "equals", "cnn", None, ["alpha_run", "gamma"]),
            ("model", "notEqual", "cnn", None, ["beta_run", "delta"]),
            ("model", "blank", None, None, ["delta"]),
            ("model", "notBlank", None, None, ["alpha_run", "beta_run", "gamma"]),
            ("status", "in", ["failed", "completed"], None, ["alpha_run", "beta_run"]),
            ("status", "in", [], None, []),
            ("status", "equals", "failed", None, ["beta_run"]),
            ("dataset", "contains", "cw", None, ["alpha_run", "beta_run"]),
            ("dataset", "notContains", "cw", None, ["delta", "gamma"]),
            ("dataset", "blank", None, None, ["delta"]),
            ("duration", "greaterThan", 10, None, ["gamma"]),
            ("duration", "greaterThanOrEqual", "10", None, ["alpha_run", "gamma"]),
            ("duration", "inRange", 5, 15, ["alpha_run"]),
            ("duration", "blank", None, None, ["beta_run", "delta"]),
            ("created", "equals", "2026-03-02", None, ["beta_run"]),
            ("created", "lessThan", "2026-03-02 00:00:00", None, ["alpha_run"]),
            ("created", "inRange", "2026-03-02", "2026-03-03", ["beta_run", "gamma"]),
            ("created", "greaterThan", "2026-03-02", None, ["delta", "gamma"]),
            ("metric:max:acc", "greaterThan", 0.8, None, ["alpha_run"]),
            ("metric:last:acc", "lessThan", 0.6, None, ["alpha_run"]),
            ("metric:min:acc", "equals", 0.7, None, ["beta_run"]),
            ("metric:max:no such", "greaterThan", 0, None, []),
            ("param:lr", "lessThan", 0.05, None, ["beta_run"]),
            ("param:lr", "equals", 0.1, None, ["alpha_run"]),
            ("param:lr", "equals", "auto", None, ["delta"]),
            ("param:opt", "contains", "AD", None, ["alpha_run"]),
            ("param:opt", "blank", None, None, ["delta", "gamma"]),
        ],
    )
    def test_find_what_they_say(self, column: str, operation: str, value: Any, upper: Any, found: list[str]) -> None:
        assert filtered(column, operation, value, upper) == found

    @pytest.mark.parametrize(
        ("zone", "found"), [("Europe/Berlin", ["beta_run"]), ("America/New_York", ["gamma"]), ("UTC", ["beta_run"])]
    )
    def test_take_a_day_by_the_clock_of_the_one_who_asks(self, zone: str, found: list[str]) -> None:
        asked = Filter("created", "equals", "2026-03-02 00:00:00", zone=ZoneInfo(zone))
        assert names(ListQuery(filters=(asked,))) == found

    def test_know_that_a_day_may_have_23_hours(self) -> None:
        make(
            "after", created_at=datetime(2026, 3, 29, 22, 30, tzinfo=UTC)
        )  # half past midnight in Berlin, by summer time
        asked = Filter("created", "equals", "2026-03-29", zone=ZoneInfo("Europe/Berlin"))
        assert names(ListQuery(filters=(asked,))) == []

    @pytest.mark.parametrize(
        ("column", "operation", "value"),
        [
            ("password", "contains", "x"),
            ("name; DROP TABLE users", "contains", "x"),
            ("name", "regexp", "x"),
            ("duration", "equals", "ten"),
            ("duration", "equals", "nan"),
            ("duration", "equals", "1e999"),
            ("created", "equals", "yesterday"),
            ("metric:median:acc", "equals", 1),
            ("metric:max:", "equals", 1),
            ("name", "contains", {"x": 1}),
            ("name", "contains", "\x00"),
            ("name", "contains", "\ud800"),
            ("name", "contains", "x" * 501),
            ("status", "in", {"a": 1}),
            ("status", "in", ["failed", 1]),
            ("status", "in", ["no such"]),
            ("status", "notEqual", "failed"),
        ],
    )
    def test_refuse_what_they_do_not_know(self, column: str, operation: str, value: Any) -> None:
        with pytest.raises(Invalid):
            filtered(column, operation, value)

    def test_an_unknown_column_to_sort_by_is_refused(self) -> None:
        with pytest.raises(Invalid):
            names(ListQuery(sort="password_hash"))


@pytest.mark.usefixtures("four")
def test_status_is_the_word_and_times_are_iso_8601_in_utc() -> None:
    with snapshot() as session:
        row = next(row for row in listing.list_rows(session, SYSTEM, ListQuery()).rows if row["name"] == "beta_run")
    assert (row["status"], row["ended"]) == ("failed", None)
    assert row["created"].endswith("+00:00")
    assert datetime.fromisoformat(row["created"]) == START + timedelta(days=1)


@pytest.mark.usefixtures("four")
class TestOrder:
    @pytest.mark.parametrize(
        ("sort", "descending", "expected"),
        [
            ("created", True, ["delta", "gamma", "beta_run", "alpha_run"]),
            ("name", False, ["alpha_run", "beta_run", "delta", "gamma"]),
            ("metric:max:acc", True, ["alpha_run", "beta_run", "delta", "gamma"]),
            ("metric:max:acc", False, ["beta_run", "alpha_run", "delta", "gamma"]),
            ("param:lr", True, ["alpha_run", "beta_run", "delta", "gamma"]),
            ("param:lr", False, ["beta_run", "alpha_run", "delta", "gamma"]),
        ],
    )
    def test_puts_those_without_a_value_last(self, sort: str, descending: bool, expected: list[str]) -> None:
        found = names(ListQuery(sort=sort, descending=descending))
        assert found[:2] == expected[:2]
        assert sorted(found[2:]) == sorted(expected[2:])

    @pytest.mark.parametrize("sort", ["created", "name", "metric:last:acc", "param:lr", "duration"])
    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_pages_joined_are_the_whole_list(self, sort: str, size: int) -> None:
        if sort == "duration":
            pytest.importorskip("sqlalchemy")
        joined: list[str] = []
        more, offset = True, 0
        while more:
            with snapshot() as session:
                page = listing.list_rows(session, SYSTEM, ListQuery(sort=sort, offset=offset, limit=size))
            joined += [row["name"] for row in page.rows]
            more, offset = page.has_more, offset + size
        assert joined == names(ListQuery(sort=sort))
        assert len(joined) == 4

    def test_a_special_last_value_is_shown_by_name(self) -> None:
        with snapshot() as session:
            page = listing.list_rows(session, SYSTEM, ListQuery(text="delta", metrics=("metric:last:acc",)))
        assert page.rows[0]["metric:last:acc"] == "nan"


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("sort", ["created", "dataset", "metric:max:acc", "metric:min:other", "param:lr", "param:opt"])
@pytest.mark.parametrize(
    ("column", "operation", "value"),
    [
        ("param:lr", "greaterThan", 0.0),
        ("param:opt", "contains", "a"),
        ("param:opt", "blank", None),
        ("metric:max:acc", "greaterThan", 0.8),
        ("metric:max:other", "greaterThan", 0.0),
        ("dataset", "contains", "c"),
        ("tags", "blank", None),
    ],
)
def test_a_filter_finds_the_same_however_the_list_is_sorted(sort: str, column: str, operation: str, value: Any) -> None:
    filters = (Filter(column, operation, value),)
    columns = {"metrics": ("metric:max:acc",), "params": ("lr",)}
    assert sorted(names(ListQuery(filters=filters, sort=sort, **columns))) == sorted(names(ListQuery(filters=filters)))


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("sort", ["name", "metric:max:acc", "param:lr"])
def test_two_filters_of_one_kind_each_ask_for_their_own(sort: str) -> None:
    params = (Filter("param:lr", "lessThan", 0.05), Filter("param:opt", "equals", "sgd"))
    metrics = (Filter("metric:max:acc", "greaterThan", 0.6), Filter("metric:min:acc", "lessThan", 0.2))
    assert names(ListQuery(filters=params, sort=sort)) == ["beta_run"]
    assert names(ListQuery(filters=metrics, sort=sort)) == ["alpha_run"]


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("name", ["a\x00b", "\ud800", ""])
@pytest.mark.parametrize("kind", ["param:", "metric:max:"])
def test_a_name_that_no_database_holds_is_refused(kind: str, name: str) -> None:
    with pytest.raises(Invalid):
        names(ListQuery(sort=kind + name))
    with pytest.raises(Invalid):
        filtered(kind + name, "blank")


@pytest.mark.usefixtures("four")
class TestSearch:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("alpha", ["alpha_run"]),
            ("run", ["alpha_run", "beta_run"]),
            ("RU", ["alpha_run", "beta_run"]),
            ("run beta", ["beta_run"]),
            ("bearing warm", ["delta"]),
            ("cnn", ["alpha_run", "gamma"]),
            ("alpha_r", ["alpha_run"]),
            ("Alpha-Run", ["alpha_run"]),
            ("run_alpha", []),
            ("alph_run", []),
            ("nothing", []),
            ("' OR 1=1 --", []),
            ('"', []),
            ("*", []),
            ("a:* & b", []),
        ],
    )
    def test_finds_words_by_their_beginnings_on_both_databases(self, text: str, found: list[str]) -> None:
        assert sorted(names(ListQuery(text=text))) == found

    def test_what_is_written_as_one_is_looked_for_as_one(self) -> None:
        for name in ("UNet_lr1e_4", "UNet_dr01_bs8_lr1e_4", "lr_UNet"):
            make(name)
        assert names(ListQuery(text="UNet_lr")) == ["UNet_lr1e_4"]
        assert len(names(ListQuery(text="UNet lr"))) == 3

    def test_follows_a_change_of_notes(self) -> None:
        with transaction() as session:
            number = session.query(Experiment.id).filter_by(name="gamma").scalar()
            editing.set_notes(session, SYSTEM, number, "replaced cage")
        assert names(ListQuery(text="cage")) == ["gamma"]

    def test_forgets_what_was_removed(self) -> None:
        with transaction() as session:
            number = session.query(Experiment.id).filter_by(name="alpha_run").scalar()
            editing.remove(session, [number])
        assert names(ListQuery(text="alpha")) == []

    @settings(max_examples=60)
    @given(st.text(max_size=40))
    def test_takes_any_text(self, text: str) -> None:
        with snapshot() as session:
            found = search.find(session, SYSTEM, text.replace("\x00", "").encode("utf-8", "ignore").decode())
        assert len(found) <= 10


class TestColumnsAtFirst:
    def columns(self, actor: Actor = SYSTEM) -> tuple[str, ...]:
        with snapshot() as session:
            return options.default_columns(session, actor)

    def test_are_what_most_have_each_by_its_better_direction(self, database: Engine) -> None:
        for number in range(3):
            make(f"a{number}", metrics={"val_loss": [1, 0.5], "val_accuracy": [0.1, 0.9], "lr": [0.1]})
        make("b", metrics={"lr": [0.1], "steps": [1]})
        assert self.columns() == ("metric:last:lr", "metric:max:val_accuracy")

    def test_tell_about_the_experiments_of_both_of_two_tools(self, database: Engine) -> None:
        for number in range(3):
            make(f"a{number}", metrics={"val_loss": [1], "val_accuracy": [0.1]})
        make("b", metrics={"test_f1": [0.5]})
        assert self.columns() == ("metric:max:val_accuracy", "metric:max:test_f1")

    def test_are_of_the_newest_however_many_were_taken_in_before(self, database: Engine) -> None:
        for number in range(60):
            make(f"old {number}", metrics={"objective": [1]}, created_at=START)
        for number in range(30):
            make(f"new {number}", metrics={"val_accuracy": [0.5]}, created_at=START + timedelta(days=1))
        assert self.columns() == ("metric:max:val_accuracy", "metric:last:objective")

    def test_are_none_where_nothing_was_logged_or_may_be_seen(self, database: Engine) -> None:
        assert self.columns() == ()
        make("a", metrics={"val_loss": [1]})
        assert self.columns(NOBODY) == ()


def row_of(number: int, **asked: Any) -> dict[str, Any]:
    with snapshot() as session:
        return next(
            row for row in listing.list_rows(session, SYSTEM, ListQuery(**asked)).rows if row["id"] == str(number)
        )


class TestRow:
    @pytest.mark.parametrize(("columns", "told"), [({}, None), ({"total_epochs": 9, "status": "running"}, 0)])
    def test_tells_no_epochs_of_a_run_that_counts_none(
        self, database: Engine, columns: dict[str, Any], told: int | None
    ) -> None:
        assert row_of(make("a", **columns))["epochs"] == told

    def test_names_the_parent_unless_it_is_deleted(self, database: Engine) -> None:
        parent = make("search")
        child = make("trial-0", parent_id=parent)
        assert row_of(child)["parent"] == "search"
        assert filtered("parent", "contains", "sear") == ["trial-0"]
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [parent])
        assert row_of(child)["parent"] is None

    def test_says_when_it_was_deleted(self, database: Engine) -> None:
        number = make("a")
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [number])
        assert datetime.fromisoformat(row_of(number, deleted=True)["deleted"]).tzinfo is not None

    def test_that_waits_is_sorted_by_when_it_was_made(self, database: Engine) -> None:
        make("old", started_at=START, created_at=START + timedelta(days=9))
        make("waiting", created_at=START + timedelta(days=1))
        make("new", started_at=START + timedelta(days=2), created_at=START)
        assert names(ListQuery(sort="started")) == ["new", "waiting", "old"]


class TestCost:
    def test_a_list_of_100_rows_costs_as_many_queries_as_one_of_5(
        self, database: Engine, count_queries: Callable[[Engine, Callable[[], Any]], int]
    ) -> None:
        query = ListQuery(metrics=("metric:max:acc", "metric:last:acc"), params=("lr",), sort="metric:max:acc")
        costs = []
        for target in (5, 100):
            with snapshot() as session:
                there = listing.count(session, SYSTEM, query)
            for number in range(there, target):
                make(f"e{number}", metrics={"acc": [number / 200]}, params={"lr": 0.1})

            def work() -> None:
                with snapshot() as session:
                    assert len(listing.list_rows(session, SYSTEM, query).rows) == target  # noqa: B023

            costs.append(count_queries(database, work))
        assert costs[0] == costs[1] <= 8

    def test_a_page_never_holds_more_than_the_limit(self, sqlite: Engine) -> None:
        for number in range(3):
            make(f"e{number}")
        with snapshot() as session:
            page = listing.list_rows(session, SYSTEM, ListQuery(limit=10**9))
        assert len(page.rows) == 3


class TestVisibility:
    def test_who_may_not_view_sees_nothing(self, database: Engine) -> None:
        number = make("secret")
        assert names(ListQuery(), NOBODY) == []
        with snapshot() as session:
            assert listing.count(session, NOBODY, ListQuery()) == 0
            assert search.find(session, NOBODY, "secret") == []
            assert options.metric_names(session, NOBODY) == []
            with pytest.raises(NotFound):
                get(session, NOBODY, number)

    @pytest.mark.parametrize("number", [0, -1, 2**31, 2**70])
    def test_an_impossible_id_is_not_found(self, database: Engine, number: int) -> None:
        with snapshot() as session, pytest.raises(NotFound):
            get(session, SYSTEM, number)

    def test_deleted_ones_stand_apart(self, database: Engine) -> None:
        number = make("gone")
        make("here")
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [number])
        assert names(ListQuery()) == ["here"]
        assert names(ListQuery(deleted=True)) == ["gone"]


class TestExport:
    def test_holds_what_the_filter_shows_and_no_formula(self, sqlite: Engine) -> None:
        actor = person(Role.OPERATOR)
        make("=cmd|' /C calc'!A0", metrics={"acc": [0.5]})
        with transaction() as session:
            text, rows, more = exporting.list_as_csv(session, actor, ListQuery(metrics=("metric:max:acc",)))
        assert (rows, more) == (1, False)
        lines = text.split("\r\n")
        assert lines[0].startswith("id,name,")
        assert "'=cmd" in lines[1]
        assert ",0.5," in lines[1]

    @pytest.mark.parametrize("tag", ["=1+1", "@sum(1)", "-2+3", "+1"])
    def test_holds_no_formula_made_of_a_tag(self, sqlite: Engine, tag: str) -> None:
        actor, number = person(Role.OPERATOR), make("tagged")
        with transaction() as session:
            editing.add_tag(session, SYSTEM, [number], tag)
            text, _, _ = exporting.list_as_csv(session, actor, ListQuery())
        assert text.split("\r\n")[1].endswith(f",'{tag}")

    @pytest.mark.parametrize("text", ["=1", "  =1", "\t=1", "\n=1", "\u00a0@x", "＝1", "\tx", "-1"])
    def test_text_that_a_spreadsheet_reads_as_a_formula_gets_a_quote(self, text: str) -> None:
        assert options.csv_cell(text) == f"'{text}"

    def test_so_does_what_begins_a_cell_behind_a_semicolon(self) -> None:
        assert options.csv_cell("a; =1;b\t-2\n@x") == "a; '=1;b\t'-2\n'@x"

    @pytest.mark.parametrize(
        ("value", "cell"),
        [
            (-0.5, "-0.5"),
            (-3, "-3"),
            ("-Infinity", "-Infinity"),
            ("-inf", "-inf"),
            ("a=b", "a=b"),
            (None, ""),
            ([], ""),
        ],
    )
    def test_numbers_and_other_text_stay_as_they_are(self, value: object, cell: str) -> None:
        assert options.csv_cell(value) == cell

    def test_says_when_runs_began_and_no_epochs_of_those_that_count_none(self, sqlite: Engine) -> None:
        actor = person(Role.OPERATOR)
        make("a", started_at=START)
        with transaction() as session:
            head, line = exporting.list_as_csv(session, actor, ListQuery())[0].splitlines()
        told = dict(zip(head.split(","), line.split(","), strict=True))
        assert (told["epochs"], told["started (UTC)"][:10]) == ("", "2026-03-01")


def test_names_of_params_come_in_order_each_once(database: Engine) -> None:
    make("a", params={"lr": 1, "opt": "x"})
    make("b", params={"lr": 2, "batch": 3})
    with snapshot() as session:
        assert options.param_names(session, SYSTEM) == ["batch", "lr", "opt"]


def test_the_version_moves_with_new_rows_running_epochs_tags_and_deletions(database: Engine) -> None:
    number = make("a", status="running")

    def version() -> str:
        with snapshot() as session:
            return options.version(session, SYSTEM)

    seen = [version()]
    with transaction() as session:
        epochs.record_epoch(session, number, epochs.Epoch(1, val_loss=0.5))
    seen.append(version())
    other = make("b")
    seen.append(version())
    with transaction() as session:
        editing.add_tag(session, SYSTEM, [number], "good")
    seen.append(version())
    with transaction() as session:
        editing.remove_tag(session, SYSTEM, [number], "good")
    seen.append(version())
    with transaction() as session:
        editing.delete_experiments(session, SYSTEM, [other])
    seen.append(version())
    with transaction() as session:
        editing.restore_experiments(session, SYSTEM, [other])
    seen.append(version())
    assert len(set(seen)) == 7


def test_infinity_is_no_parameter_number(database: Engine) -> None:
    make("a", params={"clip": math.inf})
    assert filtered("param:clip", "equals", "inf") == ["a"]
