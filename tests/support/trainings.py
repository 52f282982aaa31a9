"""Small datasets and trainings of a second."""

from dataclasses import replace

import numpy as np
from sqlalchemy import func, select

from database.engine import snapshot, transaction
from diagnosis.faults import FAULTS, SHOWN_NAMES
from diagnosis.signals import generate
from diagnosis.splits import stratified_split
from diagnosis.trainer_config import TrainerConfig
from models.dataset import Dataset
from models.experiment import Experiment
from models.job import Job
from models.metric_series import MetricSeries
from models.training_run import ConfusionMatrix, TrainingRun
from services import signal_files, training
from services.actor import SYSTEM

FILE = "datasets/small.h5"
QUICK = TrainerConfig("logistic", "features", epochs=5, seed=1, batch_size=16)
LONG = TrainerConfig("mlp", "features", epochs=1000, seed=1, batch_size=2, learning_rate=1e-4)  # no test sees its end
HALF = replace(LONG, epochs=30)  # long enough to be ended half-way, and gone through to its end


def a_signal_file(records: int = 6) -> str:
    """A file of all eleven classes, a tenth of a second each."""
    made = [
        generate(fault, seed=number * 100 + fault.index, duration=0.1) for number in range(records) for fault in FAULTS
    ]
    signals = np.stack([record.signal for record in made])
    labels = np.tile(np.arange(11), records)
    parts = {
        name: (signals[rows], labels[rows], [made[row].metadata() for row in rows])
        for name, rows in zip(signal_files.PARTS, stratified_split(labels, 1), strict=True)
    }
    signal_files.write(
        FILE, parts, sampling_rate=20_480.0, class_names=SHOWN_NAMES, seed=1, configuration={"made_by": "a test"}
    )
    return FILE


def a_dataset() -> int:
    """A dataset with such a file."""
    path = a_signal_file()
    with transaction() as session:
        dataset = Dataset(name="Small", file_path=path, num_signals=66)
        session.add(dataset)
        session.flush()
        return dataset.id


def a_training(dataset_id: int, config: TrainerConfig = QUICK, name: str = "A training") -> tuple[int, int]:
    """A waiting experiment and its job: their numbers."""
    with transaction() as session:
        experiment = training.create(session, SYSTEM, name=name, config=config, dataset_id=dataset_id)
        job_id = session.scalar(select(Job.id).where(Job.experiment_id == experiment.id))
        assert job_id is not None
        return experiment.id, job_id


def experiment_of(experiment_id: int) -> Experiment:
    """The row as it is now."""
    with snapshot() as session:
        return session.get_one(Experiment, experiment_id)


def job_of(job_id: int) -> Job:
    """The row as it is now."""
    with snapshot() as session:
        return session.get_one(Job, job_id)


def epochs_of(experiment_id: int) -> list[int]:
    """The epochs that are recorded, in order."""
    with snapshot() as session:
        query = select(TrainingRun.epoch).where(TrainingRun.experiment_id == experiment_id)
        return list(session.scalars(query.order_by(TrainingRun.epoch)))


def points_of(experiment_id: int) -> set[int]:
    """The different lengths of its series."""
    with snapshot() as session:
        return set(session.scalars(select(MetricSeries.points).where(MetricSeries.experiment_id == experiment_id)))


def matrices_of(experiment_id: int) -> int:
    """How many confusion matrices it has."""
    with snapshot() as session:
        query = select(func.count()).select_from(ConfusionMatrix)
        return session.scalar(query.where(ConfusionMatrix.experiment_id == experiment_id)) or 0
