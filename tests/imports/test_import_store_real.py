"""The real runs in the database: the values that their READMEs state, on both databases."""

import re
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from database.engine import snapshot, transaction
from models.experiment import Experiment
from models.experiment_param import ExperimentParam
from models.metric_series import MetricKey, MetricSeries
from models.tag import Tag
from models.training_run import TrainingRun
from services.actor import SYSTEM
from services.imports import mlflow, tensorboard
from services.imports.store import conclude, store

DATA = Path(__file__).parents[2].parent / "shared" / "data"
BOARD, STORE, BASE = DATA / "tensorboard_runs", DATA / "mlflow_filestore_eeg", DATA / "mlflow_sqlite" / "gan_mlruns.db"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real runs are not beside this checkout")
ROW = re.compile(r"\| `(.+)/events\S+` \| (\d+) \| 0\.\.(\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|")
PARENT = re.compile(r"\| `([0-9a-f]{32})` \| (\S+) \| (\d+) \| (\S+) \| (\S+) \|")


def bring_in(source, runs):
    outcomes = []
    for run in runs:
        with transaction() as session:
            outcomes.append(store(session, SYSTEM, run, None).outcome)
    with transaction() as session:
        conclude(session, SYSTEM, source, outcomes)
    return Counter(outcomes)


def series(session, experiment_id):
    rows = session.execute(
        select(MetricKey.name, MetricSeries)
        .join(MetricSeries, MetricSeries.key_id == MetricKey.id)
        .where(MetricSeries.experiment_id == experiment_id)
    )
    return dict(rows.all())


def test_tensorboard_runs(database):
    stated = ROW.findall((BOARD / "README.md").read_text())
    assert bring_in("tensorboard", tensorboard.read_runs(BOARD)) == {"new": 13} == {"new": len(stated)}
    with snapshot() as session:
        for name, epochs, last_step, loss, iou, minutes in stated:
            experiment = session.scalars(select(Experiment).where(Experiment.name == name)).one()
            assert (experiment.status, experiment.epochs_completed) == ("completed", int(epochs))
            assert experiment.group_name == str(Path(name).parent)
            found = series(session, experiment.id)
            assert len(found) == 5
            assert (found["Training loss"].points, found["Training loss"].last_step) == (int(epochs), int(last_step))
            assert f"{found['Training loss'].last_value:.6f}" == loss
            assert f"{found['IoU (avg on test)'].max_value:.6f}" == iou
            assert f"{experiment.metrics['Training loss']:.6f}" == loss
            seconds = session.scalar(
                select(func.sum(TrainingRun.duration_seconds)).where(TrainingRun.experiment_id == experiment.id)
            )
            assert f"{seconds / 60:.1f}" == minutes
            assert experiment.best_epoch is not None
            assert experiment.duration_seconds > 0
    assert bring_in("tensorboard", tensorboard.read_runs(BOARD)) == {"unchanged": 13}


def test_mlflow_file_store(database):
    stated = PARENT.findall((STORE / "README.md").read_text())
    assert bring_in("mlflow", mlflow.read_runs(STORE)) == {"new": 63}
    with snapshot() as session:
        assert Counter(session.scalars(select(Experiment.status))) == {"completed": 63}
        assert session.scalar(select(func.count()).select_from(ExperimentParam)) == 60 * 6
        for run_id, name, count, lowest, highest in stated:
            parent = session.scalars(select(Experiment).where(Experiment.source_id == run_id)).one()
            assert (parent.shown_name, parent.metrics, parent.hyperparameters) == (name, {}, {})
            assert series(session, parent.id) == {}
            children = list(session.scalars(select(Experiment.id).where(Experiment.parent_id == parent.id)))
            values = [series(session, child)["objective"].last_value for child in children]
            assert (str(len(values)), f"{min(values):.6f}", f"{max(values):.6f}") == (count, lowest, highest)
        tags = {tag.name: tag.usage_count for tag in session.scalars(select(Tag))}
        assert tags["pipeline:graph"] == 3
    assert bring_in("mlflow", mlflow.read_runs(STORE)) == {"unchanged": 63}


def test_mlflow_database(database):
    assert bring_in("mlflow", mlflow.read_runs(BASE)) == {"new": 4}
    with snapshot() as session:
        found = {e.source_id: e for e in session.scalars(select(Experiment))}
        assert {e.name: e.status for e in found.values()} == {
            "casual-boar-794": "failed",
            "illustrious-frog-365": "failed",
            "rambunctious-bat-651": "completed",
            "dazzling-loon-103": "completed",
        }
        points = Counter()
        for experiment in found.values():
            for key, one in series(session, experiment.id).items():
                points[key] += one.points
                assert (one.first_step, one.last_step) == (0, 4)
        assert points == dict.fromkeys(["accuracy_fake", "accuracy_real", "discriminator_loss", "generator_loss"], 10)
    assert bring_in("mlflow", mlflow.read_runs(BASE)) == {"unchanged": 4}
