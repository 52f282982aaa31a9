"""Who sends an invitation has seen its link: it opens what they may give away, and nothing once they are out."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot, transaction
from models import SystemLog, User
from models.permissions import PermissionDenied, Role
from services import deletion, forgotten, one_time_tokens, people
from services.actor import Actor
from services.errors import AppError
from services.sessions import Visitor
from tests.support.people import person

OUT: dict[str, Callable[[Any, Actor, int], Any]] = {
    "disabled": lambda session, actor, number: people.set_active(session, actor, number, False),
    "deleted": deletion.delete,
    "demoted": lambda session, actor, number: people.set_role(session, actor, number, "operator"),
    "to choose a new password": people.require_new_password,
}


def act(change: Callable[..., Any], *given: Any, **named: Any) -> Any:
    with transaction() as session:
        return change(session, *given, **named)


def invite(actor: Actor, username: str = "ada", role: str = "admin") -> str:
    link: str = act(people.invite, actor, username=username, email=f"{username}@example.org", role=role)
    return link.rsplit("/", 1)[1]


def number_of(username: str) -> int:
    with snapshot() as session:
        return session.scalars(select(User.id).where(User.username == username)).one()


def opens(token: str) -> bool:
    with snapshot() as session:
        return people.invited(session, token) is not None


class TestMaker:
    @pytest.mark.parametrize("how", OUT)
    def test_who_is_shut_out_has_no_way_back_by_a_link_they_kept(self, database: Engine, how: str) -> None:
        owner, maker = person(Role.SUPER_ADMIN), person(Role.ADMIN)
        kept, of_another = invite(maker), invite(owner, "bob")
        act(OUT[how], owner, maker.user_id)
        assert not opens(kept)
        assert opens(of_another)

    def test_it_is_a_row_of_the_log(self, database: Engine) -> None:
        owner, maker = person(Role.SUPER_ADMIN), person(Role.ADMIN)
        invite(maker), invite(maker, "bob")
        act(OUT["demoted"], owner, maker.user_id)
        with snapshot() as session:
            row = session.scalars(select(SystemLog).where(SystemLog.action == "user.end_invitations")).one()
        assert (row.user_id, (row.details or {})["user"], (row.details or {})["ended"]) == (
            owner.user_id,
            maker.username,
            2,
        )

    def test_a_higher_role_ends_none(self, database: Engine) -> None:
        owner, maker = person(Role.SUPER_ADMIN), person(Role.ADMIN)
        kept = invite(maker)
        act(people.set_role, owner, maker.user_id, "super_admin")
        assert opens(kept)

    @pytest.mark.parametrize("how", ["disabled", "deleted", "demoted"])
    def test_one_that_was_on_its_way_meanwhile_is_not_made(self, database: Engine, how: str) -> None:
        owner, maker = person(Role.SUPER_ADMIN), person(Role.ADMIN)  # the actor as the request began with
        act(OUT[how], owner, maker.user_id)
        with pytest.raises(PermissionDenied):
            invite(maker)

    def test_an_invitation_and_its_makers_end_at_once_leave_no_open_link(self, database: Engine) -> None:
        owner, maker = person(Role.SUPER_ADMIN), person(Role.ADMIN)
        for place in range(20):
            act(people.set_active, owner, maker.user_id, True)

            def send(name: str = f"guest-{place}") -> str | None:
                try:
                    return invite(maker, name)
                except PermissionDenied:
                    return None

            with ThreadPoolExecutor(2) as pool:
                sent = pool.submit(send)
                pool.submit(act, people.set_active, owner, maker.user_id, False).result()
            token = sent.result()
            assert token is None or not opens(token)


class TestRaised:
    def test_who_may_not_make_a_super_admin_does_not_by_a_link_they_kept(self, database: Engine) -> None:
        owner, maker = person(Role.SUPER_ADMIN), person(Role.ADMIN)
        kept = invite(maker)
        act(people.set_role, owner, number_of("ada"), "super_admin")
        assert not opens(kept)

    def test_who_raises_a_guest_of_their_own_need_not_invite_again(self, database: Engine) -> None:
        owner = person(Role.SUPER_ADMIN)
        token = invite(owner, role="viewer")
        act(people.set_role, owner, number_of("ada"), "super_admin")
        assert opens(token)

    def test_to_what_its_maker_may_give_changes_nothing(self, database: Engine) -> None:
        owner, maker = person(Role.SUPER_ADMIN), person(Role.ADMIN)
        token = invite(maker, role="viewer")
        act(people.set_role, owner, number_of("ada"), "admin")
        assert opens(token)


class TestAtOnce:
    @pytest.mark.parametrize("purpose", ["invitation", "reset"])
    def test_using_a_link_and_ending_it_wait_for_each_other_and_do_not_fail(
        self, database: Engine, purpose: str
    ) -> None:
        admin = person(Role.ADMIN)
        for place in range(15):
            name = f"guest-{place}"
            if purpose == "invitation":
                token, use = invite(admin, name), lambda session, token: people.accept(session, token, "hash")
            else:
                target = person(Role.VIEWER, name)
                token = act(one_time_tokens.issue, "reset", forgotten.LINK_LASTS, target.user_id)
                use = lambda session, token: forgotten.complete(session, token, "hash", Visitor("::1", "test"))  # noqa: E731
            number = number_of(name)

            def tried(change: Callable[..., Any], *given: Any) -> None:
                with contextlib.suppress(AppError):
                    act(change, *given)

            with ThreadPoolExecutor(2) as pool:
                both = [pool.submit(tried, use, token), pool.submit(tried, OUT["disabled"], admin, number)]
            for one in both:
                one.result()
