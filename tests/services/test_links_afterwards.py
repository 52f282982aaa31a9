"""A link that works once, after its account was changed, or used by many at once, or too late."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from database.engine import snapshot, transaction
from database.types import now
from models import User
from models.one_time_token import OneTimeToken
from models.permissions import Role
from services import accounts, deletion, forgotten, one_time_tokens, own_email, passwords, people
from services.errors import Conflict, NotFound
from services.one_time_tokens import Purpose
from services.sessions import Visitor
from tests.support.people import person

HERE = Visitor("127.0.0.1", "test")
HASH = passwords.hash_password("another fine passphrase")

USES: dict[Purpose, Callable[[Session, str], Any]] = {
    "invitation": lambda session, token: people.accept(session, token, HASH),
    "reset": lambda session, token: forgotten.complete(session, token, HASH, HERE),
    "email": lambda session, token: own_email.confirm(session, token, HERE, this=None),
}


def disable(session: Session, number: int) -> None:
    people.set_active(session, person(Role.SUPER_ADMIN), number, False)


def enable(session: Session, number: int) -> None:
    people.set_active(session, person(Role.SUPER_ADMIN), number, True)


def delete(session: Session, number: int) -> None:
    deletion.delete(session, person(Role.SUPER_ADMIN), number)


CHANGES = {"disabled": (disable,), "disabled and enabled again": (disable, enable), "deleted": (delete,)}


def link_of(purpose: Purpose) -> tuple[int, str]:
    """An account and an open link of it."""
    boss = person(Role.SUPER_ADMIN)
    with transaction() as session:
        if purpose == "invitation":
            user, link = people.add_invited(session, boss, username="vera", email="vera@example.org", role="viewer")
            return user.id, link.rpartition("/")[2]
    number = person("viewer", "vera").user_id or 0
    with transaction() as session:
        payload = "new@example.org" if purpose == "email" else None
        return number, one_time_tokens.issue(session, purpose, timedelta(hours=1), number, payload)


def use(purpose: Purpose, token: str) -> bool:
    try:
        with transaction() as session:
            USES[purpose](session, token)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize("purpose", USES)
@pytest.mark.parametrize("how", CHANGES)
def test_it_opens_nothing_once_the_account_was(database: Engine, purpose: Purpose, how: str) -> None:
    number, token = link_of(purpose)
    for change in CHANGES[how]:
        with suppress(Conflict), transaction() as session:  # who has never come is invited again, not enabled
            change(session, number)
    with snapshot() as session:
        before = session.execute(select(User.password_hash, User.email).where(User.id == number)).one()
    assert not use(purpose, token)
    with snapshot() as session:
        assert session.execute(select(User.password_hash, User.email).where(User.id == number)).one() == before


@pytest.mark.parametrize("purpose", USES)
def test_it_gives_the_role_that_the_account_has_by_then(database: Engine, purpose: Purpose) -> None:
    number, token = link_of(purpose)
    with transaction() as session:
        people.set_role(session, person(Role.SUPER_ADMIN), number, "operator")
    assert use(purpose, token)
    with snapshot() as session:
        assert session.get_one(User, number).role == "operator"


@pytest.mark.parametrize("purpose", USES)
def test_of_twenty_who_use_it_at_once_one_does(database: Engine, purpose: Purpose) -> None:
    _, token = link_of(purpose)
    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(lambda _: use(purpose, token), range(20))) == 1
    assert not use(purpose, token)


@pytest.mark.parametrize("purpose", USES)
def test_too_late_it_opens_nothing(database: Engine, purpose: Purpose) -> None:
    _, token = link_of(purpose)
    with transaction() as session:
        session.execute(update(OneTimeToken).values(expires_at=now() - timedelta(seconds=1)))
    assert not use(purpose, token)


@pytest.mark.parametrize("purpose", USES)
def test_it_does_not_what_another_kind_does(database: Engine, purpose: Purpose) -> None:
    _, token = link_of(purpose)
    assert not any(use(other, token) for other in USES if other != purpose)
    assert not set_up(token)
    assert use(purpose, token)


def set_up(token: str, name: str = "ada") -> bool:
    try:
        with transaction() as session:
            accounts.complete_setup(session, token, username=name, email=f"{name}@example.org", password_hash=HASH)
    except NotFound:
        return False
    return True


def test_a_set_up_link_ends_after_seven_days(database: Engine) -> None:
    with transaction() as session:
        token = accounts.new_setup_token(session)
        left = session.scalars(select(OneTimeToken.expires_at)).one() - now()
        assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
        session.execute(update(OneTimeToken).values(expires_at=now() - timedelta(seconds=1)))
    with snapshot() as session:
        assert not accounts.setup_is_open(session, token)
    assert not set_up(token)


def test_of_twenty_who_set_up_with_one_link_at_once_one_is_the_owner(database: Engine) -> None:
    with transaction() as session:
        token = accounts.new_setup_token(session)
    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(lambda place: set_up(token, f"ada{place}"), range(20))) == 1
    with snapshot() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1
