"""Facts about the thread that makes rows of journals: records wait for the database, and at the end none is left."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from services.api_requests import draining
from services.api_requests.draining import Drain
from services.api_requests.journal import waiting
from tests.support import records
from web import api_drain, api_record


@pytest.fixture
def asked(dash_app: Any, sqlite: Engine) -> Path:
    records.forget()
    dash_app.server.test_client().get("/api/v1/me")
    return api_record.folder()


def test_while_the_database_is_away_records_wait_and_that_is_told(
    asked: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("away"))

    with monkeypatch.context() as patch:
        patch.setattr(draining, "write", away)
        patch.setattr(api_drain, "_said", float("-inf"))
        assert not api_drain._once(Drain(asked))
    assert "requests wait in" in caplog.text
    assert api_drain._once(Drain(asked))
    assert len(records.drained()) == 1


def test_a_journal_that_gets_its_name_meanwhile_stops_nothing(asked: Path) -> None:
    (asked / "1-aa.new").symlink_to(asked / "renamed-by-now")  # listed, and not there any more
    assert Drain(asked).run() == 1


def test_a_process_that_ends_leaves_no_record_behind(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert waiting(asked) > 0
    api_drain.end()
    api_drain._stop.clear()
    assert (waiting(asked), list(asked.glob("*.*"))) == (0, [])
    assert len(records.drained()) == 1
