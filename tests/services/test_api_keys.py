"""API keys: a form that catches typing errors, a life with an end, and never more than their owner may do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text, update

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from models import APIKey, SystemLog, User
from models.permissions import Permission, PermissionDenied, Role, permissions_of
from services import people
from services.actor import SYSTEM, Actor
from services.api_keys import form, keys, speaking
from services.api_keys.keys import NOT_FOR_KEYS
from services.errors import AppError, Conflict, Invalid, NotFound
from tests.support.people import person

READ = [Permission.VIEW_EXPERIMENTS.value]


def act(change: Callable[..., Any], *given: Any, **named: Any) -> Any:
    with transaction() as session:
        return change(session, *given, **named)


def make(actor: Actor, scopes: list[str] | None = None, **named: Any) -> str:
    asked = {"name": "script", "scopes": READ if scopes is None else scopes, **named}
    made: str = act(keys.create, actor, **asked)
    return made


def speaker(key: str) -> speaking.Speaker | None:
    with snapshot() as session:
        return speaking.speaker(session, key)


def listed(actor: Actor, **asked: Any) -> list[keys.KeyFacts]:
    with snapshot() as session:
        return keys.keys_of(session, actor, **asked)


class TestForm:
    def test_a_made_key_is_read_back(self) -> None:
        key = form.make()
        assert form.parse(key.text) == key
        assert key.prefix == key.text[:15] and len(key.text) == 15 + 1 + 32 + 1 + 6

    def test_no_two_are_alike(self) -> None:
        assert len({form.make().text for _ in range(10_000)}) == 10_000

    def test_every_change_of_one_character_is_caught(self) -> None:
        for _ in range(20):
            key = form.make().text
            for place, letter in enumerate(key):
                other = "x" if letter != "x" else "y"
                assert form.parse(key[:place] + other + key[place + 1 :]) is None

    @given(st.text(max_size=80))
    def test_other_text_is_no_key(self, words: str) -> None:
        assert form.parse(words) is None

    @pytest.mark.parametrize("change", [lambda k: k + "\n", lambda k: " " + k, lambda k: k.upper(), lambda k: k[:-1]])
    def test_a_key_with_something_around_it_is_none(self, change: Callable[[str], str]) -> None:
        assert form.parse(change(form.make().text)) is None

    def test_a_wrong_checksum_costs_no_query(self, sqlite: Engine, count_queries: Any) -> None:
        key = make(person(Role.OPERATOR))
        wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
        assert count_queries(sqlite, lambda: speaker(wrong)) == 0
        assert count_queries(sqlite, lambda: speaker(key)) == 1


class TestSpeaking:
    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize("scope", Permission)
    def test_it_may_what_its_scopes_and_its_owners_present_role_both_allow(
        self, sqlite: Engine, role: Role, scope: Permission
    ) -> None:
        owner = person(Role.SUPER_ADMIN)
        key = make(owner)
        with transaction() as session:
            session.execute(update(APIKey).values(scopes=[scope.value]))
            session.execute(update(User).values(role=role.value))
        found = speaker(key)
        assert found is not None
        expected = {scope} & permissions_of(role) - NOT_FOR_KEYS
        assert found.actor.permissions == expected

    def test_it_is_found_among_others(self, database: Engine) -> None:
        first, second = person(Role.OPERATOR), person(Role.VIEWER)
        of_first, of_second = make(first), make(second)
        assert [speaker(key).actor.username for key in (of_first, of_second)] == [  # type: ignore[union-attr]
            "operator-person",
            "viewer-person",
        ]

    @pytest.mark.parametrize(
        "state", ["expired a second ago", "revoked", "owner disabled", "hash of another", "owner gone"]
    )
    def test_what_has_ended_is_refused(self, database: Engine, state: str) -> None:
        owner = person(Role.OPERATOR)
        key = make(owner)
        assert speaker(key) is not None
        with transaction() as session:
            match state:
                case "expired a second ago":
                    session.execute(update(APIKey).values(expires_at=now() - timedelta(seconds=1)))
                case "revoked":
                    session.execute(update(APIKey).values(is_active=False))
                case "owner disabled":
                    session.execute(update(User).values(is_active=False))
                case "hash of another":
                    session.execute(update(APIKey).values(key_hash=form.make().digest))
                case "owner gone":
                    session.execute(text("DELETE FROM system_logs"))
                    session.execute(text("DELETE FROM users"))
        assert speaker(key) is None

    def test_a_stolen_database_opens_nothing(self, sqlite: Engine) -> None:
        key = make(person(Role.OPERATOR))
        with sqlite.connect() as connection:
            dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
        secret = key.split("_")[3]
        assert secret not in dump
        stored = [word for word in dump.replace("'", " ").split() if form.parse(word)]
        assert stored == []

    def test_its_use_is_noted_once_a_minute(self, database: Engine) -> None:
        owner = person(Role.OPERATOR)
        key = make(owner)
        found = speaker(key)
        assert found is not None and found.is_stale
        act(speaking.note_use, found.key_id, "192.0.2.7")
        again = speaker(key)
        assert again is not None and not again.is_stale
        assert (listed(owner)[0].last_address, listed(owner)[0].last_used is not None) == ("192.0.2.7", True)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many keys an operator lets a person have."""
    monkeypatch.setattr(settings(), "keys_per_person", 3)
    return 3


