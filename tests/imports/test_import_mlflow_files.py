"""File stores of MLflow as they are found in the wild: deleted, running, damaged, hostile."""

import math

import numpy as np
import pytest

from services.imports import mlflow
from services.imports.run import BadRun, ImportedRun, ImportSourceError


def read_one(path):
    (run,) = mlflow.read_runs(path)
    return run


class TestSource:
    @pytest.mark.parametrize("uri", ["http://localhost:5000", "https://host", "databricks://x", "postgresql://h/db"])
    def test_server_is_refused_in_a_sentence(self, uri):
        with pytest.raises(ImportSourceError, match="Only MLflow file stores and SQLite files are read"):
            next(mlflow.read_runs(uri))

    def test_empty_folder_is_refused(self, tmp_path):
        with pytest.raises(ImportSourceError, match="No MLflow runs under"):
            mlflow.count_runs(tmp_path)

    def test_experiment_without_runs_is_refused(self, tmp_path):
        (tmp_path / "0").mkdir()
        (tmp_path / "0" / "meta.yaml").write_text("experiment_id: '0'\nname: Default\n")
        with pytest.raises(ImportSourceError, match="No MLflow runs under"):
            next(mlflow.read_runs(tmp_path))

    def test_missing_folder_is_refused(self, tmp_path):
        with pytest.raises(ImportSourceError, match="does not exist"):
            next(mlflow.read_runs(tmp_path / "none"))

    def test_single_run_folder_is_refused_with_what_to_name_instead(self, mlflow_store):
        with pytest.raises(ImportSourceError, match="name the folder of its experiment"):
            next(mlflow.read_runs(mlflow_store()))

    def test_folders_that_are_no_runs_are_passed_over(self, tmp_path, mlflow_store):
        run = mlflow_store()
        for name in ("tags", "models", "traces"):
            (run.parent / name).mkdir()
        assert mlflow.count_runs(tmp_path) == 1

    @pytest.mark.parametrize("name", [".trash", "tags", "datasets", "models", ".ipynb_checkpoints"])
    def test_known_other_folders_are_passed_over_whatever_they_hold(self, tmp_path, mlflow_store, name):
        (mlflow_store().parent / name / "params").mkdir(parents=True)
        assert mlflow.count_runs(tmp_path) == 1

    def test_folder_without_a_part_of_a_run_is_passed_over(self, tmp_path, mlflow_store):
        (mlflow_store().parent / "notes" / "pictures").mkdir(parents=True)
        assert mlflow.count_runs(tmp_path) == 1


class TestExperimentWithoutMetaYaml:
    @pytest.fixture
    def experiment(self, mlflow_store):
        mlflow_store(experiment="1")
        folder = mlflow_store("c" * 32, metrics={"loss": "1700000000000 1 0\n"}, experiment="2").parent
        (folder / "meta.yaml").unlink()
        return folder

    def test_its_runs_come_in_beside_those_of_others(self, tmp_path, experiment):
        assert {run.source_id[0]: run.group for run in mlflow.read_runs(tmp_path)} == {"a": "bearings", "c": "2"}

    def test_its_runs_come_in_when_it_is_named(self, experiment):
        assert read_one(experiment).source_id == "c" * 32

    def test_it_is_passed_over_without_runs(self, tmp_path, mlflow_store):
        mlflow_store()
        (tmp_path / "mlruns" / "2" / ("c" * 32)).mkdir(parents=True)
        assert mlflow.count_runs(tmp_path) == 1


