"""Facts about a disk without room: scripts and styles still come, and people read what is the matter."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brotli
import psycopg2.errors
import pytest
from flask import Flask, Response
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from config import settings as configuration
from database.engine import transaction
from models import Experiment
from tests.support.full_disk import no_room
from web import bundles, errors

SCRIPT = "say('something long enough');\n" * 200
ADDRESS = "/_dash-component-suites/script.js"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where compressed scripts are kept."""
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    configuration.settings.cache_clear()
    yield tmp_path / "cache"
    monkeypatch.undo()
    configuration.settings.cache_clear()


@pytest.fixture
def script(cache: Path) -> Callable[[], str]:
    """What a browser reads of a script from a server that has just started."""

    def ask() -> str:
        server = Flask("scripts")
        bundles.register(server)
        server.add_url_rule(ADDRESS, view_func=lambda: Response(SCRIPT, mimetype="text/javascript"))
        answer = server.test_client().get(ADDRESS, headers={"Accept-Encoding": "br"})
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "br")
        return brotli.decompress(answer.data).decode()

    return ask


class TestScripts:
    def test_come_without_room_and_leave_nothing_behind(self, script: Callable[[], str], cache: Path) -> None:
        with no_room():
            assert script() == SCRIPT
        assert list(cache.iterdir()) == []

    def test_are_kept_once_there_is_room(self, script: Callable[[], str], cache: Path) -> None:
        with no_room():
            script()
        assert script() == SCRIPT
        assert [path.name for path in cache.iterdir()] == [f"{hashlib.sha256(SCRIPT.encode()).hexdigest()}.br"]

    def test_come_where_the_folder_cannot_be_made(self, script: Callable[[], str], cache: Path) -> None:
        cache.write_text("in the way")
        assert script() == SCRIPT

    def test_that_a_crash_left_empty_are_made_again(self, script: Callable[[], str], cache: Path) -> None:
        script()
        (kept,) = cache.iterdir()
        kept.write_bytes(b"")
        assert script() == SCRIPT
        assert kept.stat().st_size > 0


@pytest.fixture
def full(sqlite: Engine) -> OperationalError:
    """What SQLite says when the disk is full."""
    with pytest.raises(OperationalError) as caught, transaction() as session:
        connection = session.connection()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        session.add(Experiment(name="large", notes="x" * 500_000))
        session.flush()
    sqlite.dispose()
    return caught.value


class TestDatabase:
    def test_that_is_full_is_told_as_such(self, full: OperationalError) -> None:
        assert errors.sentence_of(full) == errors._SENTENCES[507]

    def test_that_is_full_on_postgresql_is_told_as_such(self) -> None:
        class DiskFull(psycopg2.errors.DiskFull):
            pgcode = errors.DISK_FULL

        assert "disk of the server is full" in str(errors.sentence_of(OperationalError("INSERT", {}, DiskFull())))

    def test_that_is_full_answers_507_and_asks_nobody_to_come_back_soon(
        self, dash_app: Any, full: OperationalError
    ) -> None:
        with dash_app.server.test_request_context("/api/x"):
            answer = dash_app.server.handle_user_exception(full)
        assert (answer.status_code, "Retry-After" in answer.headers) == (507, False)
        assert "disk of the server is full" in answer.get_json()["detail"]
