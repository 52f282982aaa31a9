"""Facts about the use of keys: requests of each day of UTC, for all keys of a page with one query."""

import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from database.engine import snapshot, transaction
from database.types import now
from models import APIUsage
from models.permissions import Role
from services import key_list
from services.api_keys import keys
from services.api_requests import usage
from services.api_requests.usage import DAYS, Use
from tests.support import clock
from tests.support.people import person


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today is the same day throughout a test."""
    clock.hold(monkeypatch, sys.modules[__name__], usage)


def make_keys(count: int) -> None:
    for _ in range(count):
        with transaction() as session:
            keys.create(session, person(Role.OPERATOR), name="k", scopes=["view_experiments"])


def use(key_id: int, *days_ago: float) -> None:
    with transaction() as session:
        for days in days_ago:
            moment = now().replace(hour=12) - timedelta(days=days)
            session.add(
                APIUsage(
                    api_key_id=key_id, endpoint="/", method="GET", status_code=200, response_time_ms=1, timestamp=moment
                )
            )


def test_each_day_has_its_count_and_each_key_its_own(database: Engine) -> None:
    make_keys(2)
    use(1, 0, 0, 1, 29, 30, 45)
    use(2, 3)
    with snapshot() as session:
        found = usage.of_keys(session, [1, 2])
    assert (found[1].days[-1], found[1].days[-2], found[1].days[0], found[1].total) == (2, 1, 1, 4)
    assert (found[2].days[-4], found[2].total, len(found[2].days)) == (1, 1, DAYS)


def test_a_request_of_tomorrow_by_a_fast_clock_breaks_nothing(database: Engine) -> None:
    make_keys(1)
    use(1, -1)
    with snapshot() as session:
        assert usage.of_keys(session, [1]) == {1: Use()}


def test_the_list_of_all_keys_tells_limit_and_use_with_as_many_queries_for_many(
    database: Engine, count_queries: Callable[..., int]
) -> None:
    admin = person(Role.ADMIN)

    def read() -> list[tuple[int, int, int]]:
        with snapshot() as session:
            found = key_list.page(session, admin)[0]
            uses = usage.of_keys(session, [item.id for item in found])
            return [(item.id, item.rate_limit, uses[item.id].total) for item in found]

    make_keys(1)
    use(1, 0, 2)
    few = count_queries(database, read)
    make_keys(8)
    assert count_queries(database, read) == few
    assert read()[-1] == (1, 1000, 2)


def test_its_query_goes_along_the_index_of_key_and_time(sqlite: Engine) -> None:
    with sqlite.connect() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT api_key_id, date(timestamp), count(*) FROM api_usage "
            "WHERE api_key_id IN (1, 2, 3) AND timestamp >= '2026-11-01' GROUP BY api_key_id, date(timestamp)"
        ).all()
    assert "USING COVERING INDEX ix_api_usage_key_time (api_key_id=? AND timestamp>?)" in str(plan)
