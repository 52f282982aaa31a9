"""Installations of their own, run as real processes."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import run
from tests.conftest import IN_CI
from tests.support import workers
from tests.support.installation import Installation
from tests.support.postgresql import free_port


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A data folder that does not exist yet, a free port, and the `pfd` command on them; nothing is left running."""
    made = Installation(tmp_path, free_port())
    yield made
    made.end()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that several tests look at while it serves."""
    made = Installation(tmp_path_factory.mktemp("serving"), free_port())
    try:
        made.serve()
        yield made
    finally:
        made.end()


@pytest.fixture
def free_port_number() -> int:
    """A port that nobody listens on."""
    return free_port()


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
def typed(monkeypatch):
    """What stands on standard input."""

    def type_in(text_typed):
        monkeypatch.setattr("sys.stdin", io.StringIO(text_typed))

    return type_in


@pytest.fixture
def pfd(database, capsys):
    """A command on the database in place: its status, what it said, and what it complained of."""

    def command(*words):
        status = run(words)
        said = capsys.readouterr()
        return status, said.out, said.err

    return command
