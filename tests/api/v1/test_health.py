"""How the installation is, through our own API: what the page of health shows and does."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from config import settings as configuration
from database.engine import snapshot, transaction
from database.types import now
from models import HealthSample, Job, JobStatus
from models.permissions import Role
from services.storage import chosen
from tests.support.rest import Rest


@pytest.fixture
def admin(dash_app: Any, database: Engine) -> Rest:
    return Rest(dash_app.server, role=Role.ADMIN)


@pytest.fixture
def lone_admin(dash_app: Any, sqlite: Engine) -> Rest:
    return Rest(dash_app.server, role=Role.ADMIN)


def failed_jobs(count: int) -> list[int]:
    with transaction() as session:
        rows = [Job(kind="demo.load", payload={}, status=JobStatus.FAILED, error_message="No.") for _ in range(count)]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def test_machine_queue_database_and_versions_are_told(admin: Rest) -> None:
    told = admin.get("/health").json
    assert 0 < told["machine"]["memory_used"] <= told["machine"]["memory_total"]
    assert (told["queue"]["running"], told["queue"]["silent"]) == (0, True)
    assert {"users", "experiments"} <= {one["name"] for one in told["database"]["tables"]}
    assert told["about"]["revision"] == told["about"]["head"]
    assert told["about"]["artifacts"] == str(configuration.settings().artifacts_dir)


def test_a_bucket_is_named_with_its_server_and_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PFD_ARTIFACT_URI": "s3://runs/pfd",
        "PFD_ARTIFACT_ENDPOINT_URL": "https://minio.example.org:9000",
        "AWS_SECRET_ACCESS_KEY": "canary",
    }.items():
        monkeypatch.setenv(name, value)
    configuration.settings.cache_clear()
    try:
        assert chosen.place() == "s3://runs/pfd at https://minio.example.org:9000"
    finally:
        monkeypatch.undo()
        configuration.settings.cache_clear()


def test_the_course_of_each_quantity_is_told_over_a_day_or_a_week(lone_admin: Rest) -> None:
    common = {"memory_used": 4, "memory_total": 8, "disk_used": 30, "disk_total": 100, "jobs_running": 2}
    with transaction() as session:
        session.add_all(
            HealthSample(taken_at=now() - timedelta(hours=hours), cpu_percent=10.0 + hours, jobs_waiting=1, **common)
            for hours in (1, 2, 30)
        )
    assert [one["value"] for one in lone_admin.get("/health/history", quantity="cpu").json["items"]] == [12.0, 11.0]
    week = lone_admin.get("/health/history", quantity="memory", range="7d").json["items"]
    assert [one["value"] for one in week] == [50.0] * 3
    assert lone_admin.get("/health/history").status_code == 422


def test_a_failed_job_is_found_and_tried_again_once(admin: Rest) -> None:
    numbers = failed_jobs(3)
    first = admin.get("/failed-jobs", limit=2).json
    rest = admin.get("/failed-jobs", limit=2, cursor=first["next"]).json
    assert [one["id"] for one in first["items"] + rest["items"]] == numbers[::-1]
    assert (first["items"][0]["reason"], first["items"][0]["may_retry"], rest["next"]) == ("No.", True, None)
    answers = [admin.post(f"/failed-jobs/{numbers[0]}/retry") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 409]
    with snapshot() as session:
        job = session.get(Job, numbers[0])
        assert job is not None and job.status == JobStatus.PENDING


def test_who_may_see_it_and_not_run_tries_none_again(dash_app: Any, sqlite: Engine) -> None:
    (number,) = failed_jobs(1)
    watcher = Rest(dash_app.server, "view_system_health", role=Role.ADMIN)
    runner = Rest(dash_app.server, "run_experiments", role=Role.ADMIN)
    assert watcher.get("/failed-jobs").json["items"][0]["may_retry"] is False
    assert {rest.post(f"/failed-jobs/{number}/retry").status_code for rest in (watcher, runner)} == {403}
