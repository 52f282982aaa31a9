"""The system log: an act and its row stand or fall together, no row changes unseen, nothing forks the chain."""

import csv
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, delete, func, select, text, update
from sqlalchemy.orm import Session

from database.engine import snapshot, transaction
from database.types import now
from models import SystemLog
from models.permissions import PermissionDenied, Role
from models.system_log import AppendOnly
from services import audit, context, refusals, trail
from services.actor import SYSTEM, Actor
from services.errors import Invalid, NotFound
from services.refusals import NOBODY, Refusal
from services.trail import Verdict
from tests.support import clock
from tests.support.people import person


def act(action: str = "thing.do", actor: Actor = SYSTEM, **details: Any) -> None:
    with transaction() as session:
        audit.record(session, actor, action, **details)


def verdict() -> Verdict:
    with snapshot() as session:
        return trail.verify(session, SYSTEM)


def rows() -> list[SystemLog]:
    with snapshot() as session:
        return list(session.scalars(select(SystemLog).order_by(SystemLog.id)))


def tamper(database: Engine, statement: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statement))


class TestRecord:
    def test_it_keeps_from_where_and_in_which_request(self, database: Engine) -> None:
        token = context.enter("192.0.2.7", "abc")
        act(before="viewer", after="admin")
        context.leave(token)
        act()
        first, second = rows()
        assert (first.ip_address, first.request_id) == ("192.0.2.7", "abc")
        assert first.details == {"by": "system", "before": "viewer", "after": "admin"}
        assert (second.ip_address, second.request_id) == (None, None)

    def test_a_rolled_back_act_has_no_row(self, database: Engine) -> None:
        with pytest.raises(ZeroDivisionError), transaction() as session:
            audit.record(session, SYSTEM, "thing.do")
            raise ZeroDivisionError
        act("other.do")
        assert [row.action for row in rows()] == ["other.do"]

    @pytest.mark.parametrize("committed", [True, False])
    def test_a_savepoint_keeps_or_loses_its_own_rows_only(self, database: Engine, committed: bool) -> None:
        with transaction() as session:
            audit.record(session, SYSTEM, "outer.do")
            attempt = session.begin_nested()
            audit.record(session, SYSTEM, "inner.do")
            if committed:
                attempt.commit()
            else:
                attempt.rollback()
        assert [row.action for row in rows()] == ["outer.do", *(["inner.do"] if committed else [])]

    def test_what_a_terminal_or_a_database_would_obey_is_not_kept(self, database: Engine) -> None:
        act(name="a\x1b[31m\x00\u202e\ud800b", deep=[{"k\x00": "\x00"}], long="x" * 5000)
        (row,) = rows()
        assert not set("\x00\x1b\u202e\ud800") & set(repr(row.details))
        assert len(row.details["long"]) == audit.LONGEST_TEXT
        assert verdict().broken is None

    @pytest.mark.parametrize("value", [0.1, 1e300, float("nan"), now(), {"a": (1, 2)}, {1: 2}, None, "ä€"])
    def test_what_comes_back_from_the_database_fits_its_hash(self, database: Engine, value: Any) -> None:
        act(value=value)
        assert verdict() == Verdict(1, 0, head=rows()[0].row_hash or "")


class TestAppendOnly:
    def test_a_row_is_not_changed(self, database: Engine) -> None:
        act()
        with pytest.raises(AppendOnly), transaction() as session:
            session.scalars(select(SystemLog)).one().status = "failed"

    def test_a_row_is_not_removed(self, database: Engine) -> None:
        act()
        with pytest.raises(AppendOnly), transaction() as session:
            session.delete(session.scalars(select(SystemLog)).one())

    @pytest.mark.parametrize("statement", [update(SystemLog).values(status="x"), delete(SystemLog)])
    def test_nor_are_many(self, database: Engine, statement: Any) -> None:
        act()
        with pytest.raises(AppendOnly), transaction() as session:
            session.execute(statement)
        assert [row.status for row in rows()] == ["success"]