class TestMaking:
    @pytest.mark.parametrize(
        ("given_", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "x" * 101}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"scopes": []}, "scopes"),
            ({"scopes": ["manage_users"]}, "scopes"),
            ({"scopes": ["manage_own_account"]}, "scopes"),
            ({"scopes": ["everything"]}, "scopes"),
            ({"days": 0}, "days"),
            ({"days": 3651}, "days"),
            ({"days": True}, "days"),
            ({"rate_limit": 0}, "rate_limit"),
            ({"rate_limit": 10**7}, "rate_limit"),
        ],
    )
    def test_what_is_wrong_is_told_at_its_field_and_nothing_is_made(
        self, sqlite: Engine, given_: dict[str, Any], field: str
    ) -> None:
        owner = person(Role.OPERATOR)
        with pytest.raises(Invalid) as refused:
            make(owner, **given_)
        assert refused.value.field == field
        assert listed(owner) == []

    @pytest.mark.parametrize("role", Role)
    def test_nobody_gives_a_key_what_they_may_not_do(self, sqlite: Engine, role: Role) -> None:
        owner = person(role)
        for scope in Permission:
            allowed = scope in owner.permissions - NOT_FOR_KEYS
            try:
                make(owner, [scope.value])
            except Invalid:
                assert not allowed, scope
            else:
                assert allowed, scope

    def test_it_expires_in_ninety_days_unless_told_otherwise(self, sqlite: Engine) -> None:
        owner = person(Role.OPERATOR)
        make(owner)
        facts = listed(owner)[0]
        assert facts.expires is not None and timedelta(days=89) < facts.expires - now() <= timedelta(days=90)

    def test_a_person_has_fifty_also_when_many_are_made_at_once(self, database: Engine) -> None:
        owner = person(Role.OPERATOR)
        for _ in range(settings().keys_per_person - 2):
            make(owner)

        def one(_place: int) -> bool:
            try:
                make(owner)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(one, range(12))) == 2

    def test_only_those_that_work_count(self, database: Engine, few: int) -> None:
        owner = person(Role.OPERATOR)
        for _ in range(few):
            make(owner)
        with pytest.raises(Conflict, match=f"at most {few} keys that work"):
            make(owner)
        with transaction() as session:
            newest = select(APIKey.id).order_by(APIKey.id.desc()).limit(1).scalar_subquery()
            past = now() - timedelta(seconds=1)
            session.execute(update(APIKey).where(APIKey.id == newest).values(expires_at=past))
        make(owner)

    def test_nor_does_replacing_one_go_beyond_that(self, sqlite: Engine, few: int) -> None:
        owner = person(Role.OPERATOR)
        for _ in range(few):
            make(owner)
        with pytest.raises(Conflict, match="at most"):
            act(keys.rotate, owner, listed(owner)[0].id)

    def test_making_and_revoking_in_a_loop_ends_with_a_sentence(self, database: Engine) -> None:
        owner, made = person(Role.OPERATOR), 0
        with pytest.raises(keys.TooManyKeys, match=r"many keys in a short time. Make the next one in about \d+ min"):
            for _ in range(100):
                make(owner)
                act(keys.revoke, owner, listed(owner)[0].id)
                made += 1
        assert made == 60
        make(person(Role.VIEWER))

    def test_what_is_refused_at_a_field_counts_for_nothing(self, sqlite: Engine) -> None:
        owner = person(Role.OPERATOR)
        for _ in range(70):
            with pytest.raises(Invalid):
                make(owner, days=0)
        make(owner)

    def test_a_key_that_is_revoked_while_all_of_its_owner_end_makes_nobody_wait_for_ever(
        self, database: Engine
    ) -> None:
        owner = person(Role.OPERATOR)
        for _ in range(10):
            for _ in range(2):
                make(owner)
            first = listed(owner)[0].id

            def end_all() -> None:
                act(people.require_new_password, SYSTEM, owner.user_id or 0)

            def end_one(number: int = first) -> None:
                act(keys.revoke, owner, number)

            with ThreadPoolExecutor(2) as pool:
                for done in [pool.submit(end_all), pool.submit(end_one)]:
                    done.result()
        assert {item.state for item in listed(owner)} == {"revoked"}

    def test_the_record_holds_no_secret(self, sqlite: Engine) -> None:
        key = make(person(Role.OPERATOR))
        with snapshot() as session:
            told = repr([row.to_dict() for row in session.scalars(select(SystemLog))])
        assert key[:15] in told and key.split("_")[3] not in told


