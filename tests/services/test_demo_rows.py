"""Facts about the demo as rows and files: loaded once, removed for good, whole or not at all."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import Engine, func, select

from config import settings as configuration
from database.engine import announce_with, snapshot, transaction
from diagnosis import demo as recipes
from diagnosis.faults import FAULT_NAMES
from diagnosis.trainer_config import TrainerConfig
from jobs import demo as demo_job
from jobs import tasks
from jobs.lease import Lease
from models.dataset import Dataset
from models.experiment import Experiment, ExperimentStatus
from models.job import Job, JobStatus
from models.permissions import PermissionDenied, Role
from models.signal import Signal
from models.system_log import SystemLog
from models.tag import ExperimentTag, Tag
from services import demo, signal_files, training
from services.actor import SYSTEM
from services.experiments import lifecycle
from tests.support.people import person
from tests.support.trainings import QUICK, a_dataset

SMALL = MappingProxyType(
    {
        "Logistic regression on features": TrainerConfig("logistic", "features", epochs=2),
        "Forest on both": TrainerConfig("random_forest", "both", epochs=2),
    }
)


@lru_cache
def signals_of(seed: int) -> recipes.DemoDataset:
    """Eight records a class, made once for all tests."""
    return recipes.demo_dataset(seed, 8)


@pytest.fixture(autouse=True)
def small_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation of its own, and a demo that is made in a second."""
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PFD_DEMO", "1")
    configuration.settings.cache_clear()
    configuration.settings().prepare_data_dir()
    announce_with(None)
    monkeypatch.setattr(demo, "demo_dataset", signals_of)
    monkeypatch.setattr(demo, "DEMO_CONFIGS", SMALL)
    monkeypatch.setattr(demo, "demo_config", lambda name, seed: SMALL[name])
    yield tmp_path
    monkeypatch.undo()
    configuration.settings.cache_clear()


def ensured() -> bool:
    with transaction() as session:
        return demo.ensure_demo(session)


def waiting(kind: str) -> list[int]:
    with snapshot() as session:
        query = select(Job.id).where(Job.kind == kind, Job.status == JobStatus.PENDING).order_by(Job.id)
        return list(session.scalars(query))


def loaded() -> None:
    ensured()
    for job_id in waiting(demo.KIND):
        tasks.run(job_id)


def removed() -> int:
    with transaction() as session:
        return demo.remove(session, SYSTEM)


def count(model: type) -> int:
    with snapshot() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def files() -> list[str]:
    return [path.name for path in (configuration.settings().files_dir / "datasets").glob("*")]


