"""Facts about real worker processes: killed, told to end, left without messages, they lose no work."""

import signal
from datetime import timedelta
from pathlib import Path

import psutil

from database.engine import announce_with, transaction
from database.types import now
from models.experiment import ExperimentStatus
from models.job import Job, JobStatus
from services import job_queue
from services.actor import SYSTEM
from services.experiments import lifecycle
from tests.support.trainings import (
    HALF,
    LONG,
    QUICK,
    a_dataset,
    a_training,
    epochs_of,
    experiment_of,
    job_of,
    matrices_of,
    points_of,
)
from tests.support.waiting import wait_until
from tests.support.workers import Machine


def is_completed(experiment_id: int) -> bool:
    return experiment_of(experiment_id).status == ExperimentStatus.COMPLETED


def assert_whole(experiment_id: int, epochs: int) -> None:
    """Each epoch once, in the table, in every loss and accuracy series and among the matrices."""
    assert epochs_of(experiment_id) == list(range(1, epochs + 1))
    assert max(points_of(experiment_id)) == epochs
    assert matrices_of(experiment_id) == epochs


def nobody_heard_of(job_id: int) -> None:
    """As if an hour had gone by since it was announced, or since its worker died."""
    with transaction() as session:
        job, moment = session.get_one(Job, job_id), now() - timedelta(hours=1)
        job.announced_at, job.heartbeat_at = moment, moment if job.heartbeat_at else None


def killed_half_way(machine: Machine) -> tuple[int, int]:
    """A training whose worker was killed after some epochs, and before the last."""
    numbers = a_training(a_dataset(), HALF)
    worker = machine.worker()
    wait_until(lambda: len(epochs_of(numbers[0])) >= 3)
    machine.kill(worker)
    assert 3 <= len(epochs_of(numbers[0])) < HALF.epochs
    assert job_of(numbers[1]).status == JobStatus.RUNNING
    return numbers


class TestWorker:
    def test_a_queued_training_runs_to_its_end(self, machine: Machine) -> None:
        experiment_id, job_id = a_training(a_dataset())
        machine.worker()
        wait_until(lambda: job_of(job_id).status == JobStatus.COMPLETED)
        assert is_completed(experiment_id)
        assert_whole(experiment_id, QUICK.epochs)
        assert list((machine.data_dir / "broker").iterdir()) == []

    def test_a_team_on_postgresql_and_redis_trains_as_well(self, team_machine: Machine) -> None:
        experiment_id, job_id = a_training(a_dataset())
        team_machine.worker()
        wait_until(lambda: job_of(job_id).status == JobStatus.COMPLETED)
        assert_whole(experiment_id, QUICK.epochs)

    def test_worker_and_scheduler_say_nothing_and_write_nothing_where_they_start(self, machine: Machine) -> None:
        before = set(Path("/").iterdir())
        _, job_id = a_training(a_dataset())
        machine.worker()
        machine.beat()
        wait_until(lambda: job_of(job_id).status == JobStatus.COMPLETED)
        assert machine.log().strip() == ""
        assert set(Path("/").iterdir()) == before


def assert_grows(machine: Machine) -> None:
    """One process for the first training, one more for those that would wait, and no third."""
    dataset = a_dataset()
    (_, first), worker = a_training(dataset, LONG), psutil.Process(machine.worker().pid)
    wait_until(lambda: job_of(first).status == JobStatus.RUNNING)
    assert len(worker.children()) == 1
    others = [a_training(dataset, LONG)[1] for _ in range(2)]
    wait_until(lambda: JobStatus.RUNNING in {job_of(other).status for other in others})
    assert job_of(first).status == JobStatus.RUNNING
    assert {job_of(other).status for other in others} == {JobStatus.RUNNING, JobStatus.PENDING}
    assert len(worker.children()) == 2


class TestGrowing:
    def test_a_worker_begins_with_one_process_and_takes_another_for_work_that_waits(self, machine: Machine) -> None:
        assert_grows(machine)

    def test_so_it_does_on_postgresql_and_redis(self, team_machine: Machine) -> None:
        assert_grows(team_machine)


