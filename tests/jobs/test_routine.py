"""What the scheduler orders every minute is done beside a long job as well, behind which its messages wait."""

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, func, insert, select

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from jobs import routine, tasks
from jobs.lease import Lease
from models import APIMetricsSummary, Event, HealthSample
from models.permissions import Role
from services import health, job_queue
from services.actor import SYSTEM
from services.api_alerts import rules
from services.api_alerts.events import RAISED
from services.tracking import artifact_retention
from tests.support.people import person
from tests.support.requests_made import row, write
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routine, "_last", float("-inf"))


def number_of(model: type) -> int:
    with snapshot() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_sample_is_taken_so_that_the_worker_does_not_look_dead(database: Engine) -> None:
    def is_silent() -> bool:
        with snapshot() as session:
            return health.queue(session, SYSTEM).is_silent

    assert is_silent()
    tasks.beside()
    assert number_of(HealthSample) == 1
    assert not is_silent()


def test_none_is_taken_where_somebody_took_one_within_the_minute(sqlite: Engine) -> None:
    tasks.sample()
    tasks.beside()
    assert number_of(HealthSample) == 1


def test_one_is_taken_again_after_a_minute(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks.sample()
    with transaction() as session:
        session.scalars(select(HealthSample)).one().taken_at = now() - timedelta(seconds=routine.EVERY + 1)
    tasks.beside()
    assert number_of(HealthSample) == 2


def test_a_process_does_it_once_a_minute(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routine, "_last", time.monotonic())
    tasks.beside()
    assert number_of(HealthSample) == 0


def test_an_alert_is_raised(database: Engine) -> None:
    with transaction() as session:
        rules.create(session, person(Role.ADMIN), rules.wanted("error_rate", "10", 5, None))
    write(row(now() - timedelta(seconds=10), 5.0, 500) for _ in range(30))
    tasks.beside()
    with snapshot() as session:
        assert session.scalars(select(Event.event_type)).all() == [RAISED]


def test_hours_that_are_over_are_summed_up(database: Engine) -> None:
    write(row(now() - timedelta(hours=2), 5.0, 200) for _ in range(3))
    tasks.beside()
    assert number_of(APIMetricsSummary) > 0


def old_samples(number: int) -> None:
    values = {"cpu_percent": 1.0, "memory_used": 1, "memory_total": 2, "disk_used": 1, "disk_total": 2}
    with transaction() as session:
        session.execute(
            insert(HealthSample),
            [{**values, "taken_at": now() - timedelta(days=40), "jobs_waiting": 0, "jobs_running": 0}] * number,
        )


def test_what_is_kept_no_longer_goes_once_an_hour(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routine, "_last", time.monotonic())
    old_samples(3)
    tasks.beside()
    assert number_of(HealthSample) == 3
    monkeypatch.setattr(tasks, "_purged", float("-inf"))
    tasks.beside()
    assert number_of(HealthSample) == 0
    old_samples(3)
    tasks.beside()
    assert number_of(HealthSample) == 3


def test_a_job_that_ends_does_not_wait_until_all_of_it_is_gone(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "PURGED_AT_ONCE", 2)
    monkeypatch.setattr(tasks, "LONGEST_ERRANDS", -1.0)
    monkeypatch.setattr(tasks, "_purged", float("-inf"))
    old_samples(5)
    tasks.purge_if_due()
    assert number_of(HealthSample) == 5
    tasks.purge()
    assert number_of(HealthSample) == 0


def test_nor_until_all_files_of_nobody_are_gone(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks.purge_files()  # of other tests
    for number in range(4):
        (settings().artifacts_dir / "runs" / f"{number:032x}").mkdir(parents=True)
    assert tasks.purge_files(until=time.monotonic() - 1) == 0
    until = time.monotonic() + 3600
    looks = iter((until - 1, until, until + 1))  # the second one to go takes the rest of the time
    monkeypatch.setattr(artifact_retention, "time", SimpleNamespace(monotonic=looks.__next__))
    assert tasks.purge_files(until) == 2
    monkeypatch.undo()
    assert tasks.purge_files() == 2


def test_a_worker_that_ends_leaves_it_to_the_next(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "is_stopping", lambda: True)
    tasks.beside()
    assert number_of(HealthSample) == 0


def test_it_is_done_while_a_job_runs(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PFD_JOB_LOST_AFTER", "PT3S")
    from config import settings as configuration

    configuration.settings.cache_clear()
    with transaction() as session:
        job_id = job_queue.enqueue(session, "training.run").id
    with transaction() as session:
        assert job_queue.claim(session, job_id, "me") is not None
    with Lease(job_id, "me", tasks.beside):
        wait_until(lambda: number_of(HealthSample) == 1)
