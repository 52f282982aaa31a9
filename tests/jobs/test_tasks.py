"""Facts about running a job: its errors become reasons, its database may stumble, it runs once."""

import os
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from config import settings as configuration
from database import sqlite_lock
from database.engine import transaction
from database.types import now
from diagnosis.errors import TrainingDiverged
from diagnosis.trainer_config import TrainerConfig
from jobs import announcing, celery_app, handlers, sweeping, tasks
from jobs.lease import Lease
from models.experiment import ExperimentStatus
from models.job import Job, JobStatus
from services import demo, job_queue, job_recovery, signal_files, training
from services.errors import Conflict
from tests.support.clock import hold
from tests.support.trainings import FILE, a_dataset, a_training, epochs_of, experiment_of, job_of
from tests.support.waiting import wait_until
from tests.support.workers import LOST_AFTER

Handle = Callable[[dict[str, Any], Lease], None]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing beside a job takes it for lost, however long a busy machine lets it wait for a core."""
    monkeypatch.setattr(tasks, "beside", lambda: None)


@pytest.fixture
def a_job_that(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[Handle], int]:
    """A waiting job of a kind that does this."""

    def make(handle: Handle) -> int:
        monkeypatch.setitem(handlers.HANDLERS, "test.kind", handle)
        with transaction() as session:
            return job_queue.enqueue(session, "test.kind").id

    return make


def failing_with(error: Exception) -> Handle:
    def handle(_payload: dict[str, Any], _lease: Lease) -> None:
        raise error

    return handle


class TestRun:
    def test_a_job_delivered_twice_runs_once(self, a_job_that: Callable[[Handle], int]) -> None:
        runs: list[int] = []
        job_id = a_job_that(lambda _payload, lease: runs.append(lease.job_id))
        tasks.run(job_id)
        tasks.run(job_id)
        assert runs == [job_id]

    def test_a_training_ends_with_its_experiment_completed(self, database: Engine) -> None:
        experiment_id, job_id = a_training(a_dataset())
        tasks.run(job_id)
        assert epochs_of(experiment_id) == [1, 2, 3, 4, 5]
        assert experiment_of(experiment_id).status == ExperimentStatus.COMPLETED
        assert job_of(job_id).status == JobStatus.COMPLETED

    def test_a_kind_that_this_version_does_not_know_ends_as_failed(self, sqlite: Engine) -> None:
        with transaction() as session:
            job_id = job_queue.enqueue(session, "of.tomorrow").id
        tasks.run(job_id)
        assert "knows no job “of.tomorrow”" in (job_of(job_id).error_message or "")
        assert job_of(job_id).status == JobStatus.FAILED

    def test_a_kind_that_this_version_does_not_know_is_told_in_a_sentence(self, sqlite: Engine) -> None:
        with transaction() as session:
            job_id = job_queue.enqueue(session, "of.tomorrow").id
        tasks.run(job_id)
        assert job_of(job_id).error_message == str(job_queue.UnknownKind("of.tomorrow"))

    def test_a_worker_that_shuts_down_takes_no_further_job(
        self, a_job_that: Callable[[Handle], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job_id = a_job_that(lambda *_: None)
        monkeypatch.setattr(tasks, "is_stopping", lambda: True)
        tasks.run(job_id)
        assert job_of(job_id).status == JobStatus.PENDING

    def test_a_job_whose_message_such_a_worker_dropped_is_named_by_the_next_sweep(
        self, a_job_that: Callable[[Handle], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job_id = a_job_that(lambda *_: None)
        with monkeypatch.context() as ending:
            ending.setattr(tasks, "is_stopping", lambda: True)
            tasks.run(job_id)
        with transaction() as session:
            assert job_recovery.sweep(session) == [job_id]

    @pytest.mark.parametrize("look", [tasks.sweep, tasks.beside], ids=["asked to", "beside a job"])
    def test_such_a_worker_names_no_job_as_it_would_drop_its_message(
        self, look: Callable[[], None], a_job_that: Callable[[Handle], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job_id = a_job_that(lambda *_: None)
        with transaction() as session:
            job_queue.forget_message(session, job_id)
        monkeypatch.setattr(sweeping, "_last", float("-inf"))
        monkeypatch.setattr(tasks, "is_stopping", lambda: True)
        look()
        assert job_of(job_id).announced_at is None

    def test_every_kind_that_services_name_has_a_handler(self) -> None:
        assert set(handlers.HANDLERS) == {training.KIND, demo.KIND, *tasks.ERRANDS}


class TestReason:
    def test_a_programming_error_shows_its_type_and_no_trace(self, a_job_that: Callable[[Handle], int]) -> None:
        job_id = a_job_that(failing_with(KeyError("colour")))
        tasks.run(job_id)
        assert (job_of(job_id).status, job_of(job_id).error_message) == (JobStatus.FAILED, "KeyError: 'colour'")

    def test_our_own_sentences_stand_alone(self, a_job_that: Callable[[Handle], int]) -> None:
        job_id = a_job_that(failing_with(Conflict("It is there already.")))
        tasks.run(job_id)
        assert job_of(job_id).error_message == "It is there already."

    def test_a_diverged_training_says_what_to_do(self, a_job_that: Callable[[Handle], int]) -> None:
        job_id = a_job_that(failing_with(TrainingDiverged("Try a smaller learning rate.")))
        tasks.run(job_id)
        assert job_of(job_id).error_message == "Try a smaller learning rate."

    def test_statement_and_values_of_a_database_error_are_not_shown(self) -> None:
        error = OperationalError("SELECT secret", {"value": "hidden"}, sqlite3.OperationalError("disk full\nand more"))
        assert handlers.reason_of(error) == "OperationalError: disk full"


class TestFailedTraining:
    def test_a_diverged_training_fails_with_its_experiment(self, database: Engine) -> None:
        config = TrainerConfig("mlp", "features", epochs=5, learning_rate=1e200)
        experiment_id, job_id = a_training(a_dataset(), config)
        tasks.run(job_id)
        experiment, job = experiment_of(experiment_id), job_of(job_id)
        assert (job.status, experiment.status) == (JobStatus.FAILED, ExperimentStatus.FAILED)
        assert experiment.failure_reason == job.error_message
        assert "smaller learning rate" in (experiment.failure_reason or "")

    def test_a_missing_file_is_named(self, sqlite: Engine) -> None:
        experiment_id, job_id = a_training(a_dataset())
        signal_files.path_of(FILE).unlink()
        tasks.run(job_id)
        assert experiment_of(experiment_id).failure_reason == "The signal file small.h5 is gone."

    def test_a_damaged_file_is_named(self, sqlite: Engine) -> None:
        experiment_id, job_id = a_training(a_dataset())
        signal_files.path_of(FILE).write_bytes(b"no HDF5")
        tasks.run(job_id)
        assert "small.h5 cannot be read" in (experiment_of(experiment_id).failure_reason or "")

    def test_signals_that_are_not_numbers_are_refused_in_a_sentence(
        self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        experiment_id, job_id = a_training(a_dataset())
        whole = signal_files.read(FILE)
        whole.train.signals[0, 0] = np.nan
        monkeypatch.setattr(signal_files, "read", lambda _path: whole)
        tasks.run(job_id)
        assert "cannot be trained on" in (experiment_of(experiment_id).failure_reason or "")

    def test_epochs_before_the_failure_are_kept_and_summarised(
        self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        experiment_id, job_id = a_training(a_dataset())
        goes_on, asked = Lease.goes_on, []

        def fail_later(lease: Lease) -> bool:
            asked.append(1)
            if len(asked) == 3:
                raise RuntimeError("the third epoch")
            return goes_on(lease)

        monkeypatch.setattr(Lease, "goes_on", fail_later)
        tasks.run(job_id)
        experiment = experiment_of(experiment_id)
        assert epochs_of(experiment_id) == [1, 2]
        assert experiment.failure_reason == "RuntimeError: the third epoch"
        assert (experiment.metrics or {})["val_accuracy"] is not None
        assert experiment.ended_at is not None


class TestLease:
    def test_a_locked_database_costs_no_heartbeat_thread(
        self,
        a_job_that: Callable[[Handle], int],
        sqlite: Engine,
        own_data_dir: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sqlite_lock, "PATIENCE", 0.02)
        seen: dict[str, Any] = {}

        def outlive_a_lock(_payload: dict[str, Any], lease: Lease) -> None:
            other = sqlite3.connect(sqlite.url.database or "", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(OperationalError), transaction() as session:
                lease.holds(session)
            before = job_of(lease.job_id).heartbeat_at
            lease.lost.wait(1.0)  # three heartbeats fail meanwhile
            other.execute("ROLLBACK")
            other.close()
            wait_until(lambda: job_of(lease.job_id).heartbeat_at != before)
            seen["lost"] = lease.lost.is_set()

        job_id = a_job_that(outlive_a_lock)
        tasks.run(job_id)
        assert seen == {"lost": False}
        assert job_of(job_id).status == JobStatus.COMPLETED

    def test_a_sweep_that_hangs_keeps_no_sign_of_life_back(
        self, a_job_that: Callable[[Handle], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hanging, ended = threading.Event(), threading.Event()

        def hang() -> None:
            hanging.set()
            ended.wait(120)

        monkeypatch.setattr(tasks, "beside", hang)

        def outlive_it(_payload: dict[str, Any], lease: Lease) -> None:
            assert hanging.wait(60)
            before = job_of(lease.job_id).heartbeat_at
            wait_until(lambda: job_of(lease.job_id).heartbeat_at != before)
            ended.set()

        job_id = a_job_that(outlive_it)
        tasks.run(job_id)
        assert job_of(job_id).status == JobStatus.COMPLETED

    def test_a_step_is_tried_again_when_the_database_stumbles(self, a_job_that: Callable[[Handle], int]) -> None:
        tries: list[int] = []

        def stumble(_session: object) -> None:
            tries.append(1)
            if len(tries) < 3:
                raise OperationalError("BEGIN", {}, sqlite3.OperationalError("database is locked"))

        job_id = a_job_that(lambda _payload, lease: lease.step(stumble))
        tasks.run(job_id)
        assert len(tries) == 3
        assert job_of(job_id).status == JobStatus.COMPLETED

    def test_a_database_that_stays_away_costs_an_attempt_and_not_the_job(
        self, a_job_that: Callable[[Handle], int]
    ) -> None:
        error = OperationalError("BEGIN", {}, sqlite3.OperationalError("database is locked"))
        job_id = a_job_that(failing_with(error))
        tasks.run(job_id)
        assert (job_of(job_id).status, job_of(job_id).attempts) == (JobStatus.PENDING, 1)

    def test_a_job_that_was_taken_away_is_noticed(self, a_job_that: Callable[[Handle], int]) -> None:
        def lose(_payload: dict[str, Any], lease: Lease) -> None:
            with transaction() as session:
                job = session.get(Job, lease.job_id)
                assert job is not None
                job.claimed_by = "another"
            assert lease.lost.wait(60)
            assert not lease.goes_on()

        job_id = a_job_that(lose)
        tasks.run(job_id)
        job = job_of(job_id)
        assert (job.status, job.claimed_by, job.error_message) == (JobStatus.RUNNING, "another", None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The two clocks of the sweep, which stand still."""
    clocks = SimpleNamespace(wall=1e9, running=1e4)
    reading = SimpleNamespace(time=lambda: clocks.wall, monotonic=lambda: clocks.running)
    monkeypatch.setattr(sweeping, "time", reading)
    monkeypatch.setattr(sweeping, "_last", 0.0)
    sweeping.begin()
    yield clocks
    monkeypatch.undo()
    sweeping.begin()


