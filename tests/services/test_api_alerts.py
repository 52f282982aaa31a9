"""Facts about alerts: raised once, resolved once, whoever looks at the same time and wherever it is killed."""

import gc
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, delete, event, select, update

from database import engine as engines
from database.engine import snapshot, transaction
from database.types import now
from models import APIAlertRule, APIRequestLog, Event
from models.permissions import PermissionDenied, Role
from services import trail
from services.actor import SYSTEM
from services.api_alerts import events, rules, watching
from services.api_alerts.events import RAISED, RESOLVED
from services.errors import Invalid, NotFound
from tests.support.people import person
from tests.support.requests_made import row, write


def rule(measure: str = "error_rate", threshold: str = "10", window: int = 5, endpoint: str | None = None) -> int:
    with transaction() as session:
        return rules.create(session, person(Role.ADMIN), rules.wanted(measure, threshold, window, endpoint))


def answer(ok: int = 0, failed: int = 0, milliseconds: float = 5.0, ago: int = 10, **more: Any) -> None:
    moment = now() - timedelta(seconds=ago)
    write(row(moment, milliseconds, status, **more) for status in [200] * ok + [500] * failed)


def told() -> list[tuple[str, int]]:
    with snapshot() as session:
        found = session.scalars(select(Event).order_by(Event.id)).all()
        return [(made.event_type, made.event_data["rule"]) for made in found]


def acts() -> list[str]:
    with snapshot() as session:
        found = [entry.action for entry in trail.page(session, SYSTEM, trail.wanted())[0]]
    return [action for action in reversed(found) if action in {"alert.raise", "alert.resolve"}]


def state(rule_id: int = 1) -> rules.Rule:
    with snapshot() as session:
        return rules.one(session, SYSTEM, rule_id)


def later(minutes: float) -> None:
    """Let so much time go by for the rules and for what was asked until now."""
    with transaction() as session:
        for name in ("changed_at", "raised_at"):
            column = getattr(APIAlertRule, name)
            for number, moment in session.execute(select(APIAlertRule.id, column).where(column.is_not(None))).all():
                moved = {name: moment - timedelta(minutes=minutes)}
                session.execute(update(APIAlertRule).where(APIAlertRule.id == number).values(moved))

        asked = session.execute(select(APIRequestLog.id, APIRequestLog.request_time)).all()
        if asked:
            moved_rows = [
                {"id": number, "request_time": moment - timedelta(minutes=minutes)} for number, moment in asked
            ]
            session.execute(update(APIRequestLog), moved_rows)


class TestAnAlert:
    def test_is_raised_and_resolved_with_an_event_and_a_row_in_the_trail_each(self, database: Engine) -> None:
        number = rule()
        answer(ok=16, failed=4)
        assert (watching.look(), watching.look()) == (1, 0)
        assert told() == [(RAISED, number)]
        assert (state().value, state().requests, state().raised is not None) == (0.2, 20, True)
        later(11)
        answer(ok=30)
        assert (watching.look(), watching.look()) == (1, 0)
        assert told() == [(RAISED, number), (RESOLVED, number)]
        assert acts() == ["alert.raise", "alert.resolve"]
        with snapshot() as session:
            resolved, raised = events.lately(session, SYSTEM)
        assert raised.sentence == "The error rate of all requests over 5 min is 20 % (20 requests), more than 10 %."
        assert resolved.sentence == "The error rate of all requests over 5 min: 0 % again."
        assert resolved.lasted == pytest.approx(660, abs=100)

    def test_needs_twenty_requests(self, database: Engine) -> None:
        rule()
        answer(failed=19)
        assert watching.look() == 0
        assert (state().value, state().requests) == (None, 19)
        answer(failed=1)
        assert watching.look() == 1

    def test_ends_when_nobody_asks_any_more(self, database: Engine) -> None:
        rule()
        answer(failed=20)
        watching.look()
        later(11)
        assert watching.look() == 1
        assert told()[-1][0] == RESOLVED

    def test_on_p95_is_of_the_exact_value(self, database: Engine) -> None:
        number = rule("p95", "100")
        times = [float(value) for value in range(60, 110)]
        moment = now() - timedelta(seconds=20)
        write(row(moment, time) for time in times)
        assert watching.look() == 1
        assert state(number).value == np.quantile(times, 0.95, method="lower")

    def test_is_of_its_route_and_of_its_minutes(self, database: Engine) -> None:
        of_route, of_all = rule(endpoint="POST /b"), rule(window=15)
        answer(ok=20, endpoint="/b", method="POST")
        answer(failed=20, endpoint="/b", method="GET", ago=600)
        watching.look()
        assert told() == [(RAISED, of_all)]
        answer(failed=20, endpoint="/b", method="POST")
        watching.look()
        assert told() == [(RAISED, of_all), (RAISED, of_route)]

    def test_about_its_bound_is_told_at_most_six_times_an_hour(self, database: Engine) -> None:
        rule()
        for minute in range(60):
            later(1)
            with transaction() as session:
                session.execute(delete(APIRequestLog))  # of a minute, only what is asked in it counts
            answer(ok=20, failed=20 if minute % 2 else 0)
            watching.look()
        assert 2 <= len(told()) <= 6

    def test_is_not_raised_by_a_rule_that_is_off(self, sqlite: Engine) -> None:
        with transaction() as session:
            rules.create(session, SYSTEM, rules.wanted("error_rate", "10", 5, None, is_active=False))
        answer(failed=30)
        assert watching.look() == 0


