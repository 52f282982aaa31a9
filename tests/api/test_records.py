"""Facts about the record of requests: one of each, refused or not, a row once, and in the way of nobody."""

import errno
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import Engine, delete, event, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import APIJournal, APIKey, APIRequestLog, APIUsage
from models.permissions import Role
from services import retention
from services.api_keys import keys
from services.api_requests import draining
from services.api_requests.draining import Drain
from services.api_requests.journal import Journal
from tests.support import records
from tests.support.people import person
from web import api_record

pytestmark = pytest.mark.usefixtures("recorded")


@pytest.fixture
def headers(database: Engine) -> dict[str, str]:
    with transaction() as session:
        text = keys.create(session, person(Role.OPERATOR), name="script", scopes=["view_experiments"])
    return {"Authorization": f"Bearer {text}", "User-Agent": "pfd-test/1"}


class TestRows:
    def test_tell_of_a_request_all_that_it_was(self, taking: Flask, headers: dict[str, str]) -> None:
        answer = taking.test_client().get("/api/test/mine", headers=headers)
        (row,) = records.drained()
        told = (row.endpoint, row.method, row.status_code, row.ip_address, row.user_agent, row.api_key_id)
        assert told == ("/api/test/mine", "GET", 200, "127.0.0.1", "pfd-test/1", 1)
        assert (row.request_id, row.response_size_bytes) == (answer.headers["X-Request-ID"], len(answer.data))
        assert (row.request_size_bytes, row.error_message, row.request_payload_sample) == (0, None, None)
        assert abs(now() - row.request_time) < timedelta(minutes=1)
        (used,) = records.usage()
        assert (used.api_key_id, used.endpoint, used.status_code) == (1, "/api/test/mine", 200)
        assert used.timestamp == row.request_time

    def test_are_there_for_whatever_was_refused(
        self, taking: Flask, headers: dict[str, str], chosen: Callable[..., None]
    ) -> None:
        client = taking.test_client()
        client.get("/api/test/mine")
        client.get("/api/test/mine?token=x", headers=headers)
        client.get("/api/test/where/is/it")
        client.delete("/api/test/mine")
        client.post("/api/test/echo", data=b"x" * 2_000_000, content_type="application/json")
        client.post("/api/test/echo", data=b"{", content_type="application/json")
        client.post("/api/test/bug", data=b"x")
        client.post("/api/test/echo", json={}, headers={"Sec-Fetch-Site": "cross-site"})
        client.get("/api/test/mine", base_url="http://elsewhere.example")
        client.open("/api/test/echo", method="FROB")
        with transaction() as session:
            session.execute(update(APIKey).values(rate_limit=1))
        client.get("/api/test/mine", headers=headers)
        client.get("/api/test/mine", headers=headers)
        told = [(row.endpoint, row.method, row.status_code) for row in records.drained()]
        assert told == [
            ("/api/test/mine", "GET", 401),
            ("/api/test/mine", "GET", 400),
            ("(unknown address)", "GET", 404),
            ("/api/test/mine", "DELETE", 405),
            ("/api/test/echo", "POST", 413),
            ("/api/test/echo", "POST", 400),
            ("/api/test/bug", "POST", 500),
            ("/api/test/echo", "POST", 403),
            ("/api/test/mine", "GET", 400),
            ("/api/test/echo", "_OTHER", 405),
            ("/api/test/mine", "GET", 200),
            ("/api/test/mine", "GET", 429),
        ]
        assert [used.status_code for used in records.usage()] == [200, 429]

    def test_say_why_something_was_refused(self, taking: Flask, database: Engine) -> None:
        taking.test_client().post("/api/test/refuse", data=b"a blue sky")
        assert [row.error_message for row in records.drained()] == ["This cannot be: a blue sky"]

    def test_are_not_made_for_pages(self, taking: Flask, database: Engine) -> None:
        taking.test_client().get("/login")
        assert records.drained() == []

    def test_of_a_key_that_is_gone_are_nobodys(self, taking: Flask, headers: dict[str, str]) -> None:
        taking.test_client().get("/api/test/mine", headers=headers)
        with transaction() as session:
            session.execute(delete(APIKey))
        assert [row.api_key_id for row in records.drained()] == [None]
        assert records.usage() == []