class TestEnsureDemo:
    def test_the_first_start_queues_it_and_the_second_does_not(self, database: Engine) -> None:
        assert ensured()
        assert not ensured()
        assert len(waiting(demo.KIND)) == 1

    def test_a_wish_for_none_is_heard(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PFD_DEMO", "0")
        configuration.settings.cache_clear()
        assert not ensured()
        assert count(Job) == 0


class TestLoad:
    def test_it_makes_one_dataset_and_each_configuration_under_three_seeds(self, database: Engine) -> None:
        loaded()
        with snapshot() as session:
            dataset = session.scalars(select(Dataset)).one()
            experiments = session.scalars(select(Experiment).order_by(Experiment.id)).all()
        assert (dataset.name, dataset.is_demo, dataset.num_signals) == (demo.NAME, True, 88)
        assert [experiment.name for experiment in experiments] == [
            f"{name}, seed {seed}" for seed in (1, 2, 3) for name in SMALL
        ]
        assert {(e.is_demo, e.status, e.dataset_id) for e in experiments} == {
            (True, ExperimentStatus.PENDING, dataset.id)
        }
        assert len(waiting(training.KIND)) == 6

    def test_each_signal_carries_fault_severity_and_features(self, database: Engine) -> None:
        loaded()
        with snapshot() as session:
            signals = session.scalars(select(Signal)).all()
        assert {signal.fault_class for signal in signals} == set(FAULT_NAMES)
        assert len({signal.signal_id for signal in signals}) == 88
        assert all((signal.rms or 0) > 0 and (signal.kurtosis or 0) > 1 and signal.severity for signal in signals)
        assert all(signal.dominant_frequency is not None for signal in signals)

    def test_its_trainings_run(self, database: Engine) -> None:
        loaded()
        for job_id in waiting(training.KIND)[:2]:
            tasks.run(job_id)
        with snapshot() as session:
            done = session.scalars(select(Experiment).where(Experiment.status == ExperimentStatus.COMPLETED)).all()
        assert [experiment.epochs_completed for experiment in done] == [2, 2]

    def test_experiments_say_where_they_come_from(self, sqlite: Engine) -> None:
        loaded()
        with snapshot() as session:
            experiment = session.scalars(select(Experiment).limit(1)).one()
            tags = session.scalars(
                select(Tag.name).join(ExperimentTag).where(ExperimentTag.experiment_id == experiment.id)
            ).all()
        assert "demo" in tags
        assert "PFD" in (experiment.config or {})["origin"]

    def test_a_load_killed_before_it_stored_finishes_on_the_next_try(self, database: Engine) -> None:
        ensured()
        [job_id] = waiting(demo.KIND)
        with transaction() as session:
            demo.job_queue.claim(session, job_id, "killed")
        made = demo.generate(job_id)  # the file is there, the rows are not
        with transaction() as session:
            demo.store(session, made)
            session.rollback()
        with transaction() as session:
            session.get_one(Job, job_id).status = JobStatus.PENDING
        tasks.run(job_id)
        assert (count(Dataset), count(Experiment), files()) == (1, 6, [f"demo-{job_id}.h5"])

    def test_two_loads_load_once(self, database: Engine) -> None:
        loaded()
        with transaction() as session:
            assert not demo.load(session)
            second = demo.job_queue.enqueue(session, demo.KIND).id
        tasks.run(second)
        assert (count(Dataset), count(Experiment), len(files())) == (1, 6, 1)

    def test_a_dataset_of_that_name_is_not_in_the_way(self, sqlite: Engine) -> None:
        with transaction() as session:
            session.add(Dataset(name=demo.NAME))
        loaded()
        with snapshot() as session:
            assert session.scalar(select(Dataset.name).where(Dataset.is_demo)) == f"{demo.NAME} (2)"


class TestRemove:
    def test_everything_goes(self, database: Engine) -> None:
        loaded()
        tasks.run(waiting(training.KIND)[0])
        assert removed() == 6
        assert [count(model) for model in (Dataset, Signal, Experiment, ExperimentTag, Tag)] == [0, 0, 0, 0, 0]
        assert waiting(training.KIND) == []
        assert files() == []

    def test_a_file_that_is_being_written_is_left_to_its_writer(self, database: Engine) -> None:
        loaded()
        unfinished = signal_files.path_of(f"{signal_files.FOLDER}/demo-9.h5.1.part")
        unfinished.touch()
        removed()
        assert files() == [unfinished.name]
        unfinished.unlink()

    def test_a_restart_does_not_bring_it_back(self, database: Engine) -> None:
        loaded()
        removed()
        assert not ensured()

    def test_it_can_be_loaded_again_on_purpose(self, database: Engine) -> None:
        loaded()
        removed()
        with transaction() as session:
            assert demo.load(session)
        loaded()
        assert (count(Dataset), count(Experiment)) == (1, 6)

    def test_twice_is_once(self, database: Engine) -> None:
        loaded()
        removed()
        assert removed() == 0

    def test_a_load_under_way_stores_nothing_afterwards(
        self, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        generate = demo.generate

        def removed_meanwhile(number: int) -> demo.Made:
            made = generate(number)
            removed()
            return made

        monkeypatch.setattr(demo_job.demo, "generate", removed_meanwhile)
        loaded()
        assert (count(Dataset), count(Experiment), files()) == (0, 0, [])

    def test_a_training_under_way_stops(self, database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        loaded()
        goes_on = Lease.goes_on

        def removed_meanwhile(lease: Lease) -> bool:
            removed()
            return goes_on(lease)

        monkeypatch.setattr(Lease, "goes_on", removed_meanwhile)
        tasks.run(waiting(training.KIND)[0])
        assert count(Experiment) == 0

    def test_what_people_trained_on_its_signals_stays(self, database: Engine) -> None:
        loaded()
        with transaction() as session:
            dataset_id = session.scalar(select(Dataset.id)) or 0
            kept = training.create(session, SYSTEM, name="Mine", config=QUICK, dataset_id=dataset_id).id
        removed()
        with snapshot() as session:
            assert session.scalars(select(Experiment)).one().id == kept

    def test_other_datasets_stay(self, database: Engine) -> None:
        loaded()
        other = a_dataset()
        removed()
        with snapshot() as session:
            assert session.scalars(select(Dataset)).one().id == other
        assert files() == ["small.h5"]

    def test_it_needs_the_permission(self, sqlite: Engine) -> None:
        loaded()
        operator = person(Role.OPERATOR)
        with pytest.raises(PermissionDenied), transaction() as session:
            demo.remove(session, operator)
        assert count(Experiment) == 6

    def test_files_stay_when_the_removal_is_rolled_back(self, sqlite: Engine) -> None:
        loaded()
        with pytest.raises(RuntimeError), transaction() as session:
            demo.remove(session, SYSTEM)
            raise RuntimeError
        assert len(files()) == 1

    def test_it_is_on_record(self, sqlite: Engine) -> None:
        loaded()
        admin = person(Role.ADMIN)
        with transaction() as session:
            demo.remove(session, admin)
        with snapshot() as session:
            entry = session.scalars(select(SystemLog).where(SystemLog.action == "demo.remove")).one()
        assert (entry.user_id, (entry.details or {})["experiments"]) == (admin.user_id, 6)

    def test_deleted_demo_experiments_go_too(self, sqlite: Engine) -> None:
        loaded()
        with transaction() as session:
            first = session.scalar(select(Experiment.id).limit(1)) or 0
            lifecycle.cancel(session, SYSTEM, first)
            session.get_one(Experiment, first).deleted_at = lifecycle.now()
        assert removed() == 6