class TestTwoWhoLook:
    def test_write_one_event(self, database: Engine) -> None:
        number = rule()
        answer(failed=30)
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(lambda _: watching.look(), range(8))) == 1
        assert told() == [(RAISED, number)]
        assert acts() == ["alert.raise"]

    def test_of_which_one_has_measured_before_the_other_has_decided(self, database: Engine) -> None:
        rule()
        answer(ok=30)
        with snapshot() as session:
            (stale,) = watching._measured(session, now())
        answer(failed=30)
        assert watching.look() == 1
        with transaction() as session:
            assert watching._decide(session, stale, now() + timedelta(minutes=11)) == 0
        assert state().raised is not None


def test_killed_at_any_statement_a_look_is_whole_or_nothing(database: Engine) -> None:
    number = rule()
    answer(failed=30)
    for place in range(1, 40):
        if not _killed_at(database, place):
            break
        assert (told(), acts()) in (([], []), ([(RAISED, number)], ["alert.raise"]))
        assert (state().raised is not None) == bool(told())
    watching.look()
    assert (told(), acts()) == ([(RAISED, number)], ["alert.raise"])
    assert place > 5


def _killed_at(database: Engine, place: int) -> bool:
    """Look in another process that dies before its n-th statement; False where it came to its end."""
    child = os.fork()
    if child == 0:
        gc.disable()  # it would touch, and so copy, all that the tests have loaded
        engines.forget_connections()
        seen = 0

        def die(*_: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == place:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(database, "before_cursor_execute", die)
        event.listen(database, "commit", die)
        watching.look()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


class TestRules:
    @pytest.mark.parametrize(
        ("given", "field"),
        [
            (("speed", "1", 5, None), "measure"),
            ((["p95"], "1", 5, None), "measure"),
            (({"p95": 1}, "1", 5, None), "measure"),
            (("p95", "", 5, None), "threshold"),
            (("p95", "fast", 5, None), "threshold"),
            (("p95", "nan", 5, None), "threshold"),
            (("p95", "0", 5, None), "threshold"),
            (("error_rate", "100", 5, None), "threshold"),
            (("error_rate", "-1", 5, None), "threshold"),
            (("error_rate", "5", 7, None), "window"),
            (("error_rate", "5", None, None), "window"),
            (("error_rate", "5", 5, "/api"), "endpoint"),
            (("error_rate", "5", 5, "GET /\x00"), "endpoint"),
        ],
    )
    def test_that_are_none_are_told_at_their_field(self, given: tuple[Any, ...], field: str) -> None:
        with pytest.raises(Invalid) as told_so:
            rules.wanted(*given)
        assert told_so.value.field == field

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
    def test_are_neither_seen_nor_set_without_the_permission(self, sqlite: Engine, role: Role) -> None:
        number, actor, asked = rule(), person(role), rules.wanted("p95", "5", 5, None)
        with transaction() as session:
            assert rules.raised(session, actor) == []
            for act in (
                lambda: rules.listed(session, actor),
                lambda: rules.one(session, actor, number),
                lambda: events.lately(session, actor),
                lambda: rules.create(session, actor, asked),
                lambda: rules.change(session, actor, number, asked),
                lambda: rules.delete(session, actor, number),
            ):
                with pytest.raises(PermissionDenied):
                    act()

    def test_that_are_changed_or_deleted_end_the_alert_that_they_have_raised(self, database: Engine) -> None:
        number = rule()
        answer(failed=30)
        watching.look()
        with transaction() as session:
            rules.change(session, SYSTEM, number, rules.wanted("error_rate", "20", 5, None))
        assert [kind for kind, _ in told()] == [RAISED, RESOLVED]
        later(11)
        answer(failed=30)
        watching.look()
        with transaction() as session:
            rules.delete(session, SYSTEM, number)
        assert [kind for kind, _ in told()] == [RAISED, RESOLVED] * 2
        with snapshot() as session, pytest.raises(NotFound):
            rules.one(session, SYSTEM, number)

    def test_are_no_more_than_fifty(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "MOST_RULES", 2)
        rule(), rule()
        with pytest.raises(Invalid, match="delete one first"):
            rule()

    def test_are_no_more_than_fifty_also_when_many_are_made_at_once(
        self, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "MOST_RULES", 3)
        person(Role.ADMIN)

        def make(_: int) -> bool:
            try:
                return bool(rule())
            except Invalid:
                return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(make, range(20))) == 3

    def test_that_are_deleted_by_twenty_at_once_are_by_one(self, database: Engine) -> None:
        number = rule()
        answer(failed=30)
        watching.look()

        def remove(_: int) -> bool:
            try:
                with transaction() as session:
                    rules.delete(session, SYSTEM, number)
            except NotFound:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(remove, range(20))) == 1
        assert [kind for kind, _ in told()] == [RAISED, RESOLVED]

    def test_take_as_many_statements_to_list_however_many_they_are(self, database: Engine, count_queries: Any) -> None:
        def read() -> None:
            with snapshot() as session:
                rules.listed(session, SYSTEM)

        rule()
        few = count_queries(database, read)
        for _ in range(5):
            rule()
        assert count_queries(database, read) == few == 1
