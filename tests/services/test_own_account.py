"""What people do with their own account: password, sessions, the history of sign-ins."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import EmailLog, LoginHistory, SessionLog, SystemLog, User
from models.permissions import PermissionDenied, Role
from services import forgotten, one_time_tokens, own_password, passwords, session_list, sessions, sign_ins
from services.actor import Actor
from services.errors import Conflict, Invalid, NotFound, TooManyAttempts
from services.sessions import Visitor
from tests.support.people import PASSWORD, person

HERE = Visitor("127.0.0.1", "test")
NEW = "another fine passphrase"


def sign_in(actor: Actor, visitor: Visitor = HERE) -> str:
    with transaction() as session:
        user = session.get(User, actor.user_id)
        assert user is not None
        return sessions.open_session(session, user, visitor)


def session_id(token: str) -> int | None:
    with snapshot() as session:
        found = sessions.resolve(session, token)
    return None if found is None else found.session_id


def change(actor: Actor, this: int, current: str = PASSWORD, new: str = NEW, again: str | None = None) -> int:
    own_password.check_new(actor, f"{actor.username}@example.org", new, new if again is None else again)
    with transaction() as session:
        begun = own_password.begin(session, actor, HERE)
    hashed = own_password.hashed(begun, current, new)
    with transaction() as session:
        return own_password.complete(session, actor, this, HERE, begun, hashed)


def stored(actor: Actor) -> str:
    with snapshot() as session:
        return session.scalar(select(User.password_hash).where(User.id == actor.user_id)) or ""


class TestPassword:
    def test_the_new_one_fits_and_the_old_one_no_longer(self, database: Engine) -> None:
        actor = person(Role.VIEWER)
        change(actor, session_id(sign_in(actor)) or 0)
        assert passwords.verify(stored(actor), NEW)
        assert not passwords.verify(stored(actor), PASSWORD)

    def test_every_other_session_ends_and_this_one_stays(self, database: Engine) -> None:
        actor = person(Role.VIEWER)
        mine, other = sign_in(actor), sign_in(actor)
        stranger = sign_in(person(Role.OPERATOR))
        assert change(actor, session_id(mine) or 0) == 1
        assert session_id(other) is None
        assert session_id(mine) is not None and session_id(stranger) is not None

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("current", {"current": "not the password at all"}),
            ("password", {"new": "short"}),
            ("password", {"new": PASSWORD}),
            ("password", {"new": "viewer-person12345"}),
            ("again", {"again": "something else entirely"}),
        ],
    )
    def test_what_is_wrong_is_told_at_its_field_and_nothing_changes(
        self, sqlite: Engine, field: str, given: dict[str, str]
    ) -> None:
        actor = person(Role.VIEWER)
        before = stored(actor)
        with pytest.raises(Invalid) as refused:
            change(actor, 0, **given)
        assert refused.value.field == field
        assert stored(actor) == before

    def test_guesses_at_the_current_one_are_slowed_down(self, database: Engine) -> None:
        actor = person(Role.VIEWER)
        for _ in range(6):
            with pytest.raises(Invalid):
                change(actor, 0, current="a wrong passphrase")
        with pytest.raises(TooManyAttempts):
            change(actor, 0)

    def test_a_new_one_that_is_no_good_counts_as_no_guess(self, sqlite: Engine) -> None:
        actor = person(Role.VIEWER)
        for _ in range(12):
            with pytest.raises(Invalid):
                change(actor, 0, new="short")
        change(actor, session_id(sign_in(actor)) or 0)

    def test_of_two_changes_at_once_one_wins(self, database: Engine) -> None:
        actor = person(Role.VIEWER)
        with transaction() as session:
            begun = own_password.begin(session, actor, HERE)

        def finish(new: str) -> str:
            hashed = own_password.hashed(begun, PASSWORD, new)
            try:
                with transaction() as session:
                    own_password.complete(session, actor, 0, HERE, begun, hashed)
            except Conflict:
                return "refused"
            return new

        with ThreadPoolExecutor(4) as pool:
            ended = list(pool.map(finish, [f"passphrase number {place} of four" for place in range(4)]))
        winners = [new for new in ended if new != "refused"]
        assert len(winners) == 1
        assert passwords.verify(stored(actor), winners[0])

    def test_a_demand_for_a_new_one_is_met_and_links_for_a_forgotten_one_end(self, sqlite: Engine) -> None:
        actor = person(Role.VIEWER)
        with transaction() as session:
            session.execute(update(User).values(password_reset_required=True))
            token = one_time_tokens.issue(session, "reset", timedelta(hours=1), actor.user_id)
        change(actor, 0)
        with snapshot() as session:
            assert session.scalars(select(User.password_reset_required)).one() is False
            assert forgotten.resetting(session, token) is None

    def test_its_owner_is_told_once(self, sqlite: Engine) -> None:
        actor = person(Role.VIEWER)
        change(actor, 0)
        with snapshot() as session:
            assert session.scalars(select(EmailLog.event_type)).all() == ["security.password_changed"]

    def test_it_is_recorded_without_the_password(self, sqlite: Engine) -> None:
        actor = person(Role.VIEWER)
        change(actor, 0)
        with snapshot() as session:
            row = session.scalars(select(SystemLog)).one()
        assert (row.action, row.user_id) == ("user.change_password", actor.user_id)
        assert NEW not in repr(row.to_dict()) and PASSWORD not in repr(row.to_dict())


class TestSessions:
    def listed(self, actor: Actor, this: int = 0) -> list[Any]:
        with snapshot() as session:
            return session_list.open_sessions(session, actor, this)

    def test_this_one_comes_first_and_is_marked(self, database: Engine) -> None:
        actor = person(Role.VIEWER)
        sign_in(actor)
        mine = session_id(sign_in(actor)) or 0
        sign_in(actor)
        shown = self.listed(actor, mine)
        assert [item.is_this for item in shown] == [True, False, False]
        assert shown[0].id == mine

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPER_ADMIN])
    def test_one_ends_after_an_hour_without_anything_and_after_twelve_in_any_case(
        self, database: Engine, role: Role
    ) -> None:
        token = sign_in(person(role))
        with transaction() as session:
            row = session.scalars(select(SessionLog)).one()
            assert abs(row.expires_at - row.created_at - timedelta(hours=12)) < timedelta(seconds=5)
        for minutes, is_open in ((59, True), (61, False)):
            with transaction() as session:
                session.execute(update(SessionLog).values(last_active=now() - timedelta(minutes=minutes)))
            assert (session_id(token) is not None) is is_open
        with transaction() as session:
            session.execute(update(SessionLog).values(last_active=now(), expires_at=now()))
        assert session_id(token) is None

    def test_a_device_is_told_in_words(self, sqlite: Engine) -> None:
        actor = person(Role.VIEWER)
        agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
        sign_in(actor, Visitor("192.0.2.7", agent))
        assert [(item.device, item.address, item.place) for item in self.listed(actor)] == [
            ("Chrome 126 on Linux", "192.0.2.7", "unknown")
        ]

    @pytest.mark.parametrize("agent", ["", "x" * 500, "\ufffd<script>", "Mozilla/5.0 " + "(" * 400])
    def test_any_user_agent_can_be_shown(self, sqlite: Engine, agent: str) -> None:
        actor = person(Role.VIEWER)
        sign_in(actor, Visitor("192.0.2.7", agent))
        assert self.listed(actor)[0].device

    @pytest.mark.parametrize("state", ["ended", "idle", "over"])
    def test_what_opens_nothing_is_not_listed(self, database: Engine, state: str) -> None:
        actor = person(Role.VIEWER)
        sign_in(actor)
        values: dict[str, Any] = {
            "ended": {"is_active": False},
            "idle": {"last_active": now() - timedelta(hours=2)},
            "over": {"expires_at": now() - timedelta(seconds=1)},
        }[state]
        with transaction() as session:
            session.execute(update(SessionLog).values(**values))
        assert self.listed(actor) == []

    def test_an_ended_one_is_refused_at_the_next_request(self, dash_app: Any, sqlite: Engine, client_of: Any) -> None:
        visitor = client_of(Role.VIEWER)
        assert visitor.get("/", headers={"Accept": "text/html"}).status_code == 200
        actor = person(Role.VIEWER)
        with transaction() as session:
            session_list.end_one(session, actor, self.listed(actor)[0].id, 0)
        assert visitor.get("/", headers={"Accept": "text/html"}).status_code == 302

    def test_somebody_elses_is_as_if_it_were_not_there(self, database: Engine) -> None:
        actor, other = person(Role.SUPER_ADMIN), person(Role.VIEWER)
        token = sign_in(other)
        said = []
        for wanted in (session_id(token) or 0, 99_999):
            with pytest.raises(NotFound) as refused, transaction() as session:
                session_list.end_one(session, actor, wanted, 0)
            said.append(str(refused.value))
        assert said[0] == said[1]
        assert session_id(token) is not None

    def test_all_others_end_at_once_and_nobody_elses(self, database: Engine) -> None:
        actor = person(Role.VIEWER)
        mine, stranger = sign_in(actor), sign_in(person(Role.OPERATOR))
        others = [sign_in(actor) for _ in range(3)]
        with transaction() as session:
            assert session_list.end_others(session, actor, session_id(mine) or 0) == 3
        assert [session_id(token) for token in others] == [None] * 3
        assert session_id(mine) is not None and session_id(stranger) is not None

    def test_fifty_cost_as_many_queries_as_one(self, database: Engine, count_queries: Any) -> None:
        actor = person(Role.VIEWER)
        sign_in(actor)
        one = count_queries(database, lambda: self.listed(actor))
        for _ in range(49):
            sign_in(actor)
        assert count_queries(database, lambda: self.listed(actor)) == one


def attempt(user_id: int | None, success: bool = True, reason: str | None = None, agent: str = "curl/8.1") -> None:
    with transaction() as session:
        session.add(
            LoginHistory(
                user_id=user_id, ip_address="192.0.2.7", user_agent=agent, success=success, failure_reason=reason
            )
        )


class TestHistory:
    def test_only_ones_own_attempts_are_read(self, database: Engine) -> None:
        actor, other = person(Role.ADMIN), person(Role.VIEWER)
        for user_id in (actor.user_id, other.user_id, None):
            attempt(user_id)
        with snapshot() as session:
            rows, following = sign_ins.page(session, actor)
        assert (len(rows), following) == (1, None)

    def test_pages_hold_every_attempt_once(self, database: Engine) -> None:
        actor = person(Role.VIEWER)
        for place in range(7):
            attempt(actor.user_id, success=bool(place % 2), reason=f"reason {place}")
        seen, before = [], None
        while True:
            with snapshot() as session:
                rows, before = sign_ins.page(session, actor, before=before, limit=3)
            seen += [row.reason for row in rows]
            attempt(actor.user_id, reason="came meanwhile")
            if before is None:
                break
        assert seen == [f"reason {place}" for place in range(6, -1, -1)]

    @pytest.mark.parametrize(("result", "number"), [("all", 4), ("succeeded", 1), ("failed", 3)])
    def test_it_is_filtered_by_result(self, database: Engine, result: Any, number: int) -> None:
        actor = person(Role.VIEWER)
        for success in (True, False, False, False):
            attempt(actor.user_id, success=success)
        with snapshot() as session:
            assert len(sign_ins.page(session, actor, result=result)[0]) == number

    def test_no_cell_of_the_file_is_a_formula(self, sqlite: Engine) -> None:
        actor = person(Role.VIEWER)
        attempt(actor.user_id, success=False, reason="=HYPERLINK(1)")
        with snapshot() as session:
            lines = sign_ins.as_csv(session, actor).splitlines()
        assert lines[0] == "time (UTC),method,result,reason,address,place,device"
        assert ",failed,'=HYPERLINK(1),192.0.2.7,unknown,curl 8" in lines[1]

    def test_without_the_permission_nothing_is_read(self, sqlite: Engine) -> None:
        nobody = Actor(person(Role.VIEWER).user_id, "x", "none", frozenset())
        for read in (lambda s: sign_ins.page(s, nobody), lambda s: session_list.open_sessions(s, nobody, 0)):
            with pytest.raises(PermissionDenied), snapshot() as session:
                read(session)
