"""A clock that ran ahead and was set back: what it left in the counters locks nobody out, no session outlives it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from database.engine import snapshot, transaction
from database.types import now
from models import SessionLog
from services import sessions, throttling
from services.throttling import Bucket
from tests.support.people import person, token_of

ACCOUNT, ADDRESS = throttling.account_bucket("vera"), throttling.address_bucket("192.0.2.1")
Ask = Callable[..., int]


@pytest.fixture
def ask_at(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """An attempt at a moment: the seconds to wait."""

    def ask(moment: datetime, *buckets: Bucket) -> int:
        monkeypatch.setattr(throttling, "now", lambda: moment)
        with transaction() as session:
            return throttling.reserve(session, *buckets)

    return ask


@pytest.mark.parametrize("bucket", [ACCOUNT, ADDRESS], ids=["account", "address"])
@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(hours=23), timedelta(days=3650)], ids=str)
def test_of_years_ahead_nothing_is_waited_for(ask_at: Ask, bucket: Bucket, ahead: timedelta) -> None:
    today = now()
    ask_at(today, bucket)
    while not ask_at(today + ahead, bucket):
        pass
    assert ask_at(today, bucket) == 0


@pytest.mark.parametrize("bucket", [ACCOUNT, ADDRESS], ids=["account", "address"])
def test_guessing_is_slowed_down_again_at_once(ask_at: Ask, bucket: Bucket) -> None:
    today = now()
    for _ in range(12):
        ask_at(today + timedelta(days=30), bucket)
    assert sum(ask_at(today, bucket) == 0 for _ in range(30)) <= 10


@pytest.mark.parametrize("bucket", [ACCOUNT, ADDRESS], ids=["account", "address"])
def test_two_machines_a_few_seconds_apart_count_together(ask_at: Ask, bucket: Bucket) -> None:
    today = now()
    free = sum(ask_at(today + timedelta(seconds=number % 2 * 5), bucket) == 0 for number in range(30))
    assert free <= 10


@pytest.mark.parametrize(("ahead", "lives"), [(timedelta(seconds=5), True), (timedelta(hours=2), False)], ids=str)
def test_a_session_of_later_does_not_last_until_then(database: Engine, ahead: timedelta, lives: bool) -> None:
    token = token_of(person("viewer"))
    with transaction() as session:
        moment = now() + ahead
        session.execute(
            update(SessionLog).values(created_at=moment, last_active=moment, expires_at=moment + timedelta(hours=9))
        )
    with snapshot() as session:
        assert (sessions.resolve(session, token) is not None) is lives
