"""Facts about the summaries of the API: hours add up, late rows count, and nothing that happens to the job shows."""

import gc
import os
import signal
import sys
import threading
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, func, select, update

from database import engine as engines
from database.engine import snapshot, transaction
from database.types import now
from models import APIJournal, APIMetricsSummary, APIRequestLog
from services import retention
from services.api_metrics import rollup
from services.api_metrics.rollup import DAILY, HOUR, HOURLY, WEEKLY, day_of, hour_of
from tests.support import clock, scale
from tests.support.requests_made import row, traffic, write

COLUMNS = [
    column for column in APIMetricsSummary.__table__.columns if column.name not in {"id", "created_at", "updated_at"}
]


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Yesterday is the same day throughout a test."""
    clock.hold(monkeypatch, sys.modules[__name__])


def summaries() -> list[tuple[Any, ...]]:
    """All that stands there, without when it was written."""
    with snapshot() as session:
        ordered = select(*COLUMNS).order_by(APIMetricsSummary.aggregation_type, APIMetricsSummary.period_start)
        return [tuple(found) for found in session.execute(ordered)]


def totals(kind: str) -> dict[datetime, int]:
    with snapshot() as session:
        table = APIMetricsSummary
        query = select(table.period_start, table.total_requests).where(table.aggregation_type == kind)
        return {row[0]: row[1] for row in session.execute(query)}


def forget() -> None:
    with transaction() as session:
        for table in (APIMetricsSummary, APIJournal, APIRequestLog):
            session.execute(delete(table))


def yesterday(hour: int = 0, **more: int) -> datetime:
    return day_of(now()) - timedelta(days=1) + timedelta(hours=hour, **more)


class TestAnHour:
    def test_tells_what_it_was(self, database: Engine) -> None:
        times = [float(value) for value in range(1, 101)]
        write(
            row(yesterday(3, seconds=place), time, 404 if place % 10 == 0 else 200) for place, time in enumerate(times)
        )
        assert rollup.roll_up() == 1
        with snapshot() as session:
            made = session.scalars(select(APIMetricsSummary).where(APIMetricsSummary.aggregation_type == HOURLY)).one()
        assert (made.period_start, made.period_end) == (yesterday(3), yesterday(4))
        assert (made.total_requests, made.successful_requests, made.failed_requests) == (100, 90, 10)
        assert (made.error_rate, made.requests_per_second) == (0.1, 100 / 3600)
        assert made.avg_response_time_ms == pytest.approx(np.mean(times), abs=1e-9)
        found = [made.p50_response_time_ms, made.p95_response_time_ms, made.p99_response_time_ms]
        exact = [np.quantile(times, share, method="lower") for share in (0.5, 0.95, 0.99)]
        assert found == pytest.approx(exact, rel=0.01)
        route = (made.endpoint_metrics or {})["endpoints"]["GET /api/v1/me"]
        assert (route["requests"], route["errors"], route["statuses"]) == (100, 10, {"2xx": 90, "4xx": 10})
        assert (route["bytes_in"], route["bytes_out"]) == (1000, 10_000)

    def test_is_not_summed_up_before_it_is_over(self, database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        write([row(clock.hold(monkeypatch, rollup))])
        assert rollup.roll_up() == 0
        assert summaries() == []

    def test_takes_in_what_comes_late_with_its_day_and_week(self, database: Engine) -> None:
        write([row(yesterday(3), 10.0)])
        rollup.roll_up()
        write([row(yesterday(3, minutes=5), 900.0, 500), row(yesterday(9), 20.0)])
        rollup.roll_up()
        late = summaries()
        assert [found[2:6] for found in late if found[2] == HOURLY] == [(HOURLY, 2, 1, 1), (HOURLY, 1, 1, 0)]
        forgotten = {table: delete(table) for table in (APIMetricsSummary, APIJournal)}
        with transaction() as session:
            for statement in forgotten.values():
                session.execute(statement)
        rollup.roll_up()
        assert summaries() == late

    def test_of_which_raw_rows_are_gone_stays_as_it_was(self, database: Engine, monkeypatch: Any) -> None:
        write(row(yesterday(3, seconds=place)) for place in range(5))
        rollup.roll_up()
        before = summaries()
        with transaction() as session:
            session.execute(delete(APIRequestLog).where(APIRequestLog.id <= 4))
        write([row(yesterday(3, minutes=9))])
        rollup.roll_up()
        assert summaries() == before

    def test_is_written_once_however_often_the_job_runs(self, database: Engine, count_queries: Any) -> None:
        write(traffic(yesterday(place % 20, minutes=place) for place in range(200)))
        rollup.roll_up()
        with snapshot() as session:
            written = session.scalar(select(func.max(APIMetricsSummary.updated_at)))
        assert rollup.roll_up() == 0
        with snapshot() as session:
            assert session.scalar(select(func.max(APIMetricsSummary.updated_at))) == written


class TestPeriods:
    @examples(max_examples=scale.of("DAYS", 12))
    @given(
        st.lists(
            st.tuples(st.integers(0, 16 * 86_400 - 1), st.floats(0, 60_000), st.sampled_from([200, 304, 404, 500])),
            max_size=60,
        ),
        st.integers(0, 60),
    )
    def test_add_up_to_the_raw_rows(self, sqlite: Engine, made: list[tuple[int, float, int]], early: int) -> None:
        forget()
        begin = day_of(now()) - timedelta(days=17)
        rows = [row(begin + timedelta(seconds=second), time, status) for second, time, status in made]
        write(rows[:early])
        rollup.roll_up()
        write(rows[early:])
        rollup.roll_up()
        assert sum(totals(HOURLY).values()) == sum(totals(DAILY).values()) == sum(totals(WEEKLY).values()) == len(rows)
        by_day: dict[datetime, list[dict[str, Any]]] = {}
        for its in rows:
            by_day.setdefault(day_of(its["request_time"]), []).append(its)
        with snapshot() as session:
            days = session.scalars(select(APIMetricsSummary).where(APIMetricsSummary.aggregation_type == DAILY)).all()
        assert {day.period_start for day in days} == set(by_day)
        for day in days:
            its_rows = by_day[day.period_start]
            exact = np.quantile([its["response_time_ms"] for its in its_rows], 0.95, method="lower")
            assert day.p95_response_time_ms == pytest.approx(exact, rel=0.01)
            assert day.failed_requests == sum(its["status_code"] >= 400 for its in its_rows)

    def test_are_of_utc_and_weeks_begin_on_monday(self, database: Engine) -> None:
        write([row(yesterday(23, minutes=59, seconds=59)), row(yesterday(0))])
        rollup.roll_up()
        assert set(totals(DAILY)) == {yesterday()}
        (week,) = totals(WEEKLY)
        assert week.weekday() == 0 and week <= yesterday() < week + timedelta(days=7)


class TestTheJob:
    def test_killed_at_any_statement_ends_as_one_that_was_not(self, database: Engine) -> None:
        write(traffic(yesterday(place % 2, minutes=place % 60) for place in range(60)))
        rollup.roll_up()
        clean = summaries()
        killed, place, wanted = 0, 1, scale.of("KILLS", 0)
        while True:
            with transaction() as session:
                session.execute(delete(APIMetricsSummary))
                session.execute(delete(APIJournal))
            if _killed_at(database, place):
                killed, place = killed + 1, place + 1
                rollup.roll_up()
                assert summaries() == clean, place
            elif killed >= wanted:
                break
            else:
                place = 1
        assert killed > 10

    def test_twice_at_once_ends_as_once(self, database: Engine) -> None:
        write(traffic(yesterday(place % 12, minutes=place) for place in range(240)))
        rollup.roll_up()
        clean = summaries()
        with transaction() as session:
            session.execute(delete(APIMetricsSummary))
            session.execute(delete(APIJournal))
        errors: list[BaseException] = []

        def run() -> None:
            try:
                rollup.roll_up()
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert summaries() == clean

    def test_finds_a_row_whose_number_was_given_before_the_last_look(self, database: Engine) -> None:
        write([row(yesterday(1)), row(yesterday(2))])
        rollup.roll_up()
        with transaction() as session:  # as if a transaction with a lower number had been committed only now
            session.execute(update(APIJournal).values(position=APIJournal.position + 50))
        write([row(yesterday(1, minutes=3))])
        rollup.roll_up()
        assert totals(HOURLY) == {yesterday(1): 2, yesterday(2): 1}


class TestRetention:
    def test_forgets_hours_before_days(self, database: Engine) -> None:
        write([row(yesterday(3))])
        rollup.roll_up()
        long_ago = hour_of(now()) - timedelta(days=101)
        with transaction() as session:
            session.execute(update(APIMetricsSummary).values(period_start=long_ago, period_end=long_ago + HOUR))
        with transaction() as session:
            retention.purge(session, 100)
        assert sorted(found[2] for found in summaries()) == [DAILY, WEEKLY]


def _killed_at(database: Engine, place: int) -> bool:
    """Roll up in a process that is killed before its statement of this number; False where it sends fewer."""
    child = os.fork()
    if child == 0:
        try:
            gc.disable()  # it would touch, and so copy, all that the tests have loaded
            engines.forget_connections()
            seen = 0

            def count(*_: Any) -> None:
                nonlocal seen
                seen += 1
                if seen == place:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(database, "before_cursor_execute", count)
            event.listen(database, "commit", count)
            rollup.roll_up()
        except BaseException:
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not (os.WIFEXITED(status) and os.WEXITSTATUS(status) == 3)
    return os.WIFSIGNALED(status)
