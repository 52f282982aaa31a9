"""Facts about jobs as rows: claimed once, alive by their heartbeat, found again when their worker died."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from config.settings import settings
from database.engine import announce_with, snapshot, transaction
from database.types import now
from models.experiment import Experiment, ExperimentStatus
from models.job import Job, JobStatus
from services import job_queue, job_recovery
from services.actor import SYSTEM
from services.experiments import lifecycle

KIND = "test.kind"


@pytest.fixture(autouse=True)
def nobody_listens() -> None:
    announce_with(None)


def a_job(max_attempts: int = 3, experiment_id: int | None = None) -> int:
    with transaction() as session:
        return job_queue.enqueue(session, KIND, experiment_id=experiment_id, max_attempts=max_attempts).id


def an_experiment() -> int:
    with transaction() as session:
        return lifecycle.create(session, SYSTEM, name="Trained by a job").id


def claimed(job_id: int, worker: str = "w") -> bool:
    with transaction() as session:
        return job_queue.claim(session, job_id, worker) is not None


def swept() -> list[int]:
    with transaction() as session:
        return job_recovery.sweep(session)


def let_it_be_lost(job_id: int) -> None:
    with transaction() as session:
        silent_since = now() - settings().job_lost_after - timedelta(seconds=1)
        session.execute(update(Job).where(Job.id == job_id).values(heartbeat_at=silent_since))


def the(job_id: int) -> Job:
    with snapshot() as session:
        return session.get_one(Job, job_id)


def the_experiment(experiment_id: int) -> Experiment:
    with snapshot() as session:
        return session.get_one(Experiment, experiment_id)


def at_once(work: Callable[[int], None], threads: int = 8) -> None:
    """Do it in several threads that start together; an error in one is an error of the test."""
    gate, errors = threading.Barrier(threads), []

    def run(number: int) -> None:
        gate.wait()
        try:
            work(number)
        except Exception as error:
            errors.append(error)

    started = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert errors == []


class TestClaim:
    def test_of_eight_workers_at_once_exactly_one_gets_it(self, database: Engine) -> None:
        for _ in range(5):
            job_id, winners = a_job(), []

            def race(number: int, job_id: int = job_id, winners: list[int] = winners) -> None:
                if claimed(job_id, f"worker {number}"):
                    winners.append(number)

            at_once(race)
            assert len(winners) == 1
            assert the(job_id).claimed_by == f"worker {winners[0]}"
            assert the(job_id).attempts == 1

    def test_a_job_for_later_waits(self, database: Engine) -> None:
        job_id = a_job()
        with transaction() as session:
            session.execute(update(Job).values(not_before=now() + timedelta(hours=1)))
        assert not claimed(job_id)

    def test_an_ended_job_is_not_claimed_again(self, database: Engine) -> None:
        job_id = a_job()
        assert claimed(job_id)
        with transaction() as session:
            assert job_queue.finish(session, job_id, "w")
        assert not claimed(job_id)


class TestEnqueue:
    def test_its_message_leaves_after_the_commit(self, database: Engine) -> None:
        seen: list[tuple[list[int], bool]] = []
        announce_with(lambda ids: seen.append((ids, the(ids[0]).status == JobStatus.PENDING)))
        job_id = a_job()
        assert seen == [([job_id], True)]

    def test_what_is_rolled_back_is_not_announced(self, database: Engine) -> None:
        seen: list[list[int]] = []
        announce_with(seen.append)
        with pytest.raises(RuntimeError), transaction() as session:
            job_queue.enqueue(session, KIND)
            raise RuntimeError
        assert seen == []


class TestSweep:
    def test_a_silent_job_waits_again_and_is_named(self, database: Engine) -> None:
        job_id = a_job()
        claimed(job_id)
        let_it_be_lost(job_id)
        assert swept() == [job_id]
        assert (the(job_id).status, the(job_id).claimed_by) == (JobStatus.PENDING, None)

    def test_a_job_that_shows_life_is_left_alone(self, database: Engine) -> None:
        job_id = a_job()
        claimed(job_id)
        assert swept() == []
        assert the(job_id).status == JobStatus.RUNNING

    def test_the_former_worker_is_told_that_it_lost_the_job(self, database: Engine) -> None:
        job_id = a_job()
        claimed(job_id, "former")
        let_it_be_lost(job_id)
        swept()
        claimed(job_id, "next")
        with transaction() as session:
            assert not job_queue.beat(session, job_id, "former")
            assert not job_queue.finish(session, job_id, "former")
            job_recovery.fail(session, job_id, "former", "too late")
        assert (the(job_id).status, the(job_id).claimed_by) == (JobStatus.RUNNING, "next")

    def test_after_the_last_attempt_job_and_experiment_end_as_failed(self, database: Engine) -> None:
        experiment_id = an_experiment()
        job_id = a_job(max_attempts=1, experiment_id=experiment_id)
        claimed(job_id)
        with transaction() as session:
            lifecycle.start(session, experiment_id)
        let_it_be_lost(job_id)
        assert swept() == []
        experiment = the_experiment(experiment_id)
        assert (the(job_id).status, experiment.status) == (JobStatus.FAILED, ExperimentStatus.FAILED)
        assert experiment.failure_reason == the(job_id).error_message == job_recovery.WORKER_LOST
        assert experiment.ended_at is not None

    def test_an_experiment_whose_worker_died_waits_and_keeps_its_first_start(self, database: Engine) -> None:
        experiment_id = an_experiment()
        job_id = a_job(experiment_id=experiment_id)
        claimed(job_id)
        with transaction() as session:
            lifecycle.start(session, experiment_id)
        first_start = the_experiment(experiment_id).started_at
        let_it_be_lost(job_id)
        swept()
        assert the_experiment(experiment_id).status == ExperimentStatus.PENDING
        with transaction() as session:
            assert lifecycle.start(session, experiment_id)
        experiment = the_experiment(experiment_id)
        assert (experiment.status, experiment.started_at) == (ExperimentStatus.RUNNING, first_start)

    def test_a_job_whose_message_was_lost_is_named_once(self, database: Engine) -> None:
        job_id = a_job()
        with transaction() as session:
            session.execute(update(Job).values(announced_at=now() - settings().job_lost_after))
        assert swept() == [job_id]
        assert swept() == []

    def test_eight_sweeps_at_once_name_and_count_each_job_once(self, database: Engine) -> None:
        experiments = [an_experiment() for _ in range(6)]
        jobs = [a_job(experiment_id=number) for number in experiments]
        for job_id in jobs:
            claimed(job_id)
            let_it_be_lost(job_id)
        named: list[int] = []
        at_once(lambda _: named.extend(swept()))
        named.extend(swept())
        assert sorted(named) == jobs
        assert [the(job_id).attempts for job_id in jobs] == [1] * 6

    def test_cancelling_during_sweeps_neither_waits_for_ever_nor_fails(self, database: Engine) -> None:
        experiments = [an_experiment() for _ in range(6)]
        for experiment_id in experiments:
            job_id = a_job(experiment_id=experiment_id)
            claimed(job_id)
            let_it_be_lost(job_id)

        def sweep_or_cancel(number: int) -> None:
            if number % 2:
                swept()
                return
            with transaction() as session:
                lifecycle.cancel_many(session, SYSTEM, experiments)

        at_once(sweep_or_cancel)
        with snapshot() as session:
            assert set(session.scalars(select(Experiment.status))) == {ExperimentStatus.CANCELLED}
            assert set(session.scalars(select(Job.status))) == {JobStatus.CANCELLED}


class TestPurge:
    def ended(self, *, days: int, kind: str = KIND, status: JobStatus = JobStatus.COMPLETED) -> int:
        with transaction() as session:
            job = job_queue.enqueue(session, kind)
            job.status, job.ended_at = status, now() - timedelta(days=days)
            return job.id

    def left(self) -> set[int]:
        with snapshot() as session:
            return set(session.scalars(select(Job.id)))

    def purged(self, limit: int = 100) -> int:
        with transaction() as session:
            return job_queue.purge(session, limit)

    @pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED])
    def test_jobs_that_ended_long_ago_go(self, database: Engine, status: JobStatus) -> None:
        self.ended(days=31, status=status)
        newer = self.ended(days=29, status=status)
        assert self.purged() == 1
        assert self.left() == {newer}

    def test_what_waits_or_runs_stays_however_old(self, database: Engine) -> None:
        waiting, running = a_job(), a_job()
        claimed(running)
        with transaction() as session:
            session.execute(update(Job).values(created_at=now() - timedelta(days=400)))
        self.ended(days=29)
        assert self.purged() == 0
        assert {waiting, running} < self.left()

    def test_the_last_of_each_kind_stays_to_tell_that_it_was_done(self, database: Engine) -> None:
        self.ended(days=40)
        last, other = self.ended(days=31), self.ended(days=400, kind="demo.load")
        assert self.purged() == 1
        assert self.left() == {last, other}

    def test_one_call_removes_no_more_than_asked_and_the_oldest_first(self, database: Engine) -> None:
        jobs = [self.ended(days=50) for _ in range(5)]
        assert [self.purged(2), self.purged(2), self.purged(2)] == [2, 2, 0]
        assert self.left() == {jobs[-1]}


class TestFail:
    def test_the_reason_is_kept(self, database: Engine) -> None:
        job_id = a_job()
        claimed(job_id)
        with transaction() as session:
            job_recovery.fail(session, job_id, "w", "The disk is full.")
        assert (the(job_id).status, the(job_id).error_message) == (JobStatus.FAILED, "The disk is full.")

    def test_what_may_be_tried_again_waits(self, database: Engine) -> None:
        job_id = a_job(max_attempts=2)
        for expected in (JobStatus.PENDING, JobStatus.FAILED):
            claimed(job_id)
            with transaction() as session:
                job_recovery.fail(session, job_id, "w", "The database is away.", retry=True)
            assert the(job_id).status == expected

    def test_a_cancelled_job_stays_cancelled(self, database: Engine) -> None:
        experiment_id = an_experiment()
        job_id = a_job(experiment_id=experiment_id)
        claimed(job_id)
        with transaction() as session:
            lifecycle.cancel(session, SYSTEM, experiment_id)
        with transaction() as session:
            job_recovery.fail(session, job_id, "w", "too late")
            assert not job_queue.finish(session, job_id, "w")
        assert the(job_id).status == JobStatus.CANCELLED
        assert the_experiment(experiment_id).failure_reason is None


class TestHandBack:
    def test_it_counts_as_no_attempt(self, database: Engine) -> None:
        job_id = a_job()
        claimed(job_id)
        with transaction() as session:
            job_recovery.hand_back(session, job_id, "w")
        job = the(job_id)
        assert (job.status, job.attempts, job.error_message) == (JobStatus.PENDING, 0, None)
        assert swept() == [job_id]