class TestSamples:
    def test_are_what_was_asked_and_answered(
        self, taking: Flask, database: Engine, chosen: Callable[..., None]
    ) -> None:
        chosen(PFD_API_SAMPLES=1)
        taking.test_client().post("/api/test/echo?page=2", json={"rate": 0.5, "deep": [{"password": "x"}]})
        (row,) = records.drained()
        body = {"rate": 0.5, "deep": [{"password": "[redacted]"}]}
        assert row.request_payload_sample == {"query": {"page": "2"}, "body": body}
        assert row.response_payload_sample == {"body": {"given": body}}

    def test_are_not_taken_where_they_are_off_or_the_route_is_about_secrets(
        self, taking: Flask, database: Engine, chosen: Callable[..., None]
    ) -> None:
        chosen(PFD_API_SAMPLES=1)
        taking.test_client().post("/api/test/secret", json={"a": 1})
        chosen(PFD_API_SAMPLES=0)
        taking.test_client().post("/api/test/echo", json={"a": 1})
        found = [(row.request_payload_sample, row.response_payload_sample) for row in records.drained()]
        assert found == [(None, None), (None, None)]


class TestJournal:
    def test_that_cannot_be_written_keeps_nobody_from_an_answer(
        self, taking: Flask, database: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = taking.test_client()
        client.get("/api/test/nothing")
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda file, data: _full())
            assert client.get("/api/test/nothing").status_code == 200
        client.get("/api/test/nothing")
        assert len(records.drained()) == 2
        assert "1 were not" in caplog.text

    def test_goes_on_behind_a_record_that_a_full_disk_has_cut_short(
        self, taking: Flask, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = os.write
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda file, data: write(file, data[:40]))
            taking.test_client().get("/api/test/nothing")
        taking.test_client().get("/api/test/echo")
        assert [row.endpoint for row in records.drained()] == ["/api/test/echo"]

    def test_takes_no_more_once_so_much_waits(self, taking: Flask, database: Engine) -> None:
        client, journal = taking.test_client(), api_record.journal()
        client.get("/api/test/nothing")
        journal.is_full = True
        try:
            assert client.get("/api/test/echo").status_code == 200
        finally:
            journal.is_full = False
        assert [row.endpoint for row in records.drained()] == ["/api/test/nothing"]

    def test_is_removed_with_its_position_once_its_process_is_gone(self, taking: Flask, database: Engine) -> None:
        taking.test_client().get("/api/test/nothing")
        records.drained()
        assert len(list(api_record.folder().glob("*.jsonl"))) == 1
        api_record.journal().close()
        assert len(records.drained()) == 1
        assert list(api_record.folder().glob("*.*")) == []
        with snapshot() as session:
            assert session.scalar(select(APIJournal.name)) is None

    def test_of_a_process_is_several_files_when_it_grows(self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("services.api_requests.journal.LARGEST", 50)
        journal = Journal(tmp_path)
        for number in range(6):
            journal.append({"number": number, "filler": "x" * 20})
        assert len(list(tmp_path.glob("*.jsonl"))) == 3
        journal.close()


class TestDraining:
    def test_waits_while_the_database_is_away_and_loses_nothing(
        self, taking: Flask, sqlite: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from sqlalchemy.exc import OperationalError

        taking.test_client().get("/api/test/nothing")

        def away(*_: Any) -> None:
            raise OperationalError("INSERT", {}, Exception("away"))

        with monkeypatch.context() as patch:
            patch.setattr(draining, "write", away)
            with pytest.raises(OperationalError):
                records.drained()
        assert len(records.drained()) == 1

    def test_stopped_at_any_statement_makes_each_record_a_row_once(self, taking: Flask, database: Engine) -> None:
        for _ in range(3):
            taking.test_client().get("/api/test/nothing")
        api_record.journal().close()
        for place in range(20):
            seen = 0

            def stop(_connection: Any, _cursor: Any, statement: str, *_: Any, last: int = place) -> None:
                nonlocal seen
                seen += not statement.startswith("BEGIN")
                if seen > last:
                    raise Stopped

            event.listen(database, "after_cursor_execute", stop)
            try:
                Drain(api_record.folder()).run()
            except Stopped:
                continue
            finally:
                event.remove(database, "after_cursor_execute", stop)
            break
        assert 4 <= place < 19
        assert len(records.drained()) == 3
        assert list(api_record.folder().glob("*.*")) == []

    def test_of_a_record_that_no_row_can_be_made_of_goes_on_behind_it(
        self, taking: Flask, database: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = taking.test_client()
        client.get("/api/test/nothing")
        (file,) = api_record.folder().glob("*.jsonl")
        record = {**orjson.loads(file.read_bytes()), "status_code": None}
        api_record.journal().append(record)
        client.get("/api/test/echo")
        assert [row.endpoint for row in records.drained()] == ["/api/test/nothing", "/api/test/echo"]
        assert "left out: IntegrityError" in caplog.text

    @pytest.mark.parametrize("unfit", [5, {"key": None}, {"key": None, "time": "noon"}, {"key": None, "time": 1e300}])
    def test_of_what_is_no_record_at_all_goes_on_behind_it(self, taking: Flask, sqlite: Engine, unfit: Any) -> None:
        client = taking.test_client()
        client.get("/api/test/nothing")
        api_record.journal().append(unfit)
        client.get("/api/test/echo")
        assert [row.endpoint for row in records.drained()] == ["/api/test/nothing", "/api/test/echo"]

    def test_leaves_out_what_a_later_version_wrote_besides(self, taking: Flask, sqlite: Engine) -> None:
        taking.test_client().get("/api/test/nothing")
        (file,) = api_record.folder().glob("*.jsonl")
        later = {**orjson.loads(file.read_bytes()), "later": 1}
        records.drained()
        api_record.journal().append(later)
        assert [row.endpoint for row in records.drained()] == ["/api/test/nothing"] * 2

    def test_is_done_by_one_process_at_a_time(self, taking: Flask, sqlite: Engine) -> None:
        taking.test_client().get("/api/test/nothing")
        with draining._alone(api_record.folder() / "lock"):
            assert Drain(api_record.folder()).run() is None
        assert Drain(api_record.folder()).run() == 1

    def test_asks_the_database_nothing_when_there_is_nothing(
        self, taking: Flask, sqlite: Engine, count_queries: Callable[..., int]
    ) -> None:
        taking.test_client().get("/api/test/nothing")
        drain = Drain(api_record.folder())
        drain.run()
        assert count_queries(sqlite, drain.run) == 0


class TestRetention:
    def test_tells_first_what_it_deletes_and_then_deletes_that(
        self, database: Engine, chosen: Callable[..., None]
    ) -> None:
        chosen(PFD_API_USAGE_KEPT="P10D", PFD_API_REQUESTS_KEPT="P3D")
        with transaction() as session:
            keys.create(session, person(Role.OPERATOR), name="script", scopes=["view_experiments"])
            for days in (1, 5, 20):
                moment, common = now() - timedelta(days=days), {"endpoint": "/x", "method": "GET", "status_code": 200}
                session.add(APIUsage(api_key_id=1, timestamp=moment, response_time_ms=1, **common))
                session.add(APIRequestLog(request_time=moment, response_time_ms=1, **common))
        with snapshot() as session:
            told = {found.table: found.rows for found in retention.would_delete(session)}
        assert {table: rows for table, rows in told.items() if rows} == {"api_usage": 1, "api_request_logs": 2}
        removed = []
        for _ in range(3):
            with transaction() as session:
                removed.append(retention.purge(session, 2))
        assert removed == [2, 1, 0]
        with snapshot() as session:
            assert {found.rows for found in retention.would_delete(session)} == {0}
        assert (len(records.usage()), len(records.drained())) == (2, 1)


class Stopped(Exception):
    """The process is no more."""


def _full() -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