class TestSweeping:
    def test_messages_older_than_a_day_go(self, own_data_dir: Path) -> None:
        old, new = (own_data_dir / "broker" / f"{name}.celery.msg" for name in ("1_old", "2_new"))
        for path in (old, new):
            path.write_text("{}")
        long_ago = time.time() - sweeping.MESSAGE_KEPT - 60
        os.utime(old, (long_ago, long_ago))
        assert sweeping.remove_stale_messages() == 1
        assert (old.exists(), new.exists()) == (False, True)

    def test_a_process_that_has_just_swept_does_not_again(
        self, sqlite: Engine, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sweeps: list[int] = []
        monkeypatch.setattr(sweeping.job_recovery, "sweep", lambda _session: sweeps.append(1) or [])
        sweeping.sweep()
        sweeping.sweep_if_due()
        assert len(sweeps) == 1
        clock.running += LOST_AFTER
        sweeping.sweep_if_due()
        assert len(sweeps) == 2


class TestSleep:
    """The machine slept for ten minutes: the wall clock went on, the clock of running time did not."""

    @pytest.fixture
    def silent(self, sqlite: Engine) -> int:
        """A running job whose last heartbeat was before the sleep."""
        with transaction() as session:
            job = job_queue.enqueue(session, "test.kind")
            job.status, job.claimed_by, job.attempts = JobStatus.RUNNING, "sleeper", 1
            job.heartbeat_at = now() - timedelta(minutes=10)
            return job.id

    def test_a_sweep_after_waking_leaves_the_job_to_its_worker(
        self, clock: SimpleNamespace, silent: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hold(monkeypatch, job_queue, sweeping.job_recovery)
        clock.wall += 600
        sweeping.sweep()
        with transaction() as session:
            assert job_queue.beat(session, silent, "sleeper")
        clock.wall, clock.running = clock.wall + LOST_AFTER, clock.running + LOST_AFTER
        sweeping.sweep()
        job = job_of(silent)
        assert (job.status, job.claimed_by, job.attempts) == (JobStatus.RUNNING, "sleeper", 1)

    def test_a_worker_that_stays_silent_after_waking_loses_the_job(self, clock: SimpleNamespace, silent: int) -> None:
        clock.wall += 600
        sweeping.sweep()
        clock.wall, clock.running = clock.wall + LOST_AFTER, clock.running + LOST_AFTER
        sweeping.sweep()
        assert job_of(silent).status == JobStatus.PENDING

    def test_without_sleep_a_silent_job_is_taken_at_once(self, clock: SimpleNamespace, silent: int) -> None:
        clock.wall, clock.running = clock.wall + 600, clock.running + 600
        sweeping.sweep()
        assert job_of(silent).status == JobStatus.PENDING

    def test_a_forked_process_knows_nothing_of_an_earlier_sleep(self, clock: SimpleNamespace, silent: int) -> None:
        clock.wall += 600
        sweeping.begin()
        sweeping.sweep()
        assert job_of(silent).status == JobStatus.PENDING


class TestPurge:
    def test_ended_jobs_go_in_transactions_of_bounded_size(
        self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with transaction() as session:
            for _ in range(8):
                job = job_queue.enqueue(session, "test.kind")
                job.status, job.ended_at = JobStatus.COMPLETED, now() - timedelta(days=31)
        purge, removed = job_queue.purge, []
        monkeypatch.setattr(tasks, "PURGED_AT_ONCE", 3)
        monkeypatch.setattr(job_queue, "purge", lambda *given: removed.append(purge(*given)) or removed[-1])
        tasks.purge()
        assert removed == [3, 3, 1]


class TestAnnounce:
    @pytest.mark.parametrize("redis", ["", "redis://127.0.0.1:1/0"])
    def test_a_queue_that_is_away_costs_the_person_nothing(
        self, own_data_dir: Path, monkeypatch: pytest.MonkeyPatch, redis: str
    ) -> None:
        monkeypatch.setenv("REDIS_URL", redis)
        configuration.settings.cache_clear()
        monkeypatch.setattr(celery_app, "celery", celery_app.build(()))
        shutil.rmtree(own_data_dir / "broker", ignore_errors=True)
        announcing.announce([1])

    @pytest.mark.timeout(120, func_only=True)  # without giving up it waits for ever
    def test_a_redis_that_accepts_and_does_not_answer_is_given_up(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(celery_app, "SILENCE", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
            configuration.settings.cache_clear()
            monkeypatch.setattr(celery_app, "celery", celery_app.build(()))
            announcing.announce([1, 2, 3])
        assert "jobs [1, 2, 3] could not be announced" in caplog.text