class TestRun:
    @pytest.mark.parametrize(
        ("number", "status"),
        [(1, "running"), (2, "pending"), (3, "completed"), (4, "failed"), (5, "cancelled"), ("KILLED", "cancelled")],
    )
    def test_status_is_read_as_number_or_word(self, tmp_path, mlflow_store, number, status):
        mlflow_store(status=number)
        assert read_one(tmp_path).status == status

    def test_unknown_status_is_named(self, tmp_path, mlflow_store):
        mlflow_store(status=9)
        assert "MLflow does not know" in read_one(tmp_path).reason

    def test_deleted_run_is_marked(self, tmp_path, mlflow_store):
        mlflow_store(stage="deleted")
        assert read_one(tmp_path).deleted

    def test_active_run_is_not_marked(self, tmp_path, mlflow_store):
        mlflow_store()
        assert not read_one(tmp_path).deleted

    def test_run_of_an_experiment_in_the_trash_is_marked(self, tmp_path, mlflow_store):
        mlflow_store()
        mlflow_store("c" * 32, root=tmp_path / "mlruns" / ".trash")
        assert {run.source_id[0]: run.deleted for run in mlflow.read_runs(tmp_path)} == {"a": False, "c": True}

    def test_note_becomes_notes_and_system_tags_stay_apart(self, tmp_path, mlflow_store):
        mlflow_store(tags={"mlflow.note.content": "loud *bearing*", "rig": "7", "mlflow.autologging": "x"})
        run = read_one(tmp_path)
        assert (run.notes, run.tags) == ("loud *bearing*", {"rig": "7"})
        assert run.config == {"mlflow_tags": {"mlflow.autologging": "x"}}

    def test_name_of_meta_yaml_serves_without_a_tag(self, tmp_path, mlflow_store):
        mlflow_store()
        assert read_one(tmp_path).name == "quiet-owl-1"

    def test_broken_meta_yaml_is_named_while_the_other_run_comes_in(self, tmp_path, mlflow_store):
        mlflow_store()
        (mlflow_store("d" * 32, experiment="2") / "meta.yaml").write_text("a: [1\n")
        good, bad = mlflow.read_runs(tmp_path)
        assert good.source_id == "a" * 32
        assert bad == BadRun("d" * 32, "d" * 32, "meta.yaml is not plain YAML (line 2).")

    @pytest.mark.parametrize("field", ["run_name", "status", "user_id", "run_id", "start_time"])
    @pytest.mark.parametrize("value", ["[[], []]", "{a: b}", "9" * 5000, "2024-99-99", "!!binary aGVsbG8="])
    def test_field_of_another_kind_is_named_or_read(self, tmp_path, mlflow_store, field, value):
        run = mlflow_store()
        lines = [line for line in (run / "meta.yaml").read_text().splitlines() if not line.startswith(field)]
        (run / "meta.yaml").write_text("\n".join([*lines, f"{field}: {value}"]))
        assert isinstance(read_one(tmp_path), ImportedRun | BadRun)

    def test_missing_meta_yaml_is_named(self, tmp_path, mlflow_store):
        (mlflow_store() / "meta.yaml").unlink()
        assert read_one(tmp_path).reason == "meta.yaml is missing."

    @pytest.mark.parametrize("part", ["metrics", "params", "tags"])
    def test_missing_meta_yaml_is_named_by_the_path_whatever_the_run_is_called(self, tmp_path, mlflow_store, part):
        run = mlflow_store("first-try")
        (run / "meta.yaml").unlink()
        (run / part).mkdir()
        assert read_one(tmp_path) == BadRun("first-try", "mlruns/1/first-try", "meta.yaml is missing.")

    def test_run_without_meta_yaml_is_counted(self, tmp_path, mlflow_store):
        mlflow_store()
        (mlflow_store("first-try", params={"lr": "1"}) / "meta.yaml").unlink()
        assert mlflow.count_runs(tmp_path) == 2

    def test_python_object_in_meta_yaml_is_never_built(self, tmp_path, mlflow_store):
        (mlflow_store() / "meta.yaml").write_text(f"run_id: !!python/object/apply:os.mkdir ['{tmp_path}/made']\n")
        assert isinstance(read_one(tmp_path), BadRun)
        assert not (tmp_path / "made").exists()


