"""A process that answers is killed again and again: each answer that somebody has received is a row, and one only."""

import http.client
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from config import settings as configuration
from database import engine as engines
from database.engine import snapshot, transaction
from models import APIJournal, APIRequestLog, APIUsage
from models.permissions import Role
from services.api_keys import keys
from services.api_requests.draining import Drain
from tests.support.people import person
from web import api_record

KILLS = int(os.environ.get("PFD_TEST_KILLS", "20"))
ROOT = Path(__file__).resolve().parents[2]


class Clients:
    """Four who ask all the time and remember which answers came."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._headers = port, {"Authorization": f"Bearer {key}"}
        self._going = threading.Event()
        self.answered: list[tuple[str, int]] = []
        self._threads = [threading.Thread(target=self._ask, args=(place,)) for place in range(4)]
        for thread in self._threads:
            thread.start()

    def _ask(self, place: int) -> None:
        headers = self._headers if place else {}
        while not self._going.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
            try:
                connection.request("GET", "/api/v1/me", headers=headers)
                answer = connection.getresponse()
                answer.read()
                self.answered.append((answer.headers["X-Request-ID"], answer.status))
            except (OSError, http.client.HTTPException):
                time.sleep(0.002)
            finally:
                connection.close()

    def stop(self) -> None:
        self._going.set()
        for thread in self._threads:
            thread.join(20)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.timeout(180 + 3 * KILLS)
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
        answered = _answer_and_kill({**os.environ, "DATABASE_URL": url}, key)
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


def _answer_and_kill(environment: dict[str, Any], key: str) -> list[tuple[str, int]]:
    dice = random.Random(4)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.answering"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    clients = Clients(int(process.stdout.readline()), key)
    try:
        for _ in range(KILLS):
            process.stdin.write("next\n")
            process.stdin.flush()
            child = int(process.stdout.readline())
            before = len(clients.answered)
            while len(clients.answered) < before + 12:
                time.sleep(0.005)
            time.sleep(dice.random() * 0.15)
            os.kill(child, signal.SIGKILL)
    finally:
        clients.stop()
        process.kill()
        process.wait(10)
    return clients.answered
