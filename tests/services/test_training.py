"""Facts about trainings as rows: what is created, what an epoch becomes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, select

from config import settings as configuration
from database.engine import announce_with, snapshot, transaction
from diagnosis.faults import SHOWN_NAMES
from diagnosis.trainer_config import TrainerConfig
from diagnosis.trainers import EpochResult
from models.experiment import Experiment, ExperimentStatus
from models.experiment_param import ExperimentParam
from models.job import Job, JobStatus
from models.metric_series import MetricKey, MetricSeries
from models.permissions import PermissionDenied, Role
from models.training_run import ConfusionMatrix
from services import signal_files, training
from services.actor import SYSTEM
from services.errors import Invalid, NotFound
from services.experiments import lifecycle
from tests.support.people import person
from tests.support.trainings import QUICK, a_dataset, a_signal_file, a_training, experiment_of, job_of


@pytest.fixture(autouse=True)
def own_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    configuration.settings.cache_clear()
    configuration.settings().prepare_data_dir()
    announce_with(None)
    yield tmp_path
    monkeypatch.undo()
    configuration.settings.cache_clear()


def an_epoch(number: int = 1, missing: int | None = None) -> EpochResult:
    """A result; the class `missing` has scores that are 0/0."""
    scores = np.linspace(0.1, 0.9, 11)
    if missing is not None:
        scores[missing] = np.nan
    return EpochResult(number, 2.0, 2.1, 0.3, 0.25, 1e-3, 0.5, np.eye(11, dtype=np.int64), scores, scores, scores, 0.5)


def recorded(result: EpochResult) -> int:
    experiment_id, _ = a_training(a_dataset())
    with transaction() as session:
        lifecycle.start(session, experiment_id)
        assert training.record(session, experiment_id, result, SHOWN_NAMES)
    return experiment_id


def series_of(experiment_id: int) -> dict[str, float | None]:
    with snapshot() as session:
        query = select(MetricKey.name, MetricSeries.last_value).join(MetricSeries, MetricSeries.key_id == MetricKey.id)
        return dict(session.execute(query.where(MetricSeries.experiment_id == experiment_id)).all())


class TestCreate:
    def test_the_experiment_waits_with_its_job(self, database: Engine) -> None:
        experiment_id, job_id = a_training(a_dataset())
        experiment, job = experiment_of(experiment_id), job_of(job_id)
        assert (experiment.status, experiment.model_type, experiment.total_epochs) == (
            ExperimentStatus.PENDING,
            "logistic",
            5,
        )
        assert (job.kind, job.status, job.payload) == (
            "training.run",
            JobStatus.PENDING,
            {"experiment_id": experiment_id},
        )

    def test_seed_model_and_representation_can_be_filtered_by(self, database: Engine) -> None:
        experiment_id, _ = a_training(a_dataset())
        with snapshot() as session:
            rows = session.scalars(select(ExperimentParam).where(ExperimentParam.experiment_id == experiment_id))
            params = {row.name: row.value_text for row in rows}
        assert {name: params[name] for name in ("seed", "model", "representation")} == {
            "seed": "1",
            "model": "logistic",
            "representation": "features",
        }

    def test_the_default_learning_rate_is_said(self) -> None:
        assert training.hyperparameters(TrainerConfig("mlp"))["learning_rate"] == 1e-3

    def test_settings_that_do_not_act_on_the_model_are_left_out(self) -> None:
        assert "hidden_layers" not in training.hyperparameters(TrainerConfig("logistic"))
        assert {"batch_size", "learning_rate"}.isdisjoint(training.hyperparameters(TrainerConfig("random_forest")))

    def test_the_stored_configuration_is_the_one_that_is_trained(self, database: Engine) -> None:
        config = TrainerConfig("mlp", "both", epochs=3, hidden_layers=(8, 4), schedule="cosine", seed=9)
        experiment_id, _ = a_training(a_dataset(), config)
        with transaction() as session:
            plan = training.begin(session, experiment_id)
        assert plan is not None
        assert plan.config == config

    def test_a_viewer_may_not(self, sqlite: Engine) -> None:
        dataset_id = a_dataset()
        viewer = person(Role.VIEWER)
        with pytest.raises(PermissionDenied), transaction() as session:
            training.create(session, viewer, name="x", config=QUICK, dataset_id=dataset_id)

    def test_a_dataset_that_is_not_there_is_refused(self, sqlite: Engine) -> None:
        with pytest.raises(NotFound), transaction() as session:
            training.create(session, SYSTEM, name="x", config=QUICK, dataset_id=77)

    def test_nothing_is_queued_when_it_is_refused(self, sqlite: Engine) -> None:
        with pytest.raises(NotFound), transaction() as session:
            training.create(session, SYSTEM, name="x", config=QUICK, dataset_id=77)
        with snapshot() as session:
            assert session.scalars(select(Job)).all() == []


class TestBegin:
    def test_a_cancelled_experiment_is_not_trained(self, database: Engine) -> None:
        experiment_id, _ = a_training(a_dataset())
        with transaction() as session:
            lifecycle.cancel(session, SYSTEM, experiment_id)
        with transaction() as session:
            assert training.begin(session, experiment_id) is None

    def test_a_configuration_that_cannot_be_trained_is_a_sentence(self, sqlite: Engine) -> None:
        experiment_id, _ = a_training(a_dataset())
        with transaction() as session:
            session.get_one(Experiment, experiment_id).config = {"trainer": {"model": "oracle"}}
        with pytest.raises(Invalid, match="model is one of"), transaction() as session:
            training.begin(session, experiment_id)


class TestTrain:
    def test_the_same_plan_gives_the_same_epochs(self, sqlite: Engine) -> None:
        experiment_id, _ = a_training(a_dataset())
        with transaction() as session:
            plan = training.begin(session, experiment_id)
        assert plan is not None
        first, second = ([result.val_loss for result in training.train(plan)[0]] for _ in range(2))
        assert first == second
        assert len(first) == 5


class TestRecord:
    def test_scores_of_each_class_are_series_under_its_shown_name(self, database: Engine) -> None:
        series = series_of(recorded(an_epoch()))
        names = {f"{score}/{name}" for score in ("f1", "precision", "recall") for name in SHOWN_NAMES}
        assert names | {"macro_f1"} <= series.keys()
        assert series["f1/Healthy"] == pytest.approx(0.1)

    def test_a_score_that_is_not_a_number_has_no_point(self, database: Engine) -> None:
        series = series_of(recorded(an_epoch(missing=5)))
        assert "f1/Cavitation" not in series
        assert "f1/Wear" in series

    def test_the_confusion_matrix_carries_shown_names(self, database: Engine) -> None:
        experiment_id = recorded(an_epoch())
        with snapshot() as session:
            matrix = session.scalars(
                select(ConfusionMatrix).where(ConfusionMatrix.experiment_id == experiment_id)
            ).one()
        assert (matrix.split, matrix.epoch, tuple(matrix.labels)) == ("validation", 1, SHOWN_NAMES)
        assert matrix.counts == np.eye(11, dtype=int).tolist()

    def test_an_experiment_that_no_longer_runs_gets_no_epoch(self, database: Engine) -> None:
        experiment_id = recorded(an_epoch())
        with transaction() as session:
            lifecycle.cancel(session, SYSTEM, experiment_id)
        with transaction() as session:
            assert not training.record(session, experiment_id, an_epoch(2), SHOWN_NAMES)


class TestSignalFiles:
    def test_what_is_written_is_read_back(self) -> None:
        file = signal_files.read(a_signal_file())
        assert file.train.signals.shape == (44, 2048)
        assert file.class_names == SHOWN_NAMES
        assert np.bincount(file.train.labels).tolist() == [4] * 11

    def test_an_interrupted_write_leaves_nothing(self, own_data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_descriptor: int) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(signal_files.os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            a_signal_file()
        assert list((own_data_dir / "files" / "datasets").iterdir()) == []

    def test_a_row_cannot_point_out_of_the_data_folder(self) -> None:
        with pytest.raises(Invalid):
            signal_files.path_of("../../etc/passwd")
