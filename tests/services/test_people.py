"""Those who manage users: whom they see, whom they may change, and that one super admin always stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import LoginHistory, OneTimeToken, SystemLog, User
from models.permissions import PermissionDenied, Role
from services import deletion, passwords, people, sessions
from services.actor import SYSTEM, Actor
from services.errors import AppError, Conflict, Forbidden, Invalid, NotFound
from services.people import Person
from services.second_factor import reset
from services.sessions import Visitor
from tests.support import scale
from tests.support.people import person, token_of

PASSPHRASE = "a passphrase of my own"
ROUNDS = scale.of("ROUNDS", 20)  # of two who remove each other; `make races`: 1,000


def act(change: Callable[..., Any], *given: Any, **named: Any) -> Any:
    with transaction() as session:
        return change(session, *given, **named)


def listed(actor: Actor, **asked: Any) -> list[Person]:
    with snapshot() as session:
        return people.page(session, actor, **asked)[0]


def invite(actor: Actor = SYSTEM, username: str = "ada", role: str = "viewer") -> str:
    link: str = act(people.invite, actor, username=username, email=f"{username}@example.org", role=role)
    return link.rsplit("/", 1)[1]


def lives(token: str) -> bool:
    with snapshot() as session:
        return sessions.resolve(session, token) is not None


class TestList:
    def test_it_counts_live_sessions_only(self, database: Engine) -> None:
        admin, other = person(Role.ADMIN), person(Role.VIEWER)
        token_of(other)
        ended = token_of(other)
        with transaction() as session:
            found = sessions.resolve(session, ended)
            assert found is not None
            sessions.end(session, found.session_id, "test")
        assert [(item.username, item.sessions) for item in listed(admin)] == [("admin-person", 0), ("viewer-person", 1)]

    @pytest.mark.parametrize(
        ("asked", "names"),
        [
            ({"text": "VIEW"}, ["viewer-person"]),
            ({"text": "admin-person@example"}, ["admin-person", "super_admin-person"]),
            ({"text": "%"}, []),
            ({"role": "operator"}, ["operator-person"]),
            ({"text": "viewer", "role": "operator"}, []),
        ],
    )
    def test_it_is_searched_by_name_address_and_role(
        self, database: Engine, asked: dict[str, str], names: list[str]
    ) -> None:
        admin = person(Role.ADMIN)
        for role in Role:
            person(role)
        assert [item.username for item in listed(admin, **asked)] == names

    @pytest.mark.parametrize("asked", [{"text": "\x00"}, {"text": "\ud800"}, {"text": "x" * 101}, {"role": "owner"}])
    def test_what_no_account_can_hold_is_refused(self, database: Engine, asked: dict[str, str]) -> None:
        with pytest.raises(Invalid):
            listed(person(Role.ADMIN), **asked)

    def test_a_hundred_people_cost_as_many_queries_as_one(self, database: Engine, count_queries: Any) -> None:
        admin = person(Role.ADMIN)
        one = count_queries(database, lambda: listed(admin))
        with transaction() as session:
            session.add_all(
                User(username=f"u{place:03}", email=f"u{place}@example.org", password_hash="x") for place in range(99)
            )
        assert count_queries(database, lambda: listed(admin)) == one

    def test_pages_hold_everybody_once(self, database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "PAGE", 2)
        admin = person(Role.ADMIN)
        for role in Role:
            person(role)
        seen: list[str] = []
        after = None
        while True:
            with snapshot() as session:
                found, after = people.page(session, admin, after=after)
            seen += [item.username for item in found]
            if after is None:
                break
        assert sorted(seen) == sorted(f"{role.value}-person" for role in Role) and len(set(seen)) == 4

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
    def test_others_see_nobody(self, sqlite: Engine, role: Role) -> None:
        with pytest.raises(PermissionDenied):
            listed(person(role))


CHANGES: dict[str, Callable[[Any, Actor, int], Any]] = {
    "role": lambda session, actor, number: people.set_role(session, actor, number, "operator"),
    "disable": lambda session, actor, number: people.set_active(session, actor, number, False),
    "sessions": people.end_sessions,
    "invitation": people.invite_again,
    "password": people.require_new_password,
    "delete": deletion.delete,
    "second factor": reset.reset,
}


class TestBounds:
    @pytest.mark.parametrize("name", CHANGES)
    def test_an_admin_does_not_touch_a_super_admin(self, database: Engine, name: str) -> None:
        admin, above = person(Role.ADMIN), person(Role.SUPER_ADMIN)
        with pytest.raises(Forbidden):
            act(CHANGES[name], admin, above.user_id)

    @pytest.mark.parametrize("name", CHANGES)
    def test_nobody_changes_their_own_account_here(self, database: Engine, name: str) -> None:
        owner = person(Role.SUPER_ADMIN)
        person(Role.SUPER_ADMIN, "second")
        with pytest.raises(Conflict):
            act(CHANGES[name], owner, owner.user_id)

    @pytest.mark.parametrize("name", CHANGES)
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
    def test_those_who_do_not_manage_users_change_nobody(self, sqlite: Engine, name: str, role: Role) -> None:
        target = person(Role.VIEWER, "target")
        with pytest.raises(PermissionDenied):
            act(CHANGES[name], person(role), target.user_id)

    @pytest.mark.parametrize("name", CHANGES)
    def test_who_is_not_there_is_not_found(self, database: Engine, name: str) -> None:
        with pytest.raises(NotFound):
            act(CHANGES[name], person(Role.ADMIN), 99_999)

    def test_an_admin_raises_nobody_above_themselves(self, database: Engine) -> None:
        admin, target = person(Role.ADMIN), person(Role.VIEWER)
        with pytest.raises(PermissionDenied):
            act(people.set_role, admin, target.user_id, "super_admin")
        with pytest.raises(PermissionDenied):
            invite(admin, role="super_admin")
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 2

    def test_what_may_not_be_changed_says_so_in_the_list(self, sqlite: Engine) -> None:
        admin = person(Role.ADMIN)
        person(Role.SUPER_ADMIN), person(Role.VIEWER)
        may = {item.username: item.may_change for item in listed(admin)}
        assert may == {"admin-person": False, "super_admin-person": False, "viewer-person": True}

    @pytest.mark.parametrize("how", ["role", "disable", "delete"])
    def test_two_super_admins_who_remove_each_other_at_once_leave_one(self, database: Engine, how: str) -> None:
        pair = [person(Role.SUPER_ADMIN, name) for name in ("one", "two")]
        for _ in range(ROUNDS):
            with transaction() as session:
                session.execute(update(User).values(role="super_admin", is_active=True, deleted_at=None))

            def remove(number: int) -> str:
                try:
                    act(CHANGES[how], pair[number], pair[1 - number].user_id)
                except AppError:
                    return "refused"
                return "done"

            with ThreadPoolExecutor(2) as pool:
                ended = list(pool.map(remove, range(2)))
            with snapshot() as session:
                left = session.scalar(
                    select(func.count()).select_from(User).where(User.role == "super_admin", User.is_active)
                )
            assert sorted(ended) == ["done", "refused"]
            assert left == 1


class TestChanges:
    def test_a_new_role_ends_all_sessions(self, database: Engine) -> None:
        target = person(Role.VIEWER)
        token = token_of(target)
        act(people.set_role, person(Role.ADMIN), target.user_id, "operator")
        assert not lives(token)

    def test_a_disabled_person_is_refused_at_the_next_request(
        self, dash_app: Any, sqlite: Engine, client_of: Any
    ) -> None:
        visitor = client_of(Role.VIEWER)
        act(people.set_active, person(Role.ADMIN), person(Role.VIEWER).user_id, False)
        assert visitor.get("/_dash-layout").status_code == 401

    def test_an_enabled_person_has_to_sign_in_again(self, database: Engine) -> None:
        admin, target = person(Role.ADMIN), person(Role.VIEWER)
        token = token_of(target)
        for active in (False, True):
            act(people.set_active, admin, target.user_id, active)
        assert not lives(token)
        assert lives(token_of(target))

    @pytest.mark.parametrize("how", ["disable", "sessions", "second factor"])
    def test_two_admins_who_change_each_other_at_once_wait_and_do_not_fail(self, database: Engine, how: str) -> None:
        pair = [person(Role.ADMIN, name) for name in ("one", "two")]
        person(Role.SUPER_ADMIN)
        for _ in range(20):
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda number: act(CHANGES[how], pair[number], pair[1 - number].user_id), range(2)))

    def test_each_act_is_one_row_of_the_log(self, database: Engine) -> None:
        admin, target = person(Role.ADMIN), person(Role.VIEWER)
        act(people.set_role, admin, target.user_id, "operator")
        act(people.set_active, admin, target.user_id, False)
        act(people.set_active, admin, target.user_id, True)
        act(people.end_sessions, admin, target.user_id)
        with snapshot() as session:
            rows = session.execute(select(SystemLog.action, SystemLog.user_id).order_by(SystemLog.id)).all()
        actions = ["user.set_role", "user.disable", "user.enable", "user.end_sessions"]
        assert [tuple(row) for row in rows] == [(action, admin.user_id) for action in actions]


class TestInvitation:
    def test_its_owner_comes_in_with_a_password_of_their_own(self, database: Engine) -> None:
        token = invite(role="operator")
        with snapshot() as session:
            user = people.invited(session, token)
            assert user is not None and not user.is_active
        hashed = people.check_password(user, PASSPHRASE, PASSPHRASE)
        act(people.accept, token, hashed)
        with snapshot() as session:
            user = session.scalars(select(User)).one()
        assert (user.is_active, user.role) == (True, "operator")
        assert passwords.verify(user.password_hash, PASSPHRASE)

    def test_nobody_signs_in_before_that(self, database: Engine) -> None:
        invite()
        who = Visitor("127.0.0.1", "test")
        for tried in (people.NO_PASSWORD, "", PASSPHRASE):
            attempt = act(sessions.begin_sign_in, "ada", who)
            assert not passwords.verify(attempt.password_hash, tried)

    def test_it_works_once(self, database: Engine) -> None:
        token = invite()
        act(people.accept, token, "hash")
        with pytest.raises(NotFound):
            act(people.accept, token, "other")

    def test_of_many_at_once_one_wins(self, database: Engine) -> None:
        token = invite()

        def accept(place: int) -> bool:
            try:
                act(people.accept, token, f"hash {place}")
            except NotFound:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(accept, range(24))) == 1

    def test_a_new_one_ends_the_earlier(self, database: Engine) -> None:
        token = invite()
        with snapshot() as session:
            number = session.scalars(select(User.id)).one()
        again = act(people.invite_again, SYSTEM, number).rsplit("/", 1)[1]
        with snapshot() as session:
            assert people.invited(session, token) is None
            assert people.invited(session, again) is not None

    def test_it_ends_after_seven_days(self, database: Engine) -> None:
        token = invite()
        with transaction() as session:
            session.execute(update(OneTimeToken).values(expires_at=now() - timedelta(seconds=1)))
        with snapshot() as session:
            assert people.invited(session, token) is None
        assert [item.state for item in listed(person(Role.ADMIN)) if item.username == "ada"] == ["invitation ended"]

    def test_disabling_ends_it(self, database: Engine) -> None:
        token = invite()
        with transaction() as session:
            people.set_active(session, SYSTEM, session.scalars(select(User.id)).one(), False)
        with snapshot() as session:
            assert people.invited(session, token) is None
            row = session.scalars(select(SystemLog).where(SystemLog.action == "user.disable")).one()
        assert (row.details or {})["before"] == "invited"

    @pytest.mark.parametrize(
        ("given", "field"),
        [({"username": "a b"}, "username"), ({"username": ""}, "username"), ({"role": "owner"}, "role")],
    )
    def test_what_is_wrong_is_told_and_nothing_is_made(
        self, database: Engine, given: dict[str, str], field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            invite(**given)
        assert refused.value.field == field
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 0

    def test_a_taken_name_is_a_conflict_and_leaves_no_token(self, database: Engine) -> None:
        invite()
        with pytest.raises(Conflict):
            invite()
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(OneTimeToken)) == 1

    def test_the_token_stands_nowhere_in_the_database(self, sqlite: Engine) -> None:
        token = invite()
        with snapshot() as session:
            rows = [row.to_dict() for row in session.scalars(select(OneTimeToken))]
            rows += [row.to_dict() for row in session.scalars(select(SystemLog))]
            hashes = session.scalars(select(OneTimeToken.token_hash)).all()
        assert token not in repr(rows) and token not in hashes


class TestForm:
    def test_it_opens_the_account_and_signs_in(self, dash_app: Any, sqlite: Engine, client_of: Any) -> None:
        token = invite()
        visitor = client_of(None)
        page = visitor.get(f"/invitation/{token}").text
        assert "<strong>ada</strong>" in page
        csrf = page.split('name="csrf_token" value="')[1].split('"')[0]
        fields = {"csrf_token": csrf, "password": PASSPHRASE, "again": PASSPHRASE}
        short = visitor.post(f"/invitation/{token}", data={**fields, "password": "short"})
        assert short.status_code == 422 and "at least 15 characters" in short.text
        answer = visitor.post(f"/invitation/{token}", data=fields)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert visitor.get("/_dash-layout").status_code == 200
        assert client_of(None).get(f"/invitation/{token}").status_code == 404

    def test_it_is_written_down_as_a_sign_in(self, dash_app: Any, sqlite: Engine, client_of: Any) -> None:
        token, visitor = invite(), client_of(None)
        csrf = visitor.get(f"/invitation/{token}").text.split('name="csrf_token" value="')[1].split('"')[0]
        visitor.post(f"/invitation/{token}", data={"csrf_token": csrf, "password": PASSPHRASE, "again": PASSPHRASE})
        ada = next(item for item in listed(person(Role.ADMIN)) if item.username == "ada")
        assert ada.last_sign_in is not None
        with snapshot() as session:
            assert session.scalars(select(LoginHistory.login_method)).all() == ["invitation"]

    def test_who_was_signed_in_in_that_browser_is_so_no_longer(
        self, dash_app: Any, sqlite: Engine, client_of: Any
    ) -> None:
        token, visitor = invite(), client_of(Role.ADMIN)
        csrf = visitor.get(f"/invitation/{token}").text.split('name="csrf_token" value="')[1].split('"')[0]
        fields = {"csrf_token": csrf, "password": PASSPHRASE, "again": PASSPHRASE}
        assert visitor.post(f"/invitation/{token}", data=fields).status_code == 302
        assert [item.sessions for item in listed(person(Role.ADMIN))] == [1, 0]

    def test_without_its_token_it_changes_nothing(self, dash_app: Any, sqlite: Engine, client_of: Any) -> None:
        token = invite()
        answer = client_of(None).post(f"/invitation/{token}", data={"password": PASSPHRASE, "again": PASSPHRASE})
        assert answer.status_code == 400
        with snapshot() as session:
            assert people.invited(session, token) is not None

    @pytest.mark.parametrize("token", ["x", "x" * 5000, "%F0%9F%98%80", "a%00b"])
    def test_a_made_up_link_is_not_found(self, dash_app: Any, sqlite: Engine, client_of: Any, token: str) -> None:
        assert client_of(None).get(f"/invitation/{token}").status_code == 404
