"""Everybody's keys: who sees them, how they are found, who may end them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import APIKey, SystemLog
from models.permissions import PermissionDenied, Role
from services import key_list
from services.actor import SYSTEM, Actor
from services.api_keys import keys, speaking
from services.errors import Forbidden, Invalid, NotFound
from tests.support.people import person


def a_key(owner: Actor, name: str = "k", **columns: Any) -> str:
    with transaction() as session:
        text = keys.create(session, owner, name=name, scopes=["view_experiments"])
        if columns:
            newest = select(APIKey.id).order_by(APIKey.id.desc()).limit(1).scalar_subquery()
            session.execute(update(APIKey).where(APIKey.id == newest).values(**columns))
    return text


def names(actor: Actor = SYSTEM, **asked: Any) -> list[str]:
    with snapshot() as session:
        return [item.name for item in key_list.page(session, actor, **asked)[0]]


def revoke(actor: Actor, reason: str = "leaked", number: int = 1) -> str:
    with transaction() as session:
        return key_list.revoke(session, actor, number, reason)


def test_each_state_is_found(database: Engine) -> None:
    owner, past = person(Role.VIEWER), now() - timedelta(hours=1)
    a_key(owner, "works")
    a_key(owner, "over", expires_at=past)
    a_key(owner, "followed", replaced_at=past)
    a_key(owner, "ended", is_active=False)
    expected = {"active": ["works"], "expired": ["over"], "replaced": ["followed"], "revoked": ["ended"]}
    assert {state: names(state=state) for state in key_list.STATES} == expected
    assert names() == ["ended", "followed", "over", "works"]


def test_they_are_searched_by_name_beginning_and_owner(database: Engine) -> None:
    text = a_key(person(Role.VIEWER, "vera"), "notebook")
    a_key(person(Role.VIEWER, "olaf"), "script")
    assert names(text="NOTE") == names(text="vera@exam") == names(text=text.rsplit("_", 2)[0]) == ["notebook"]
    assert names(text="%") == []


@pytest.mark.parametrize("asked", [{"state": "x"}, {"text": "\x00"}, {"text": "x" * 101}])
def test_what_cannot_be_asked_is_refused(sqlite: Engine, asked: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        names(**asked)


def test_pages_hold_every_key_once_at_the_cost_of_one(
    database: Engine, monkeypatch: pytest.MonkeyPatch, count_queries: Any
) -> None:
    monkeypatch.setattr(key_list, "PAGE", 2)
    owner = person(Role.VIEWER)
    for place in range(5):
        a_key(owner, f"k{place}")
    seen: list[str] = []
    before = None
    while True:
        with snapshot() as session:
            found, before = key_list.page(session, SYSTEM, before=before)
        seen += [item.name for item in found]
        if before is None:
            break
    assert seen == ["k4", "k3", "k2", "k1", "k0"]
    assert count_queries(database, names) == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_neither_see_nor_end_them(sqlite: Engine, role: Role) -> None:
    a_key(person(Role.ADMIN))
    with pytest.raises(PermissionDenied):
        names(person(role))
    with pytest.raises(PermissionDenied):
        revoke(person(role))


def test_a_revoked_key_keeps_its_reason_and_opens_nothing(database: Engine) -> None:
    admin, text = person(Role.ADMIN), a_key(person(Role.VIEWER))
    revoke(admin, "  found in a repository ")
    with snapshot() as session:
        assert speaking.speaker(session, text) is None
        assert session.scalars(select(APIKey.revoked_reason)).one() == "found in a repository"
        row = session.scalars(select(SystemLog).where(SystemLog.action == "api_key.revoke")).one()
    assert (row.user_id, (row.details or {})["reason"]) == (admin.user_id, "found in a repository")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 256, "a\nb"])
def test_without_a_reason_none_is_ended(database: Engine, reason: str) -> None:
    a_key(person(Role.VIEWER))
    with pytest.raises(Invalid) as refused:
        revoke(person(Role.ADMIN), reason)
    assert refused.value.field == "reason"
    assert names(state="active") == ["k"]


def test_an_admin_does_not_end_a_key_of_a_super_admin(database: Engine) -> None:
    a_key(person(Role.SUPER_ADMIN))
    admin = person(Role.ADMIN)
    with pytest.raises(Forbidden):
        revoke(admin)
    with snapshot() as session:
        assert [item.may_revoke for item in key_list.page(session, admin)[0]] == [False]
    assert revoke(person(Role.SUPER_ADMIN, "second"))


@pytest.mark.parametrize("which", ["number", "beginning"])
def test_an_admin_does_not_end_it_by_the_way_of_their_own_keys_either(database: Engine, which: str) -> None:
    text, admin = a_key(person(Role.SUPER_ADMIN)), person(Role.ADMIN)
    with pytest.raises(Forbidden), transaction() as session:
        if which == "number":
            keys.revoke(session, admin, 1)
        else:
            keys.revoke_by_prefix(session, admin, text)
    assert names(state="active") == ["k"]


def test_a_key_that_is_not_there_is_not_found(database: Engine) -> None:
    with pytest.raises(NotFound):
        revoke(person(Role.ADMIN), number=99)