class TestChain:
    def test_an_unbroken_one_is_told_with_its_end(self, database: Engine) -> None:
        for _ in range(3):
            act()
        assert verdict() == Verdict(3, 0, head=rows()[-1].row_hash or "")

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("action", "'other'"),
            ("status", "'failed'"),
            ("details", "'{}'"),
            ("error_message", "'x'"),
            ("ip_address", "'::1'"),
            ("request_id", "'x'"),
            ("created_at", "'2020-01-01 00:00:00.000000'"),
            ("row_hash", "NULL"),
            ("row_hash", f"'{'a' * 64}'"),
            ("previous_hash", f"'{'a' * 64}'"),
        ],
    )
    def test_a_changed_row_is_named(self, database: Engine, column: str, value: str) -> None:
        for _ in range(5):
            act()
        tamper(database, f"UPDATE system_logs SET {column} = {value} WHERE id = 3")
        assert (verdict().broken, verdict().rows) == (3, 2)

    @pytest.mark.parametrize(("removed", "named"), [(1, 2), (3, 4)])
    def test_the_row_behind_a_removed_one_is_named(self, database: Engine, removed: int, named: int) -> None:
        for _ in range(5):
            act()
        tamper(database, f"DELETE FROM system_logs WHERE id = {removed}")
        assert verdict().broken == named

    def test_a_row_that_was_changed_with_its_hash_breaks_the_next(self, database: Engine) -> None:
        for _ in range(3):
            act()
        with snapshot() as session:
            row = dict(session.execute(select(*audit.LOGS.c).where(audit.LOGS.c.id == 2)).mappings().one())
        forged = audit.hash_of({**row, "action": "other"}, row["previous_hash"])
        tamper(database, f"UPDATE system_logs SET action = 'other', row_hash = '{forged}' WHERE id = 2")
        assert verdict().broken == 3

    def test_rows_of_earlier_versions_stand_before_it(self, database: Engine) -> None:
        for _ in range(4):
            act()
        tamper(database, "DELETE FROM system_logs WHERE id > 2")
        tamper(database, "UPDATE system_logs SET row_hash = NULL, previous_hash = NULL")
        act("first.do")
        assert (verdict().before_the_chain, verdict().rows, verdict().broken) == (2, 1, None)

    def test_it_is_walked_a_batch_at_a_time(
        self, database: Engine, monkeypatch: pytest.MonkeyPatch, count_queries: Any
    ) -> None:
        monkeypatch.setattr(trail, "BATCH", 4)
        with transaction() as session:
            for _ in range(10):
                audit.record(session, SYSTEM, "thing.do")
        assert count_queries(database, verdict) == 3
        assert verdict().rows == 10

    def test_writers_at_once_leave_one_unbroken_chain(self, database: Engine) -> None:
        actor = person(Role.ADMIN)

        def write(_place: int) -> None:
            act(actor=actor)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(100)))
        assert (verdict().rows, verdict().broken) == (100, None)
        assert len({row.previous_hash for row in rows()}) == 100

    def test_who_has_recorded_and_goes_on_working_keeps_nobody_waiting(self, postgresql_url: str) -> None:
        from database import engine as engines

        engines.use_engine(engines.build_engine(postgresql_url))
        with transaction() as slow:
            audit.record(slow, SYSTEM, "slow.do")
            slow.execute(select(func.now()))
            act("quick.do")  # commits, although the other is in the middle of its work
            assert [row.action for row in rows()] == ["quick.do"]
        assert [row.action for row in rows()] == ["quick.do", "slow.do"]
        assert verdict().broken is None
        engines.use_engine(None)

    def test_somebody_locked_by_another_act_does_not_block_the_chain(self, postgresql_url: str) -> None:
        from database import engine as engines
        from models import User

        engines.use_engine(engines.build_engine(postgresql_url))
        one, other = person(Role.ADMIN, "one"), person(Role.ADMIN, "other")
        with transaction() as holds:
            holds.execute(select(User.id).where(User.id == one.user_id).with_for_update())
            waiting = threading.Thread(target=act, args=("waits.do", one))
            waiting.start()
            act("goes.on", other)  # would wait for ever if the first held the chain while it waits
            holds.commit()
        waiting.join(60)
        assert [row.action for row in rows()] == ["goes.on", "waits.do"]
        engines.use_engine(None)


class TestReading:
    def found(self, session: Session | None = None, before: int | None = None, **asked: str) -> list[str]:
        with snapshot() as opened:
            return [entry.action for entry in trail.page(opened, SYSTEM, trail.wanted(**asked), before=before)[0]]

    def test_it_is_filtered(self, database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        today = clock.hold(monkeypatch, audit).date().isoformat()
        admin = person(Role.ADMIN)
        act("a.do", admin)
        act("b.do")
        act("c.do", status="failed")
        assert self.found() == ["c.do", "b.do", "a.do"]
        assert self.found(action="b.do") == ["b.do"]
        assert self.found(status="failed") == ["c.do"]
        assert self.found(user="ADMIN-p") == ["a.do"]
        assert self.found(user="system") == ["c.do", "b.do"]
        assert self.found(user="%") == []
        assert self.found(since=today, until=today) == ["c.do", "b.do", "a.do"]
        assert self.found(since="2199-01-01") == self.found(until="2001-01-01") == []

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"status": "x"}, "status"),
            ({"since": "yesterday"}, "since"),
            ({"until": "0001-01-01"}, "until"),
            ({"since": "2026-02-01", "until": "2026-01-01"}, "until"),
            ({"user": "\x00"}, "user"),
            ({"action": "x" * 101}, "action"),
        ],
    )
    def test_a_filter_that_is_none_is_refused_at_its_field(self, asked: dict[str, str], field: str) -> None:
        with pytest.raises(Invalid) as refused:
            trail.wanted(**asked)
        assert refused.value.field == field

    def test_pages_hold_every_row_once_at_the_same_cost(self, database: Engine, count_queries: Any) -> None:
        with transaction() as session:
            for place in range(trail.PAGE * 2 + 1):
                audit.record(session, SYSTEM, f"n{place}")
        seen: list[str] = []
        before = None
        while True:
            with snapshot() as session:
                entries, before = trail.page(session, SYSTEM, trail.wanted(), before=before)
            seen += [entry.action for entry in entries]
            if before is None:
                break
        assert seen == [f"n{place}" for place in reversed(range(trail.PAGE * 2 + 1))]
        assert count_queries(database, self.found) == 1

    def test_the_actions_are_named_in_order(self, database: Engine) -> None:
        for action in ("b", "a", "b", "c"):
            act(action)
        with snapshot() as session:
            assert trail.actions(session, SYSTEM) == ["a", "b", "c"]

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
    def test_others_read_nothing(self, sqlite: Engine, role: Role) -> None:
        act()
        actor = person(role)
        for read in (
            lambda session: trail.page(session, actor, trail.wanted()),
            lambda session: trail.one(session, actor, 1),
            lambda session: trail.actions(session, actor),
            lambda session: trail.as_csv(session, actor, trail.wanted()),
            lambda session: trail.verify(session, actor),
        ):
            with pytest.raises(PermissionDenied), snapshot() as session:
                read(session)

    def test_a_row_that_is_not_there_is_not_found(self, sqlite: Engine) -> None:
        with pytest.raises(NotFound), snapshot() as session:
            trail.one(session, SYSTEM, 5)