class TestKilled:
    def test_a_killed_training_resumes_and_has_each_epoch_once(self, machine: Machine) -> None:
        experiment_id, job_id = killed_half_way(machine)
        nobody_heard_of(job_id)
        machine.worker()
        machine.beat()
        wait_until(lambda: job_of(job_id).status == JobStatus.COMPLETED)
        assert is_completed(experiment_id)
        assert job_of(job_id).attempts == 2
        assert_whole(experiment_id, HALF.epochs)

    def test_so_it_does_on_postgresql_and_redis(self, team_machine: Machine) -> None:
        experiment_id, job_id = killed_half_way(team_machine)
        nobody_heard_of(job_id)
        team_machine.worker()
        team_machine.beat()
        wait_until(lambda: job_of(job_id).status == JobStatus.COMPLETED)
        assert_whole(experiment_id, HALF.epochs)

    def test_a_training_that_kills_its_worker_each_time_ends_as_failed(self, machine: Machine) -> None:
        experiment_id, job_id = a_training(a_dataset())
        machine.killing_worker()
        machine.beat()

        def has_failed() -> bool:
            job = job_of(job_id)
            if job.claimed_by and not psutil.pid_exists(int(job.claimed_by.split(":")[1])):
                nobody_heard_of(job_id)
            return job.status == JobStatus.FAILED

        wait_until(has_failed)
        experiment = experiment_of(experiment_id)
        assert job_of(job_id).attempts == 3
        assert (experiment.status, experiment.failure_reason) == (
            ExperimentStatus.FAILED,
            "The worker stopped in the middle of this job.",
        )

    def test_a_busy_worker_finds_lost_work_without_the_scheduler(self, machine: Machine) -> None:
        _, lost = killed_half_way(machine)
        busy, _ = a_training(experiment_of(1).dataset_id or 0, LONG, "Keeps one process busy")
        machine.worker()
        wait_until(lambda: len(epochs_of(busy)) >= 3)
        nobody_heard_of(lost)
        wait_until(lambda: job_of(lost).attempts >= 2)


class TestDamagedMessage:
    def test_files_that_a_full_disk_left_empty_or_half_written_end_no_worker(self, machine: Machine) -> None:
        broker = machine.data_dir / "broker"
        (broker / "control").mkdir()
        (broker / "control" / "celery.exchange").write_text("")  # as Kombu's own transport keeps it
        for number, text in enumerate(("", '{"body": "', "{}", "[]", "null", '{"properties": {"body_encoding": 1}}')):
            (broker / f"{number}_damaged.celery.msg").write_text(text)
        _, job_id = a_training(a_dataset())
        worker = machine.worker()
        wait_until(lambda: job_of(job_id).status == JobStatus.COMPLETED)
        wait_until(lambda: list(broker.glob("*.msg*")) == [])
        assert worker.poll() is None
        assert machine.log().count("was dropped") == 6


class TestLostMessage:
    def test_a_job_without_a_message_is_found_by_the_sweep(self, machine: Machine) -> None:
        dataset_id = a_dataset()
        announce_with(None)
        _, job_id = a_training(dataset_id)
        nobody_heard_of(job_id)
        machine.worker()
        machine.beat()
        wait_until(lambda: job_of(job_id).status == JobStatus.COMPLETED)


class TestToldToEnd:
    def test_a_worker_told_to_end_hands_its_training_to_the_next(self, machine: Machine) -> None:
        experiment_id, job_id = a_training(a_dataset(), HALF)
        worker = machine.worker()
        wait_until(lambda: len(epochs_of(experiment_id)) >= 2)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(150) == 0
        assert (job_of(job_id).status, job_of(job_id).attempts) == (JobStatus.PENDING, 0)
        assert experiment_of(experiment_id).status == ExperimentStatus.PENDING
        machine.worker()  # no scheduler: the worker itself looks for what was left
        wait_until(lambda: job_of(job_id).status == JobStatus.COMPLETED)
        assert_whole(experiment_id, HALF.epochs)


class TestCancel:
    def test_a_cancelled_training_stops_and_keeps_its_epochs(self, machine: Machine) -> None:
        dataset_id = a_dataset()
        experiment_id, job_id = a_training(dataset_id, LONG)
        machine.worker()
        wait_until(lambda: len(epochs_of(experiment_id)) >= 2)
        with transaction() as session:
            lifecycle.cancel(session, SYSTEM, experiment_id)
        kept = epochs_of(experiment_id)
        # The other process may take this one, so a second follows: then the first process is free as well.
        later = [a_training(dataset_id, QUICK, f"Later {number}")[1] for number in range(3)]
        wait_until(lambda: all(job_of(number).status == JobStatus.COMPLETED for number in later))
        assert epochs_of(experiment_id) == kept
        assert (job_of(job_id).status, experiment_of(experiment_id).status) == (
            JobStatus.CANCELLED,
            ExperimentStatus.CANCELLED,
        )


class TestCommands:
    def test_a_wrong_setting_is_one_sentence(self, machine: Machine) -> None:
        machine.environment["DATABASE_URL"] = "mysql://nowhere"
        assert machine.worker().wait(150) == 1
        assert machine.log().count("\n") == 1
        assert "DATABASE_URL" in machine.log()


def test_a_message_for_a_job_that_is_gone_harms_nobody(machine: Machine) -> None:
    with transaction() as session:
        job_id = job_queue.enqueue(session, "training.run", {"experiment_id": 1}).id
        session.info["queued_jobs"] = [job_id + 1000, job_id]
    machine.worker()
    wait_until(lambda: job_of(job_id).status == JobStatus.COMPLETED)
