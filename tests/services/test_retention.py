"""What is known of sign-ins goes after a while; the chained log stays whole."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from config import settings as configuration
from database.engine import snapshot, transaction
from database.types import now
from jobs import tasks
from models import EmailLog, LoginHistory, OneTimeToken, SessionLog, SystemLog, Throttle
from models.permissions import Role
from services import audit, one_time_tokens, retention, sessions, throttling, trail
from services.sessions import Visitor
from tests.support.people import person, token_of

HERE = Visitor("192.0.2.7", "test")
YEAR = timedelta(days=365)


def count(table: Any) -> int:
    with snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def attempt(age: timedelta) -> None:
    with transaction() as session:
        sessions.note(session, None, HERE, "wrong password", moment=now() - age)


def test_what_is_older_than_the_settings_say_goes_and_the_rest_stays(database: Engine) -> None:
    actor = person(Role.VIEWER)
    for age in (YEAR + timedelta(hours=1), YEAR - timedelta(hours=1)):
        attempt(age)
        token_of(actor)
        with transaction() as session:
            session.execute(
                update(SessionLog)
                .where(SessionLog.last_active > now() - timedelta(hours=1))
                .values(last_active=now() - age, expires_at=now() - age)
            )
            one_time_tokens.issue(session, "reset", -age, actor.user_id)
    tasks.purge()
    assert (count(LoginHistory), count(SessionLog), count(OneTimeToken)) == (1, 1, 1)
    with snapshot() as session:
        assert session.scalars(select(LoginHistory.timestamp)).one() > now() - YEAR


def test_an_operator_chooses_how_long(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt(timedelta(days=8))
    attempt(timedelta(days=6))
    monkeypatch.setenv("PFD_LOGINS_KEPT", "P7D")
    configuration.settings.cache_clear()
    try:
        tasks.purge()
    finally:
        monkeypatch.undo()
        configuration.settings.cache_clear()
    assert count(LoginHistory) == 1


def test_an_open_session_stays_however_short_the_time(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(person(Role.VIEWER))
    with transaction() as session:
        session.execute(update(SessionLog).values(last_active=now() - timedelta(minutes=50)))
    monkeypatch.setenv("PFD_LOGINS_KEPT", "PT0S")
    configuration.settings.cache_clear()
    try:
        tasks.purge()
        with snapshot() as session:
            assert sessions.resolve(session, token) is not None
    finally:
        monkeypatch.undo()
        configuration.settings.cache_clear()


def test_more_than_one_batch_goes(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "PURGED_AT_ONCE", 3)
    for _ in range(8):
        attempt(2 * YEAR)
    tasks.purge()
    assert count(LoginHistory) == 0


class TestCounters:
    def begin(self, name: str, failures: int, age: timedelta, wait: timedelta | None = None) -> None:
        with transaction() as session:
            started = now() - age
            until = None if wait is None else now() + wait
            session.add(Throttle(bucket=name, failures=failures, window_started_at=started, blocked_until=until))

    def test_that_would_begin_anew_go_and_those_that_count_stay(self, database: Engine) -> None:
        day = timedelta(hours=24)
        self.begin("login:account:old", 3, day + timedelta(minutes=1))
        self.begin("login:account:old-wait", 9, day + timedelta(minutes=1), -timedelta(seconds=1))
        self.begin("login:account:counts", 3, day - timedelta(minutes=10))
        self.begin("login:account:waits", 9, day + timedelta(minutes=1), timedelta(minutes=5))
        tasks.purge()
        with snapshot() as session:
            left = session.scalars(select(Throttle.bucket).order_by(Throttle.bucket)).all()
        assert left == ["login:account:counts", "login:account:waits"]

    def test_no_bucket_counts_for_longer_than_they_are_kept(self) -> None:
        buckets = throttling.second_factor_buckets(1, "192.0.2.7")
        known = (*buckets, throttling.address_bucket("192.0.2.7"), throttling.ALL)
        assert max(bucket.window for bucket in known) <= throttling.LONG_WINDOW

    def test_one_that_is_removed_meanwhile_is_made_again(
        self, postgresql_engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.begin("login:account:x", 3, timedelta(days=2))
        bucket = throttling.Bucket("login:account:x")
        with transaction() as session:
            execute, times = session.execute, []

            def between(*args: Any, **more: Any) -> Any:
                done = execute(*args, **more)
                if not times and "INSERT" in str(args[0]):
                    times.append(1)
                    with transaction() as other:
                        assert retention.purge(other, 10) == 1
                return done

            monkeypatch.setattr(session, "execute", between)
            assert throttling.reserve(session, bucket) == 0
        assert count(Throttle) == 1


@pytest.fixture
def postgresql_engine(postgresql_url: str) -> Any:
    """SQLite has one writer at a time, so nothing comes between two statements there."""
    from tests.conftest import _in_place

    yield from _in_place(postgresql_url)


def mail(status: str, age: timedelta) -> None:
    with transaction() as session:
        made = EmailLog(recipient_email="a@example.org", event_type="x", subject="x", status=status)
        made.created_at = now() - age
        session.add(made)


def test_mails_go_once_they_have_ended(database: Engine) -> None:
    for status, days in (("sent", 91), ("failed", 91), ("pending", 91), ("sent", 89)):
        mail(status, timedelta(days=days))
    tasks.purge()
    with snapshot() as session:
        assert sorted(session.scalars(select(EmailLog.status))) == ["pending", "sent"]


class TestAddresses:
    def of(self, *visitors: str, age: timedelta) -> list[str]:
        with transaction() as session:
            for address in visitors:
                sessions.note(session, None, Visitor(address, "x"), "wrong password", moment=now() - age)
        tasks.purge()
        with snapshot() as session:
            return [row or "" for row in session.scalars(select(LoginHistory.ip_address).order_by(LoginHistory.id))]

    def test_of_a_month_ago_are_networks(self, database: Engine) -> None:
        found = self.of("203.0.113.77", "2001:db8:1:2:3::4", "::ffff:192.0.2.9", "who knows", age=timedelta(days=31))
        assert found == ["203.0.113.0/24", "2001:db8:1::/48", "192.0.2.0/24", ""]

    def test_of_this_month_are_whole(self, database: Engine) -> None:
        assert self.of("203.0.113.77", age=timedelta(days=29)) == ["203.0.113.77"]

    def test_are_shortened_once_however_many_there_are(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tasks, "PURGED_AT_ONCE", 2)
        assert set(self.of(*(f"203.0.113.{n}" for n in range(5)), age=timedelta(days=31))) == {"203.0.113.0/24"}
        with transaction() as session:
            assert retention.shorten_addresses(session, 10) == 0


def test_the_system_log_stays_and_its_chain_holds(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = person(Role.SUPER_ADMIN)
    long_ago = now() - 3 * YEAR
    monkeypatch.setattr(audit, "now", lambda: long_ago)
    with transaction() as session:
        audit.record(session, actor, "test.one")
        audit.record(session, actor, "test.two")
    monkeypatch.undo()
    tasks.purge()
    with snapshot() as session:
        verdict = trail.verify(session, actor)
    assert (count(SystemLog), verdict.rows, verdict.broken) == (2, 2, None)
