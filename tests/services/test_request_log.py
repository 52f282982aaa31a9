"""Facts about the log of requests: what each filter finds, along which index, and who never sees a row."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot, transaction
from database.types import now
from models import APIKey
from models.permissions import Permission, PermissionDenied, Role
from services import trail
from services.actor import SYSTEM
from services.api_keys import keys
from services.api_requests import exporting, log, routes
from services.api_requests.log import Entry
from services.api_requests.wanted import Wanted, place_of, wanted, words_of
from services.errors import Invalid, NotFound
from tests.support.people import person
from tests.support.requests_made import row, traffic, write

CANARY = "canary-3f9a"


def found(after: Any = None, limit: int = 100, **asked: Any) -> tuple[list[Entry], Any]:
    with snapshot() as session:
        return log.page(session, SYSTEM, wanted(**asked), after=after, limit=limit)


def ids(**asked: Any) -> list[int]:
    return [entry.id for entry in found(**asked)[0]]


def key_of(name: str = "sweep") -> int:
    with transaction() as session:
        keys.create(session, person(Role.OPERATOR, "ada"), name=name, scopes=[Permission.VIEW_EXPERIMENTS])
    with snapshot() as session:
        number = session.scalar(select(APIKey.id).where(APIKey.name == name))
    assert number is not None
    return number


class TestFilters:
    def test_each_finds_its_requests_newest_first(self, database: Engine) -> None:
        moment, key = now() - timedelta(hours=1), key_of()
        kinds: list[dict[str, Any]] = [
            {},
            {"status": 404},
            {"status": 500, "endpoint": "/b"},
            {"method": "POST", "endpoint": "/b", "milliseconds": 900.0},
            {"api_key_id": key, "status": 404},
            {"ip_address": "2001:db8::1"},
        ]
        write(row(moment + timedelta(seconds=place), **kind) for place, kind in enumerate(kinds))
        assert ids() == [6, 5, 4, 3, 2, 1]
        assert ids(status="404") == [5, 2]
        assert ids(status="4xx") == [5, 2]
        assert ids(status="failed") == [5, 3, 2]
        assert ids(endpoint="/b") == [4, 3]
        assert ids(endpoint="/b", status="5xx") == [3]
        assert ids(endpoint="/nowhere") == ids(status="499") == []
        assert ids(method="POST") == [4]
        assert ids(key=str(key)) == [5]
        assert ids(key="none") == [6, 4, 3, 2, 1]
        assert ids(key="none", status="failed") == [3, 2]
        assert ids(address="2001:0db8::0001") == [6]
        assert ids(slower="900") == [4]
        assert ids(since=moment + timedelta(seconds=4)) == [6, 5]
        assert ids(until=moment + timedelta(seconds=1)) == [1]

    @pytest.mark.parametrize("asked", [{}, {"status": "failed"}, {"endpoint": "/api/v1/me"}, {"key": "none"}])
    def test_pages_hold_each_request_once_however_many_came_at_one_moment(
        self, database: Engine, asked: dict[str, str]
    ) -> None:
        moment = now() - timedelta(minutes=5)
        write(traffic([moment] * 60 + [moment - timedelta(seconds=place) for place in range(60)]))
        (whole, _), got, after = found(limit=500, **asked), [], None
        while True:
            rows, after = found(after=after, limit=7, **asked)
            got += [entry.id for entry in rows]
            if after is None:
                break
            assert place_of(*words_of(after) or ()) == after
        assert got == [entry.id for entry in whole]
        assert len(set(got)) == len(got) > 0

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("status", "teapot"),
            ("status", "4040"),
            ("key", "-1"),
            ("key", "9" * 30),
            ("address", "example.org"),
            ("slower", "fast"),
            ("slower", "nan"),
            ("slower", "-1"),
            ("endpoint", "a\x00b"),
            ("method", "x" * 11),
        ],
    )
    def test_one_that_is_none_is_told_at_its_field(self, field: str, value: str) -> None:
        with pytest.raises(Invalid) as told:
            wanted(**{field: value})  # type: ignore[arg-type]
        assert told.value.field == field

    @pytest.mark.parametrize("place", [(1, None), ("1", 2), (-1, 1), (2**60, 1), (True, 1)])
    def test_a_place_that_is_none_is_the_beginning(self, place: Any) -> None:
        assert place_of(*place) is None

    def test_offers_are_what_there_is(self, database: Engine) -> None:
        write([row(now(), status=status, endpoint=path) for status in (200, 404, 503) for path in ("/b", "/a")])
        key = key_of()
        with snapshot() as session:
            assert log.routes(session, SYSTEM) == ["/a", "/b"]
            assert log.statuses(session, SYSTEM) == [200, 404, 503]
            assert log.keys(session, SYSTEM) == [(key, "sweep", "ada")]


class TestIndexes:
    """No filter reads rows that it does not show, whatever the planner knows of the table."""

    CASES: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "ix_api_request_logs_request_time"),
        ({"method": "GET"}, "ix_api_request_logs_request_time"),
        ({"status": "404"}, "ix_api_request_logs_status_time"),
        ({"status": "failed"}, "ix_api_request_logs_status_time"),
        ({"endpoint": "/api/v1/me"}, "ix_api_request_logs_endpoint_time"),
        ({"endpoint": "/api/v1/me", "status": "404"}, "ix_api_request_logs_endpoint_time"),
        ({"key": "1", "status": "404", "endpoint": "/api/v1/me"}, "ix_api_request_logs_key_time"),
        ({"key": "none"}, "ix_api_request_logs_key_time"),
        ({"address": "192.0.2.1", "key": "1"}, "ix_api_request_logs_address_time"),
    )

    @pytest.mark.parametrize(("asked", "index"), CASES)
    def test_a_page_goes_along_the_one_of_its_filter(self, database: Engine, asked: dict[str, Any], index: str) -> None:
        write(traffic(now() - timedelta(seconds=place) for place in range(50)))
        begin = {"since": now() - timedelta(days=1), "until": now()}
        with snapshot() as session:
            made = wanted(**asked, **begin)
            query = log.numbers(made, log.codes(session, made), (now(), 40), 101)
            literal = query.compile(database, compile_kwargs={"literal_binds": True})
            if database.dialect.name == "postgresql":
                for way in ("seqscan", "bitmapscan", "sort"):  # of fifty rows all would do
                    session.connection().exec_driver_sql(f"SET LOCAL enable_{way} = off")
            word = "EXPLAIN" if database.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
            plan = str(session.connection().exec_driver_sql(f"{word} {literal}").all())
        if database.dialect.name == "sqlite":
            assert index in plan
            assert "SCAN api_request_logs" not in plan
        else:  # which chooses among those that fit by what it knows of the rows
            assert "using ix_api_request_logs_" in plan
            assert "Seq Scan" not in plan

    def test_a_page_takes_as_many_statements_for_many_rows_as_for_one(
        self, database: Engine, count_queries: Any
    ) -> None:
        write([row(now() - timedelta(minutes=1), status=404)])
        few = count_queries(database, lambda: found(status="failed"))
        write(traffic(now() - timedelta(seconds=place) for place in range(300)))
        assert count_queries(database, lambda: found(status="failed")) == few <= 3


class TestOne:
    def test_tells_the_samples_that_were_kept(self, database: Engine) -> None:
        write([row(now(), request_payload_sample={"name": "a"}, response_payload_sample=None), row(now())])
        with snapshot() as session:
            details = log.one(session, SYSTEM, 1)
            assert (details.asked, details.answered, details.entry.has_sample) == ({"name": "a"}, None, True)
        assert [entry.has_sample for entry in found()[0]] == [False, True]

    def test_that_is_not_there_is_not_found(self, sqlite: Engine) -> None:
        with snapshot() as session, pytest.raises(NotFound):
            log.one(session, SYSTEM, 7)


class TestWhoMaySee:
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
    def test_nobody_without_the_permission(self, sqlite: Engine, role: Role) -> None:
        write([row(now(), endpoint=f"/{CANARY}", ip_address="192.0.2.1", error_message=CANARY)])
        actor = person(role)
        with snapshot() as session:
            for read in (
                lambda: log.page(session, actor, Wanted()),
                lambda: log.one(session, actor, 1),
                lambda: log.routes(session, actor),
                lambda: log.statuses(session, actor),
                lambda: log.keys(session, actor),
                lambda: exporting.as_csv(session, actor, Wanted()),
            ):
                with pytest.raises(PermissionDenied):
                    read()


class TestCsv:
    def test_is_safe_in_a_spreadsheet_and_leaves_a_row_in_the_trail(self, database: Engine) -> None:
        write([row(now(), user_agent="=HYPERLINK(1)", error_message='a "b"\n c', status=404), row(now())])
        with transaction() as session:
            text, count, cut = exporting.as_csv(session, SYSTEM, wanted(status="404"))
        (told,) = list(csv.DictReader(io.StringIO(text)))
        assert (told["agent"], told["error"], told["status"]) == ("'=HYPERLINK(1)", 'a "b"\n c', "404")
        assert (count, cut) == (1, False)
        with snapshot() as session:
            (entry,) = trail.page(session, SYSTEM, trail.wanted())[0]
        assert (entry.action, entry.details["rows"]) == ("api_requests.export", 1)

    def test_is_bounded_and_says_so(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exporting, "MOST_ROWS", 10)
        monkeypatch.setattr(log, "LARGEST_PAGE", 5)
        write(row(now()) for _ in range(23))
        with transaction() as session:
            text, count, cut = exporting.as_csv(session, SYSTEM, Wanted())
        assert (len(text.splitlines()), count, cut) == (11, 10, True)

    def test_no_body_is_in_it(self, sqlite: Engine) -> None:
        write([row(now(), request_payload_sample={"note": CANARY})])
        with transaction() as session:
            assert CANARY not in exporting.as_csv(session, SYSTEM, Wanted())[0]


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (
            "/api/v1/experiments/<int:experiment_id>/metrics/<path:metric>",
            "/api/v1/experiments/{experiment_id}/metrics/{metric}",
        ),
        ("GET /api/v1/notification-preferences/<event>", "GET /api/v1/notification-preferences/{event}"),
        ("/api/2.0/mlflow/runs/log-batch", "/api/2.0/mlflow/runs/log-batch"),
        ("<script>alert(1)</script>", "{script}alert(1)</script>"),
    ],
)
def test_a_route_is_written_as_the_documentation_writes_it(route: str, words: str) -> None:
    assert routes.shown(route) == words
