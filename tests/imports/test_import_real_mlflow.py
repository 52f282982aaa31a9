"""Every value that the READMEs of the real MLflow store and database state."""

import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest

from services.imports import mlflow

DATA = Path(__file__).parents[2].parent / "shared" / "data"
STORE, DATABASE = DATA / "mlflow_filestore_eeg", DATA / "mlflow_sqlite" / "gan_mlruns.db"
needs_store = pytest.mark.skipif(not STORE.is_dir(), reason="the real store is not beside this checkout")
needs_database = pytest.mark.skipif(not DATABASE.is_file(), reason="the real database is not beside this checkout")
PARENT_ROW = re.compile(r"\| `([0-9a-f]{32})` \| (\S+) \| (\d+) \| (\S+) \| (\S+) \|")
PARENTS = PARENT_ROW.findall((STORE / "README.md").read_text()) if STORE.is_dir() else []


@pytest.fixture(scope="module")
def store_runs():
    return {run.source_id: run for run in mlflow.read_runs(STORE)}


@pytest.fixture(scope="module")
def database_runs():
    return {run.source_id: run for run in mlflow.read_runs(DATABASE)}


@needs_store
class TestFileStore:
    @pytest.fixture
    def runs(self, store_runs):
        return store_runs

    def test_all_63_runs_come_in_finished(self, runs):
        assert Counter(run.status for run in runs.values()) == {"completed": 63}
        assert mlflow.count_runs(STORE) == 63

    def test_there_are_three_parents(self, runs):
        children = {run.parent_source_id for run in runs.values()} - {None}
        assert sorted(children) == sorted(row[0] for row in PARENTS)

    @pytest.mark.parametrize(("parent", "name", "count", "lowest", "highest"), PARENTS)
    def test_parent_has_the_stated_children(self, runs, parent, name, count, lowest, highest):
        objectives = [run.series_of("objective") for run in runs.values() if run.parent_source_id == parent]
        assert {len(series) for series in objectives} == {1}
        values = [float(series.values[0]) for series in objectives]
        assert (runs[parent].name, str(len(values))) == (name, count)
        assert (f"{min(values):.6f}", f"{max(values):.6f}") == (lowest, highest)

    @pytest.mark.parametrize("parent", [row[0] for row in PARENTS])
    def test_parent_has_tags_but_neither_parameters_nor_metrics(self, runs, parent):
        run = runs[parent]
        assert (run.hyperparameters, run.series, run.epochs) == ({}, (), ())
        assert set(run.tags) == {"pipeline", "window_s", "outer_fold"}

    def test_children_have_the_six_parameters(self, runs):
        keys = {tuple(sorted(run.hyperparameters)) for run in runs.values() if run.parent_source_id}
        assert keys == {("band", "dropout", "heads", "hid", "out", "s_idx")}

    def test_one_child_is_read_to_the_last_digit(self, runs):
        run = runs["cd58f01002d34d2d963ef2fa7dab3632"]
        assert run.hyperparameters == {
            "band": "delta",
            "dropout": 0.29514853954374903,
            "heads": 2,
            "hid": 8,
            "out": 8,
            "s_idx": 1,
        }
        series = run.series_of("objective")
        assert (series.steps[0], series.values[0], series.times[0]) == (0, -0.9359653152193711, 1760983952.297)
        assert (run.name, run.group, run.owner) == ("trial-15", "eeg-gwtgat-vs-classical", "sensing")
        assert run.config["git_commit"] == "b73e6c9fdb90a9c03ad4501e387cd2fc981aa750"
        assert run.started_at.timestamp() == 1760983933.237

    def test_one_objective_per_trial_is_no_epoch(self, runs):
        assert {run.epochs for run in runs.values()} == {()}

    def test_folder_parent_and_experiment_give_the_same_runs(self, runs):
        for path in (STORE / "mlruns", STORE / "mlruns" / "410325243298950384", f"file://{STORE}/mlruns"):
            assert {run.source_id for run in mlflow.read_runs(path)} == set(runs)

    def test_artifact_paths_are_text(self, runs):
        assert all(run.artifact_paths[0].startswith("file:///home/sensing/") for run in runs.values())


@needs_database
class TestDatabase:
    @pytest.fixture
    def runs(self, database_runs):
        return database_runs

    def test_runs_have_the_stated_names_and_statuses(self, runs):
        assert {run_id: (run.name, run.status) for run_id, run in runs.items()} == {
            "bd0283e0c0a447b5a6f9289f599bd7b3": ("casual-boar-794", "failed"),
            "a9a749579daa432482122692e5376b32": ("illustrious-frog-365", "failed"),
            "fb006c5efbf54a6e92e4d4e4042e6c8f": ("rambunctious-bat-651", "completed"),
            "845f6744a94a4155b7277ec7d05f1aaf": ("dazzling-loon-103", "completed"),
        }
        assert mlflow.count_runs(DATABASE) == 4

    def test_four_metrics_have_ten_points_from_step_0_to_4(self, runs):
        found = Counter()
        for run in runs.values():
            for series in run.series:
                found[series.key] += len(series)
                assert series.steps.tolist() == [0, 1, 2, 3, 4]
        assert found == dict.fromkeys(["accuracy_fake", "accuracy_real", "discriminator_loss", "generator_loss"], 10)

    def test_parameters_are_numbers(self, runs):
        expected = {"batch_size": 256, "epochs": 5, "lr": 0.0002, "noise_dim": 100}
        assert [run.hyperparameters for run in runs.values()] == [{}, expected, expected, expected]

    def test_losses_of_two_networks_are_not_taken_for_training_and_validation(self, runs):
        assert {run.epochs for run in runs.values()} == {()}

    def test_uri_gives_the_same_runs(self, runs, monkeypatch):
        monkeypatch.chdir(DATABASE.parent)
        for uri in (f"sqlite:///{DATABASE}", "sqlite:///gan_mlruns.db"):
            assert {run.source_id for run in mlflow.read_runs(uri)} == set(runs)

    def test_file_is_left_as_it_was_and_alone(self, runs):
        assert hashlib.sha256(DATABASE.read_bytes()).hexdigest()[:16] == "300c7785be2e302a"
        assert sorted(path.name for path in DATABASE.parent.iterdir()) == ["README.md", "gan_mlruns.db"]
