"""Facts about what the page of the API's metrics reads: the figures of the raw rows, in few statements."""

import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event

from database.engine import snapshot, transaction
from database.types import now
from models.permissions import PermissionDenied, Role
from services import audit
from services.api_keys import keys
from services.api_metrics import reading, restarts, rollup, windows
from services.api_metrics.reading import Metrics
from services.api_metrics.rollup import hour_of
from services.errors import Invalid
from tests.support import clock
from tests.support.people import person
from tests.support.requests_made import row, traffic, write


@pytest.fixture(autouse=True)
def _moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written and what is read are of one hour and one minute."""
    clock.hold(monkeypatch, sys.modules[__name__], reading, rollup, audit)


def read(word: str, endpoint: str | None = None, compare: bool = False) -> Metrics:
    with snapshot() as session:
        return reading.read(session, person(Role.ADMIN), windows.of_span(word, now()), endpoint, compare)


def over_days(days: int, count: int) -> list[dict[str, Any]]:
    moment = now() - timedelta(seconds=5)
    return traffic(moment - timedelta(seconds=place * days * 86_400 / count) for place in range(count))


def over_hours(hours: Iterable[int], count: int) -> list[dict[str, Any]]:
    """So many requests in each of these hours, counted back from now."""
    moment = now() - timedelta(seconds=5)
    return traffic(moment - timedelta(hours=hour, seconds=place) for hour in hours for place in range(count))


class TestAWindow:
    @pytest.mark.parametrize("word", ["1h", "24h", "7d", "30d", "90d"])
    def test_tells_of_the_raw_rows_in_it(self, sqlite: Engine, word: str) -> None:
        rows = over_hours(range(0, 29 * 24, 19), 40) + over_days(1, 300)
        write(rows)
        rollup.roll_up()
        window = windows.of_span(word, now())
        its = [made for made in rows if window.begin <= made["request_time"] < window.end]
        found = read(word)
        times = [made["response_time_ms"] for made in its]
        assert found.totals.requests == found.whole.requests == sum(slot.requests for slot in found.slots) == len(its)
        assert found.totals.failed == sum(made["status_code"] >= 400 for made in its)
        assert sum(route.part.requests for route in found.routes) == len(its)
        assert [sum(route.trend) for route in found.routes] == [route.part.requests for route in found.routes]
        for share in (0.5, 0.95, 0.99):
            exact = np.quantile(times, share, method="lower")
            assert found.totals.sketch.quantile(share) == pytest.approx(exact, rel=0.01 + 1e-9)
            assert found.whole.sketch.quantile(share) == found.totals.sketch.quantile(share)

    @pytest.mark.parametrize("word", ["1h", "7d"])
    def test_tells_of_one_route_alone(self, sqlite: Engine, word: str) -> None:
        rows = over_hours(range(0, 140, 5), 30) + over_hours([0], 60)
        write(rows)
        rollup.roll_up()
        window = windows.of_span(word, now())
        its = [
            made
            for made in rows
            if made["endpoint"] == "/api/v1/me" and window.begin <= made["request_time"] < window.end
        ]
        found = read(word, "GET /api/v1/me")
        assert its and found.totals.requests == found.whole.requests == len(its)
        assert read(word, "GET /nowhere").totals.requests == 0

    def test_is_compared_with_the_one_before(self, sqlite: Engine) -> None:
        write([row(now() - timedelta(days=8), 10.0, 500), row(now() - timedelta(days=1), 5.0)])
        rollup.roll_up()
        found = read("7d", compare=True)
        assert found.before is not None
        assert (found.totals.requests, found.before.requests, found.before.failed) == (1, 1, 1)

    def test_names_keys_with_their_owners(self, sqlite: Engine) -> None:
        with transaction() as session:
            keys.create(session, person(Role.OPERATOR, "ada"), name="sweep", scopes=["view_experiments"])
        write([row(now(), api_key_id=1), row(now(), api_key_id=1), row(now())])
        assert [(use.name, use.owner, use.part.requests) for use in read("24h").keys] == [
            ("sweep", "ada", 2),
            (None, None, 1),
        ]

    def test_counts_the_hour_before_once_while_it_is_not_summed_up(self, sqlite: Engine) -> None:
        write([row(hour_of(now()) - timedelta(minutes=3)), row(hour_of(now()))])
        assert read("24h").totals.requests == 2
        rollup.roll_up()
        assert read("24h").totals.requests == 2

    def test_of_nothing_is_nothing(self, sqlite: Engine) -> None:
        found = read("24h", compare=True)
        assert (found.totals.requests, found.totals.error_rate, found.routes, found.keys) == (0, None, [], [])

    def test_is_for_those_who_may_see_it(self, sqlite: Engine) -> None:
        with snapshot() as session, pytest.raises(PermissionDenied):
            reading.read(session, person(Role.OPERATOR), windows.of_span("1h", now()))


class TestRestarts:
    def test_are_told_with_the_version_where_it_is_another(
        self, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for installed in ("1.0", "1.0", "1.1"):
            monkeypatch.setattr(restarts, "version", lambda _name, installed=installed: installed)
            with transaction() as session:
                restarts.note(session)
        assert [its.version for its in read("24h").restarts] == [None, None, "1.1"]

    def test_of_another_time_are_not_told(self, database: Engine) -> None:
        with transaction() as session:
            restarts.note(session)
        with snapshot() as session:
            past = windows.between(now() - timedelta(days=3), now() - timedelta(days=2))
            assert list(restarts.within(session, person(Role.ADMIN), past)) == []
            with pytest.raises(PermissionDenied):
                restarts.within(session, person(Role.OPERATOR), past)


def test_a_longer_window_takes_as_many_statements(database: Engine, count_queries: Any) -> None:
    write(over_hours(range(0, 29 * 24, 30), 5))
    rollup.roll_up()
    read("24h")  # which makes the person that reads
    counted = {
        (word, endpoint, compare): count_queries(database, lambda: read(word, endpoint, compare))  # noqa: B023
        for word in ("24h", "7d", "30d", "90d")
        for endpoint in (None, "GET /api/v1/me")
        for compare in (False, True)
    }
    assert len(set(counted.values())) == 1, counted
    assert next(iter(counted.values())) <= 8


def test_no_raw_row_is_read_that_is_summed_up(database: Engine) -> None:
    write([*over_hours(range(0, 480, 30), 5), row(now())])
    rollup.roll_up()
    asked: list[datetime] = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if "api_request_logs.response_time_ms" in statement:
            asked.append((given.values() if isinstance(given, dict) else given, statement))  # type: ignore[arg-type]

    event.listen(database, "before_cursor_execute", note)
    with snapshot() as session:
        reading.read(session, person(Role.ADMIN), windows.of_span("30d", now()))
    event.remove(database, "before_cursor_execute", note)
    (only,) = asked
    lowest = min(str(value)[:13] for value in only[0])  # type: ignore[index]
    assert lowest in {f"{hour_of(now()) - timedelta(hours=lag):%Y-%m-%d %H}" for lag in (0, 1)}


class TestARangeThatIsDrawn:
    def test_is_of_whole_hours_or_days(self) -> None:
        low = datetime.fromisoformat("2026-03-01T10:20:00+00:00")
        window = windows.between(low, low + timedelta(hours=3))
        assert (window.begin.hour, window.end.hour, window.step) == (10, 14, timedelta(hours=1))
        assert windows.between(low, low + timedelta(days=20)).step == timedelta(days=1)

    @pytest.mark.parametrize("length", [timedelta(0), timedelta(days=-1), timedelta(days=400)])
    def test_is_neither_empty_nor_endless(self, length: timedelta) -> None:
        low = now()
        with pytest.raises(Invalid):
            windows.between(low, low + length)