class TestExport:
    def test_csv_is_safe_to_open_and_is_itself_recorded(self, database: Engine) -> None:
        act("=cmd|' /C calc'!A0")
        with transaction() as session:
            content = trail.as_csv(session, SYSTEM, trail.wanted(status="success"))
        (line,) = list(csv.DictReader(io.StringIO(content)))
        assert line["action"].startswith("'=")
        assert [row.action for row in rows()][1:] == ["trail.export"]
        assert rows()[1].details == {"by": "system", "form": "csv", "rows": 1, "asked": {"status": "success"}}

    def test_json_holds_all_that_checks_the_hashes_elsewhere(self, database: Engine) -> None:
        from datetime import datetime

        act("a.do", person(Role.ADMIN), before=1, after=2)
        with transaction() as session:
            (row,) = orjson.loads(trail.as_json(session, SYSTEM, trail.wanted()))
        row["created_at"] = datetime.fromisoformat(row["created_at"])
        assert audit.hash_of(row, row["previous_hash"]) == row["row_hash"]

    def test_it_is_bounded(self, database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trail, "MOST_EXPORTED", 2)
        for _ in range(3):
            act()
        with transaction() as session:
            assert len(orjson.loads(trail.as_json(session, SYSTEM, trail.wanted()))) == 2


class TestRefusals:
    @pytest.fixture(autouse=True)
    def nothing_remembered(self) -> None:
        refusals.forget()

    def refuse(self, target: str = "/admin", actor: Actor = NOBODY, address: str = "192.0.2.1") -> bool:
        found = Refusal(actor, address, "page", target, "No.")
        if not refusals.is_news(found):
            return False
        return self.write(found)

    def write(self, found: Refusal) -> bool:
        token = context.enter(found.address, "request")
        with transaction() as session:
            written = refusals.record(session, found)
        context.leave(token)
        return written

    def test_the_same_is_one_row_a_minute_and_the_next_says_how_many_there_were(self, database: Engine) -> None:
        assert [self.refuse() for _ in range(50)] == [True] + [False] * 49
        self.refuse("/other")
        assert [(row.details or {})["not_recorded"] for row in rows()] == [0, 49]

    def test_another_process_knows_of_it(self, database: Engine) -> None:
        self.refuse()
        refusals.forget()
        assert not self.refuse()
        assert len(rows()) == 1

    def test_a_flood_of_different_ones_is_bounded(self, database: Engine) -> None:
        for place in range(200):
            self.refuse(f"/{place}")
        assert len(rows()) == refusals.MOST
        refusals.forget()
        self.refuse("/new")
        assert len(rows()) == refusals.MOST

    def test_one_flood_silences_nobody_else(self, database: Engine) -> None:
        for place in range(200):
            self.refuse(f"/{place}")
        assert self.refuse(address="192.0.2.2")
        assert self.refuse(actor=person(Role.VIEWER))

    def test_those_at_once_are_one_row(self, database: Engine) -> None:
        def refuse(_place: int) -> bool:
            return self.write(Refusal(NOBODY, "192.0.2.1", "page", "/admin", "No."))

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(refuse, range(24))) == 1
        assert len(rows()) == 1

    def test_what_is_remembered_is_bounded(self, sqlite: Engine) -> None:
        for place in range(refusals.MOST_REMEMBERED + 50):
            refusals.is_news(Refusal(NOBODY, f"10.0.{place // 256}.{place % 256}", "page", "/", "No."))
        assert len(refusals._recent) == refusals.MOST_REMEMBERED