class TestMetrics:
    def metric(self, tmp_path, mlflow_store, text, **options):
        mlflow_store(metrics={"loss": text}, **options)
        return read_one(tmp_path)

    def test_key_with_slashes_is_one_key(self, tmp_path, mlflow_store):
        mlflow_store(metrics={"train/loss": "1700000000000 0.5 0\n"})
        assert [one.key for one in read_one(tmp_path).series] == ["train/loss"]

    def test_old_lines_without_a_step_are_step_0(self, tmp_path, mlflow_store):
        series = self.metric(tmp_path, mlflow_store, "1500000000 0.5\n1500000001 0.4\n").series_of("loss")
        assert series.steps.tolist() == [0, 0]
        assert series.times.tolist() == [1.5e9, 1.5e9 + 1]

    def test_lines_with_a_dataset_are_read(self, tmp_path, mlflow_store):
        run = self.metric(tmp_path, mlflow_store, "1700000000000 0.5 3 cwru abc123\n")
        assert run.series_of("loss").steps.tolist() == [3]

    def test_same_step_twice_is_kept_twice(self, tmp_path, mlflow_store):
        run = self.metric(tmp_path, mlflow_store, "1700000000000 1 2\n1700000000000 3 2\n")
        assert run.series_of("loss").values.tolist() == [1.0, 3.0]

    def test_nan_and_infinity_are_kept(self, tmp_path, mlflow_store):
        values = self.metric(tmp_path, mlflow_store, "1 nan 0\n2 inf 1\n3 -Infinity 2\n").series_of("loss").values
        assert math.isnan(values[0])
        assert values[1:].tolist() == [math.inf, -math.inf]

    def test_torn_last_line_of_a_running_run_is_left_for_later(self, tmp_path, mlflow_store):
        run = self.metric(tmp_path, mlflow_store, "1700000000000 1 0\n17000000", status=1)
        assert len(run.series_of("loss")) == 1

    def test_last_line_of_an_ended_run_needs_no_line_end(self, tmp_path, mlflow_store):
        run = self.metric(tmp_path, mlflow_store, "1700000000000 1 0\n1700000000000 2 1")
        assert len(run.series_of("loss")) == 2

    @pytest.mark.parametrize("line", ["x 1 0", "1 x 0", "1 2 x", "1", "1 2 1.5"])
    def test_line_that_is_no_point_is_named(self, tmp_path, mlflow_store, line):
        run = self.metric(tmp_path, mlflow_store, f"1 2 3\n{line}\n")
        assert run.reason == "Metric “loss”, line 2 is not “timestamp value step”."

    @pytest.mark.parametrize("step", [2**53 + 1, -(2**53) - 1, 2**63, 10**100])
    def test_step_beyond_what_a_curve_reaches_is_named(self, tmp_path, mlflow_store, step):
        run = self.metric(tmp_path, mlflow_store, f"1 2 {step}\n")
        assert run.reason == "A step of “loss” lies beyond ±2^53."

    @pytest.mark.parametrize("step", [2**53, -(2**53)])
    def test_farthest_step_is_read(self, tmp_path, mlflow_store, step):
        run = self.metric(tmp_path, mlflow_store, f"1 2 {step}\n")
        assert run.series_of("loss").steps.tolist() == [step]

    def test_losses_per_epoch_fill_the_epochs(self, tmp_path, mlflow_store):
        lines = {
            key: "".join(f"170000000{i}000 {v} {i}\n" for i in range(3))
            for key, v in (("train_loss", 2), ("val_loss", 3))
        }
        mlflow_store(metrics=lines)
        rows = read_one(tmp_path).epochs
        assert [(row.epoch, row.train_loss, row.val_loss) for row in rows] == [(1, 2, 3), (2, 2, 3), (3, 2, 3)]

    def test_series_cannot_be_changed_by_accident(self, tmp_path, mlflow_store):
        values = self.metric(tmp_path, mlflow_store, "1 2 3\n").series_of("loss").values
        with pytest.raises(ValueError, match="read-only"):
            np.negative(values, out=values)


class TestHostile:
    def test_parameter_that_links_to_a_secret_is_refused(self, tmp_path, mlflow_store):
        secret = tmp_path / "secret"
        secret.write_text("password")
        run = mlflow_store(params={"lr": "1"})
        (run / "params" / "stolen").symlink_to(secret)
        assert read_one(tmp_path / "mlruns").reason == "Parameter “stolen” is a link that leads out of the folder."

    def test_folder_of_parameters_that_links_out_is_refused(self, tmp_path, mlflow_store):
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "token").write_text("password")
        (mlflow_store() / "params").symlink_to(tmp_path / "secrets")
        assert "leads out of the folder" in read_one(tmp_path / "mlruns").reason

    def test_run_folder_that_is_a_link_is_not_followed(self, tmp_path, mlflow_store):
        run = mlflow_store()
        (run.parent / ("e" * 32)).symlink_to(tmp_path)
        assert mlflow.count_runs(tmp_path / "mlruns") == 1

    def test_parameter_above_64_kib_is_named(self, tmp_path, mlflow_store):
        mlflow_store(params={"big": "x" * 65_537})
        assert read_one(tmp_path).reason == "Parameter “big” is longer than 64 KiB."

    def test_parameter_of_64_kib_is_read(self, tmp_path, mlflow_store):
        mlflow_store(params={"big": "x" * 65_536})
        assert len(read_one(tmp_path).hyperparameters["big"]) == 65_536

    def test_nul_and_broken_utf_8_are_replaced(self, tmp_path, mlflow_store):
        run = mlflow_store(params={"p": "x"})
        (run / "params" / "p").write_bytes(b"a\x00b\xff\xed\xa0\x80")
        text = read_one(tmp_path).hyperparameters["p"]
        assert text.startswith("a\ufffdb\ufffd")
        assert text.encode()

    def test_key_longer_than_250_characters_is_named(self, tmp_path, mlflow_store):
        mlflow_store(params={"k" * 200 + "/" + "k" * 60: "1"})
        assert "261 characters; 250 are allowed" in read_one(tmp_path).reason

    def test_more_keys_than_a_run_can_have_are_refused(self, tmp_path, mlflow_store, monkeypatch):
        monkeypatch.setattr("services.imports.limits.MAX_KEYS", 3)
        mlflow_store(params={f"p{i}": "1" for i in range(4)})
        assert read_one(tmp_path).reason == "The run has more than 3 keys."
