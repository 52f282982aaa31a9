"""Runs in plain values become experiments, on both databases."""

import numpy as np
import pytest
from sqlalchemy import select

from database.engine import snapshot, transaction
from models.experiment import Experiment
from models.experiment_param import ExperimentParam
from models.metric_series import MetricSeries
from models.permissions import PermissionDenied
from models.system_log import SystemLog
from models.tag import Tag
from models.training_run import TrainingRun
from services.curves.reading import read_all
from services.imports.run import ImportedSeries
from services.imports.store import store
from tests.support.imported_runs import STARTED, a_run, experiment_of, finish, inf, nan, put, rows
from tests.support.people import person


class TestNewRun:
    def test_all_facts_are_kept(self, database):
        owner = person("operator")
        stored = put(a_run(), owner.user_id)
        experiment = experiment_of()
        assert (stored.outcome, stored.points_added, stored.experiment_id) == ("new", 7, experiment.id)
        assert (experiment.name, experiment.given_name, experiment.group_name) == ("bearing", None, "bearings")
        assert (experiment.status, experiment.model_type, experiment.notes) == ("completed", "resnet18", "**hello**")
        assert (experiment.started_at, experiment.duration_seconds) == (STARTED, 90)
        assert experiment.created_at == STARTED
        assert (experiment.created_by, experiment.artifact_paths) == (owner.user_id, ["file:///gone"])
        assert experiment.hyperparameters == {"lr": 1e-3, "layers": {"count": 3}, "name": "x"}
        assert experiment.config == {"git_commit": "abc", "owner": "ada", "tags": {"fold": "1"}}

    def test_parameters_become_rows(self, database):
        put(a_run())
        found = {row.name: row.value_number for row in rows(select(ExperimentParam))}
        assert found == {"lr": 1e-3, "layers": None, "name": None}

    def test_points_keep_their_order_and_what_is_not_finite(self, database):
        put(a_run())
        with snapshot() as session:
            ids = list(session.scalars(select(MetricSeries.id).order_by(MetricSeries.id)))
            points = read_all(session, ids)
        loss, f1 = (points[number] for number in ids) if len(points[ids[0]]) == 4 else reversed(list(points.values()))
        assert loss.steps.tolist() == [1, 2, 3, 3]
        np.testing.assert_array_equal(loss.values, [0.9, nan, 0.5, inf])
        assert f1.steps.tolist() == [10, 5, 10]

    def test_epochs_hold_finite_values_only(self, database):
        put(a_run())
        found = rows(select(TrainingRun).order_by(TrainingRun.epoch))
        assert [(row.epoch, row.train_loss, row.val_accuracy) for row in found] == [(1, 0.9, 0.6), (2, None, None)]
        experiment = experiment_of()
        assert (experiment.epochs_completed, experiment.total_epochs, experiment.best_epoch) == (2, 2, 1)

    @pytest.mark.parametrize(
        ("status", "parameters", "total"),
        [("completed", {"epochs": 9}, 9), ("running", {}, None), ("running", {"max_epochs": 9}, 9)],
    )
    def test_planned_epochs_are_the_total(self, sqlite, status, parameters, total):
        put(a_run(status=status, hyperparameters=parameters))
        assert experiment_of().total_epochs == total

    def test_name_that_is_taken_gets_a_number_and_stays_readable(self, database):
        for number in range(3):
            put(a_run(f"r{number}"))
        assert [(e.name, e.given_name) for e in rows(select(Experiment).order_by(Experiment.id))] == [
            ("bearing", None),
            ("bearing (2)", "bearing"),
            ("bearing (3)", "bearing"),
        ]

    def test_text_at_the_width_of_its_column_goes_in(self, database):
        put(a_run("i" * 500, name="n" * 255, group="g" * 255, model_type="m" * 100, tags={"k" * 250: "v" * 60_000}))
        experiment = experiment_of("i" * 500)
        assert experiment.shown_name == "n" * 255
        assert (experiment.model_type, experiment.config["model_type"]) == ("m" * 50, "m" * 100)

    def test_viewer_is_refused(self, sqlite):
        viewer = person("viewer")
        with pytest.raises(PermissionDenied), transaction() as session:
            store(session, viewer, a_run(), viewer.user_id)

    def test_thousands_of_metrics_fit_one_statement_of_each_database(self, database):
        many = tuple(ImportedSeries.of(f"m{n}", [1], [n]) for n in range(7000))
        assert put(a_run(series=many)).points_added == 7000


class TestParents:
    def test_child_finds_the_parent_that_is_there(self, database):
        parent = put(a_run("p"))
        put(a_run("c", parent_source_id="p"))
        assert experiment_of("c").parent_id == parent.experiment_id

    def test_child_that_came_first_is_joined_at_the_end(self, database):
        put(a_run("c", parent_source_id="p"))
        parent = put(a_run("p"))
        finish("new", "new")
        assert experiment_of("c").parent_id == parent.experiment_id
        assert [log.details for log in rows(select(SystemLog))] == [
            {"by": "system", "source": "mlflow", "new": 2, "extended": 0}
        ]

    def test_parent_that_never_comes_leaves_no_trace(self, database):
        put(a_run("c", parent_source_id="p"))
        finish("unchanged")
        assert experiment_of("c").parent_id is None
        assert rows(select(SystemLog)) == []

    def test_circle_is_not_closed(self, database):
        put(a_run("a", parent_source_id="b"))
        put(a_run("b", parent_source_id="a"))
        put(a_run("s", parent_source_id="s"))
        finish("new")
        assert experiment_of("b").parent_id == experiment_of("a").id
        assert (experiment_of("a").parent_id, experiment_of("s").parent_id) == (None, None)


class TestDryRun:
    def test_outcomes_are_told_and_nothing_is_written(self, database):
        dry = put(a_run(), dry_run=True)
        assert (dry.outcome, dry.points_added) == ("new", 7)
        assert rows(select(Experiment)) == rows(select(Tag)) == []
        put(a_run(status="running"))
        assert put(a_run(), dry_run=True).outcome == "extended"
        assert experiment_of().status == "running"
        put(a_run())
        assert put(a_run(), dry_run=True).outcome == "unchanged"
