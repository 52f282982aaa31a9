"""An installation of its own for each test of jobs: data folder, database, queue."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from config import settings as configuration
from database import engine as engines
from jobs import celery_app, tasks  # noqa: F401 - imported here, because it names an announcer
from tests.conftest import IN_CI
from tests.support import workers
from tests.support.workers import Machine

MachineOf = Callable[..., Machine]


@pytest.fixture(autouse=True)
def own_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings of this test; nothing is announced unless a machine listens."""
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PFD_JOB_LOST_AFTER", f"PT{workers.LOST_AFTER}S")
    configuration.settings.cache_clear()
    configuration.settings().prepare_data_dir()
    engines.announce_with(None)
    yield tmp_path
    engines.announce_with(None)
    monkeypatch.undo()
    configuration.settings.cache_clear()


def _announce_through_the_broker() -> None:
    app = celery_app.build(tasks=())

    def announce(job_ids: list[int]) -> None:
        for job_id in job_ids:
            app.send_task("jobs.run", args=[job_id])

    engines.announce_with(announce)


@pytest.fixture
def machine(sqlite: Engine, own_data_dir: Path) -> Iterator[Machine]:
    """Processes on SQLite with the queue on disk, as an installation begins."""
    made = Machine(own_data_dir, sqlite.url.render_as_string(hide_password=False))
    _announce_through_the_broker()
    yield made
    made.close()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A running Redis; under CI its absence is a failure, not a skip."""
    if workers.redis_binary() is None:
        if IN_CI:
            pytest.fail(workers.REDIS_MISSING)
        pytest.skip(workers.REDIS_MISSING)
    with workers.redis_server() as address:
        yield address


@pytest.fixture
def team_machine(
    postgresql_url: str, redis_url: str, own_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    """Processes on PostgreSQL with the queue in Redis, as a team has it."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    configuration.settings.cache_clear()
    engines.use_engine(engines.build_engine(postgresql_url))
    made = Machine(own_data_dir, postgresql_url, redis_url)
    _announce_through_the_broker()
    yield made
    made.close()
    engines.use_engine(None)
