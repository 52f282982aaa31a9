"""The probes: alive is the process, ready is database, migrations and queue."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from database import engine as engines
from database.engine import transaction
from database.types import now
from models import Job, JobStatus
from services import health, job_queue


def a_waiting_job(minutes: float, **columns: Any) -> None:
    with transaction() as session:
        job = job_queue.enqueue(session, "training.run")
        job.not_before = now() - timedelta(minutes=minutes)
        for name, value in columns.items():
            setattr(job, name, value)


def ready(app: Any) -> int:
    return int(app.server.test_client().get("/readyz").status_code)


def test_a_migrated_database_is_ready(dash_app: Any, database: Engine) -> None:
    assert ready(dash_app) == 200


def test_a_database_that_does_not_answer_is_alive_but_not_ready(dash_app: Any, sqlite: Engine) -> None:
    engines.use_engine(engines.build_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none"))
    browser = dash_app.server.test_client()
    assert browser.get("/healthz").status_code == 200
    assert browser.get("/readyz").status_code == 503


def test_a_page_without_its_database_is_a_503_with_retry_after(dash_app: Any, sqlite: Engine) -> None:
    engines.use_engine(engines.build_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none"))
    answer = dash_app.server.test_client().get("/login", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "nobody" not in answer.text


def test_a_database_whose_file_was_deleted_is_not_ready(dash_app: Any, sqlite: Engine) -> None:
    assert ready(dash_app) == 200
    Path(sqlite.url.database or "").unlink()
    assert ready(dash_app) == 503
    assert dash_app.server.test_client().get("/login").status_code == 503


def test_an_older_schema_is_not_ready(dash_app: Any, database: Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    assert ready(dash_app) == 503


def test_a_queue_that_nobody_serves_is_not_ready(dash_app: Any, database: Engine) -> None:
    a_waiting_job(minutes=11)
    assert ready(dash_app) == 503


def test_waiting_behind_a_busy_worker_is_ready(dash_app: Any, database: Engine) -> None:
    a_waiting_job(minutes=11)
    a_waiting_job(minutes=20, status=JobStatus.RUNNING, heartbeat_at=now())
    assert ready(dash_app) == 200


def test_a_job_for_later_does_not_count(dash_app: Any, database: Engine) -> None:
    with transaction() as session:
        session.add(Job(kind="x", not_before=now() + timedelta(hours=1)))
    assert ready(dash_app) == 200


def test_the_probes_tell_strangers_no_details(dash_app: Any, sqlite: Engine) -> None:
    browser = dash_app.server.test_client()
    assert [browser.get(path).text for path in ("/healthz", "/readyz")] == ["ok\n", "ready\n"]


def test_the_overview_counts_jobs(database: Engine) -> None:
    a_waiting_job(minutes=0)
    a_waiting_job(minutes=0, status=JobStatus.RUNNING, heartbeat_at=now())
    with engines.snapshot() as session:
        state = health.overview(session)
    assert (state.jobs_waiting, state.jobs_running) == (1, 1)
    assert 0 <= state.memory_percent <= 100


def test_a_busy_machine_without_jobs_is_healthy(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (640.0, 640.0, 640.0))
    for its in ("virtual_memory", "disk_usage"):  # which others fill
        monkeypatch.setattr(health.psutil, its, lambda *_: SimpleNamespace(percent=50.0))
    with engines.snapshot() as session:
        state = health.overview(session)
    assert (state.level, state.jobs_running, state.load) == ("healthy", 0, 640.0)
