"""A process that answers is killed again and again: each answer that somebody has received is a row, and one only."""

import http.client
import os
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from config import settings as configuration
from database import engine as engines
from database.engine import snapshot, transaction
from models import APIJournal, APIRequestLog, APIUsage
from models.permissions import Role
from services.api_keys import keys
from services.api_requests.draining import Drain
from tests.support.killing import KILLS, answer_and_kill
from tests.support.people import person
from web import api_record


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.timeout(600 + 10 * KILLS)
def test_a_process_killed_while_it_answers_loses_no_record_and_doubles_none(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    configuration.settings.cache_clear()
    engine = engines.build_engine(url)
    engines.use_engine(engine)
    try:
        with transaction() as session:
            names = ["view_experiments"]
            key = keys.create(session, person(Role.OPERATOR), name="k", scopes=names, rate_limit=1_000_000)

        def ask(connection: http.client.HTTPConnection, place: int, _number: int) -> tuple[str, int]:
            connection.request("GET", "/api/v1/me", headers={"Authorization": f"Bearer {key}"} if place else {})
            answer = connection.getresponse()
            answer.read()
            return answer.headers["X-Request-ID"], answer.status

        answered = answer_and_kill({**os.environ, "DATABASE_URL": url}, ask)
        Drain(api_record.folder()).run()
        with snapshot() as session:
            found = Counter(session.scalars(select(APIRequestLog.request_id)))
            used = session.scalar(select(func.count()).select_from(APIUsage))
            mine = session.scalar(
                select(func.count()).select_from(APIRequestLog).where(APIRequestLog.api_key_id.is_not(None))
            )
            left = session.scalar(select(func.count()).select_from(APIJournal))
    finally:
        engines.use_engine(None)
        monkeypatch.undo()
        configuration.settings.cache_clear()
    assert len(answered) > 10 * KILLS
    assert {status for _, status in answered} == {200, 401}
    assert [name for name, _ in answered if found[name] != 1] == []
    assert [name for name, count in found.items() if count != 1] == []
    assert used == mine
    assert (left, list((tmp_path / "requests").glob("*.*"))) == (0, [])
    print(f"\n{kind}: {KILLS} kills, {len(answered):,} answers, {len(found):,} rows, 0 lost, 0 twice")
