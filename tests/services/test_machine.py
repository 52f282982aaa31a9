"""The state of the installation: samples of the machine, the queue, failed jobs, the size of the database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, func, select, text

from database.engine import snapshot, transaction
from database.types import now
from jobs import tasks
from models import EmailLog, Experiment, HealthSample, Job, JobStatus, SystemLog
from models.permissions import PermissionDenied, Role
from services import database_size, deletion, failed_jobs, health, job_queue, machine, machine_courses, notices
from services.actor import SYSTEM, Actor
from services.errors import AppError, Conflict, NotFound
from services.machine import Reading
from tests.support.people import person

READING = Reading(25.0, 4, 8, 30, 100)


def samples(count: int, minutes: float = 1.0, **columns: Any) -> None:
    moment = now()
    values = {"cpu_percent": 10.0, "memory_used": 4, "memory_total": 8, "disk_used": 30, "disk_total": 100}
    values |= {"jobs_waiting": 0, "jobs_running": 0, **columns}
    with transaction() as session:
        session.add_all(HealthSample(taken_at=moment - timedelta(minutes=minutes * n), **values) for n in range(count))


def courses(hours: float = 24.0, actor: Actor = SYSTEM) -> dict[str, machine_courses.Course]:
    with snapshot() as session:
        return machine_courses.courses(session, actor, timedelta(hours=hours))


def a_failed_job(kind: str = "demo.load", payload: dict[str, Any] | None = None, **columns: Any) -> int:
    with transaction() as session:
        job = job_queue.enqueue(session, kind, payload)
        for name, value in {"status": JobStatus.FAILED, "attempts": 3, "error_message": "No.", **columns}.items():
            setattr(job, name, value)
        session.info.pop("queued_jobs")
        return job.id


def retry(number: int, actor: Actor = SYSTEM) -> str:
    with transaction() as session:
        return failed_jobs.retry(session, actor, number)


class TestSamples:
    def test_the_worker_takes_one_of_this_machine(self, database: Engine) -> None:
        with transaction() as session:
            job_queue.enqueue(session, "training.run")
        tasks.sample()
        with snapshot() as session:
            row = session.scalars(select(HealthSample)).one()
        assert 0 <= row.cpu_percent <= 100
        assert 0 < row.memory_used <= row.memory_total and 0 < row.disk_used <= row.disk_total
        assert (row.jobs_waiting, row.jobs_running) == (1, 0)

    def test_the_scheduler_orders_one_a_minute(self) -> None:
        from jobs.celery_app import celery

        assert celery.conf.beat_schedule["sample"] == {
            "task": tasks.sample.name,
            "schedule": 60.0,
            "options": {"expires": 60.0},
        }

    def test_the_purge_removes_those_older_than_thirty_days(self, database: Engine) -> None:
        samples(3, minutes=60 * 24 * 20)
        tasks.purge()
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(HealthSample)) == 2

    def test_only_the_time_that_is_asked_for_is_drawn(self, database: Engine) -> None:
        samples(4, minutes=60 * 20)
        assert {name: course.times.size for name, course in courses().items()} == dict.fromkeys(
            ("cpu", "memory", "disk", "running", "waiting"), 2
        )
        assert courses(24 * 7)["cpu"].times.size == 4

    def test_shares_are_of_the_whole(self, database: Engine) -> None:
        samples(1)
        assert {name: course.values.tolist() for name, course in courses().items()} == {
            "cpu": [10.0],
            "memory": [50.0],
            "disk": [30.0],
            "running": [0.0],
            "waiting": [0.0],
        }

    def test_a_week_is_few_points_and_keeps_its_spike(self, sqlite: Engine) -> None:
        samples(10_000)
        with transaction() as session:
            spike = session.scalars(select(HealthSample).order_by(HealthSample.id).offset(5000).limit(1)).one()
            spike.cpu_percent = 99.0
        course = courses(24 * 7)["cpu"]
        assert course.times.size <= machine_courses.POINTS
        assert course.values.max() == 99.0 and np.all(np.diff(course.times) > 0)

    def test_none_yet_is_an_empty_course(self, database: Engine) -> None:
        assert courses()["cpu"].times.size == 0


class TestQueue:
    def queue(self, actor: Actor = SYSTEM) -> health.Queue:
        with snapshot() as session:
            return health.queue(session, actor)

    def test_what_waits_runs_or_is_for_later_is_told_apart(self, database: Engine) -> None:
        with transaction() as session:
            for minutes in (3, 1, -5):
                job_queue.enqueue(session, "x").not_before = now() - timedelta(minutes=minutes)
            job_queue.enqueue(session, "y")
            session.flush()
            job_queue.claim(session, 4, "worker:1")
        found = self.queue()
        assert (found.waiting, found.running, found.later, found.workers) == (2, 1, 1, 1)
        assert found.oldest is not None and timedelta(minutes=3) <= found.oldest < timedelta(minutes=10)
        assert not found.is_silent

    def test_a_sample_is_a_sign_of_life_and_its_absence_is_told(self, database: Engine) -> None:
        assert self.queue().is_silent and self.queue().last_sign is None
        with transaction() as session:
            machine.keep(session, READING)
        assert not self.queue().is_silent

    def test_it_is_one_look_however_many_jobs_there_are(self, database: Engine, count_queries: Any) -> None:
        few = count_queries(database, self.queue)
        with transaction() as session:
            for _ in range(50):
                job_queue.enqueue(session, "x")
        assert count_queries(database, self.queue) == few

    def test_versions_and_head_are_told(self, database: Engine) -> None:
        with snapshot() as session:
            found = health.about(session, SYSTEM)
        assert found.revision == found.head
        assert found.database.startswith("PostgreSQL 1" if database.dialect.name == "postgresql" else "SQLite 3.")
        assert found.machine_since < found.web_since < now()


class TestFailedJobs:
    def test_they_are_told_with_their_reason_the_newest_first(self, database: Engine) -> None:
        numbers = [a_failed_job(error_message=reason) for reason in ("first", "second")]
        with snapshot() as session:
            found = failed_jobs.failed(session, SYSTEM)
        assert [(item.id, item.reason) for item in found] == [(numbers[1], "second"), (numbers[0], "first")]

    def test_one_is_tried_again_as_if_it_were_new_and_that_is_a_row(self, database: Engine) -> None:
        admin, number = person(Role.ADMIN), a_failed_job(claimed_by="w", ended_at=now())
        with transaction() as session:
            failed_jobs.retry(session, admin, number)
            assert session.info["queued_jobs"] == [number]
        with snapshot() as session:
            job = session.get_one(Job, number)
            row = session.scalars(select(SystemLog)).one()
        assert (job.status, job.attempts, job.claimed_by, job.ended_at) == (JobStatus.PENDING, 0, None, None)
        assert (row.action, row.user_id) == ("job.retry", admin.user_id)
        assert (row.details or {})["reason"] == "No."

    def test_of_many_at_once_one_queues_it(self, database: Engine) -> None:
        number = a_failed_job()

        def attempt(_place: int) -> bool:
            try:
                retry(number)
            except AppError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(attempt, range(16))) == 1

    @pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.RUNNING, JobStatus.COMPLETED, JobStatus.CANCELLED])
    def test_one_that_has_not_failed_is_refused(self, database: Engine, status: JobStatus) -> None:
        with pytest.raises(Conflict):
            retry(a_failed_job(status=status))

    def test_one_that_is_not_there_is_not_found(self, database: Engine) -> None:
        with pytest.raises(NotFound):
            retry(99)

    def test_a_training_is_not_restarted(self, database: Engine) -> None:
        with transaction() as session:
            experiment = Experiment(name="e")
            session.add(experiment)
            session.flush()
            number = experiment.id
        with pytest.raises(Conflict, match="never restarted"):
            retry(a_failed_job(experiment_id=number))

    def a_mail(self, target: Actor, **columns: Any) -> int:
        with transaction() as session:
            notices.tell_owner(session, target.user_id or 0, "password_changed")
            mail = session.scalars(select(EmailLog)).one()
            job = session.scalars(select(Job)).one()
            mail.status, job.status = "failed", JobStatus.FAILED
            for name, value in columns.items():
                setattr(mail, name, value)
            return job.id

    def mail(self) -> EmailLog:
        with snapshot() as session:
            return session.scalars(select(EmailLog)).one()

    def test_a_notice_waits_again_with_its_job(self, database: Engine) -> None:
        retry(self.a_mail(person(Role.VIEWER), retry_count=8))
        assert (self.mail().status, self.mail().retry_count) == ("pending", 0)

    @pytest.mark.parametrize("columns", [{"status": "sent"}, {"template_name": "link"}])
    def test_a_mail_that_has_left_or_lost_its_link_does_not(self, database: Engine, columns: dict[str, str]) -> None:
        number = self.a_mail(person(Role.VIEWER), **columns)
        with pytest.raises(Conflict):
            retry(number)

    def test_a_mail_to_somebody_who_was_deleted_does_not(self, database: Engine) -> None:
        target = person(Role.VIEWER)
        number = self.a_mail(target)
        with transaction() as session:
            deletion.delete(session, SYSTEM, target.user_id or 0)
        with pytest.raises(Conflict):
            retry(number)


class TestDatabaseSize:
    def size(self) -> database_size.Size:
        with snapshot() as session:
            return database_size.size(session, SYSTEM)

    def test_tables_are_told_with_rows_and_bytes(self, database: Engine) -> None:
        samples(3)
        if database.dialect.name == "postgresql":
            with database.begin() as connection:
                connection.execute(text("ANALYZE health_samples"))
        found = {item.name: item for item in self.size().tables}
        assert found["health_samples"].rows == 3 and (found["health_samples"].bytes or 0) > 0
        assert 0 < sum(item.bytes or 0 for item in found.values()) <= self.size().bytes
        assert len(found) == len(Experiment.metadata.tables)

    def test_a_large_table_is_estimated_and_not_counted(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database_size, "COUNTED", 5)
        samples(20)
        found = {item.name: item for item in self.size().tables}
        assert (found["health_samples"].rows, found["health_samples"].about) == (20, True)

    def test_a_large_file_is_not_walked(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database_size, "WALKED", 0)
        assert {item.bytes for item in self.size().tables} == {None}
        assert self.size().bytes > 0

    def test_it_costs_the_same_for_any_number_of_rows(self, database: Engine, count_queries: Any) -> None:
        few = count_queries(database, self.size)
        samples(100)
        assert count_queries(database, self.size) == few <= 5


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_learn_nothing(sqlite: Engine, role: Role) -> None:
    actor, number = person(role), a_failed_job()
    for read in (
        lambda session: machine_courses.courses(session, actor, timedelta(hours=1)),
        lambda session: health.queue(session, actor),
        lambda session: health.about(session, actor),
        lambda session: failed_jobs.failed(session, actor),
        lambda session: failed_jobs.retry(session, actor, number),
        lambda session: database_size.size(session, actor),
    ):
        with pytest.raises(PermissionDenied), transaction() as session:
            read(session)