class TestSeeing:
    def test_everybody_sees_their_own_only(self, database: Engine) -> None:
        admin, other = person(Role.ADMIN), person(Role.VIEWER)
        make(admin), make(other)
        assert [item.owner for item in listed(other)] == ["viewer-person"]
        assert [item.owner for item in listed(admin)] == ["admin-person"]
        assert sorted(item.owner for item in listed(admin, everybodys=True)) == ["admin-person", "viewer-person"]
        with pytest.raises(PermissionDenied):
            listed(other, everybodys=True)

    @pytest.mark.parametrize("change", [keys.rotate, keys.revoke])
    def test_somebody_elses_is_as_if_it_were_not_there(self, database: Engine, change: Callable[..., Any]) -> None:
        owner, stranger = person(Role.VIEWER), person(Role.OPERATOR)
        key = make(owner)
        said = []
        for wanted in (listed(owner)[0].id, 99_999):
            with pytest.raises(NotFound) as refused:
                act(change, stranger, wanted)
            said.append(str(refused.value))
        assert said[0] == said[1]
        assert speaker(key) is not None

    def test_who_manages_keys_revokes_with_a_reason_but_replaces_none(self, database: Engine) -> None:
        owner, admin = person(Role.VIEWER), person(Role.ADMIN)
        key = make(owner)
        number = listed(owner)[0].id
        with pytest.raises(NotFound):
            act(keys.rotate, admin, number)
        act(keys.revoke, admin, number, "found in a repository")
        assert speaker(key) is None
        assert [(item.state, item.reason) for item in listed(owner)] == [("revoked", "found in a repository")]

    def test_fifty_cost_as_many_queries_as_one(self, database: Engine, count_queries: Any) -> None:
        owner = person(Role.OPERATOR)
        make(owner)
        one = count_queries(database, lambda: listed(owner))
        for _ in range(20):
            make(owner)
        assert count_queries(database, lambda: listed(owner)) == one


class TestReplacing:
    def test_both_work_for_a_day(self, database: Engine) -> None:
        owner = person(Role.OPERATOR)
        old = make(owner, days=30)
        new = act(keys.rotate, owner, listed(owner)[0].id)
        assert speaker(old) is not None and speaker(new) is not None
        states = {item.state: item for item in listed(owner)}
        assert set(states) == {"active", "replaced"}
        ends = states["replaced"].expires
        assert ends is not None and timedelta(hours=23) < ends - now() <= timedelta(hours=24)
        assert (states["active"].name, states["active"].scopes) == ("script", ("view_experiments",))

    def test_a_key_is_replaced_once(self, database: Engine) -> None:
        owner = person(Role.OPERATOR)
        make(owner)
        number = listed(owner)[0].id

        def replace(_place: int) -> bool:
            try:
                act(keys.rotate, owner, number)
            except AppError:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(replace, range(12))) == 1

    def test_it_ends_no_later_than_it_would_have(self, sqlite: Engine) -> None:
        owner = person(Role.OPERATOR)
        make(owner)
        soon = now() + timedelta(hours=1)
        with transaction() as session:
            session.execute(update(APIKey).values(expires_at=soon))
        act(keys.rotate, owner, listed(owner)[0].id)
        assert {item.expires for item in listed(owner) if item.state == "replaced"} == {soon}

    def test_the_new_one_may_no_more_than_its_owner_now(self, sqlite: Engine) -> None:
        owner = person(Role.OPERATOR)
        make(owner, ["view_experiments", "create_experiments"])
        with transaction() as session:
            session.execute(update(User).values(role="viewer"))
        act(keys.rotate, person(Role.VIEWER, "operator-person"), listed(owner)[0].id)
        assert [item.scopes for item in listed(owner) if item.state == "active"] == [("view_experiments",)]


class TestPrefix:
    def test_a_key_is_revoked_by_what_it_shows_or_by_itself(self, database: Engine) -> None:
        owner = person(Role.OPERATOR)
        for given_ in (lambda key: key[:15], lambda key: key):
            key = make(owner)
            assert act(keys.revoke_by_prefix, owner, given_(key)) == key[:15]
            assert speaker(key) is None

    def test_an_unknown_one_is_told(self, sqlite: Engine) -> None:
        with pytest.raises(NotFound):
            act(keys.revoke_by_prefix, person(Role.OPERATOR), "pfd_pk_00000000")


def test_a_key_that_logs_runs_may_ask_far_more_often_where_no_limit_is_chosen(sqlite: Engine) -> None:
    actor = person(Role.OPERATOR)
    with transaction() as session:
        for scopes in (["view_experiments"], ["view_experiments", "run_experiments"]):
            keys.create(session, actor, name=str(len(scopes)), scopes=scopes)
        limits = {one.name: one.rate_limit for one in keys.keys_of(session, actor)}
    assert limits == {"1": 1000, "2": 100_000}
