"""Passkeys with an authenticator made of software: what is forged is refused, and each challenge works once."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from webauthn import base64url_to_bytes

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from models import EmailLog, Passkey, SessionLog
from services import sessions
from services.errors import Conflict, Invalid, NotFound
from services.second_factor import enrolment, passkeys, policy
from services.sessions import SignedIn, Visitor
from tests.support.people import token_of
from tests.support.second_factor import Authenticator, give_codes, give_passkey, register, signed_in, spoiled

ORIGIN = "https://pfd.example.org"
HERE = Visitor("127.0.0.1", "test")


@pytest.fixture(autouse=True)
def under_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "public_url", ORIGIN)


def offer(who: SignedIn) -> str:
    with transaction() as session:
        return passkeys.offer_registration(session, who)


def ask(who: SignedIn) -> str:
    with transaction() as session:
        return passkeys.ask(session, who.actor.user_id or 0, who.session_id)


def answer(who: SignedIn, credential: Any) -> bool:
    with transaction() as session:
        challenge = passkeys.take_challenge(session, who.session_id)
    with transaction() as session:
        return passkeys.check(session, who.actor.user_id or 0, challenge, credential, HERE)


def names(who: SignedIn) -> list[str]:
    with snapshot() as session:
        return [item.name for item in passkeys.of(session, who.actor)]


class TestRegistration:
    def test_several_are_kept_by_name_and_their_owner_is_told(self, database: Engine) -> None:
        vera = signed_in()
        give_passkey(vera, "laptop")
        give_passkey(vera, "key ring")
        assert names(vera) == ["laptop", "key ring"]
        with snapshot() as session:
            assert set(session.scalars(select(EmailLog.event_type))) == {"security.passkey_added"}

    def test_it_ends_the_other_sessions(self, sqlite: Engine) -> None:
        vera = signed_in()
        other = token_of(vera.actor)
        give_passkey(vera)
        with snapshot() as session:
            assert sessions.resolve(session, other) is None

    @pytest.mark.parametrize(
        "forged",
        [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"challenge": "AAAAAAAAAAAAAAAAAAAAAA"}],
        ids=str,
    )
    def test_a_forged_answer_is_refused(self, sqlite: Engine, forged: dict[str, str]) -> None:
        vera = signed_in()
        credential = Authenticator().make(offer(vera), **{"origin": ORIGIN, **forged})
        with pytest.raises(Invalid):
            register(vera, credential)
        assert names(vera) == []

    @pytest.mark.parametrize("credential", [None, 7, "x", [], {}, {"id": 1}, {"id": "a", "response": []}], ids=str)
    def test_what_is_no_answer_is_refused(self, sqlite: Engine, credential: Any) -> None:
        vera = signed_in()
        offer(vera)
        with pytest.raises(Invalid):
            register(vera, credential)

    def test_the_challenge_has_32_bytes_and_works_once(self, database: Engine) -> None:
        vera = signed_in()
        options = offer(vera)
        assert len(base64url_to_bytes(json.loads(options)["challenge"])) == 32
        register(vera, Authenticator().make(options, origin=ORIGIN))
        with pytest.raises(Invalid, match="too long"):
            register(vera, Authenticator().make(options, origin=ORIGIN))

    def test_a_refused_answer_spends_the_challenge_too(self, sqlite: Engine) -> None:
        vera = signed_in()
        options = offer(vera)
        with pytest.raises(Invalid):
            register(vera, {})
        with pytest.raises(Invalid, match="too long"):
            register(vera, Authenticator().make(options, origin=ORIGIN))

    def test_of_twenty_that_take_a_challenge_at_once_one_gets_it(self, database: Engine) -> None:
        vera = signed_in()
        offer(vera)

        def take(_: int) -> bool:
            try:
                with transaction() as session:
                    return bool(passkeys.take_challenge(session, vera.session_id))
            except Invalid:
                return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(take, range(20))) == 1

    def test_of_twenty_that_register_one_at_once_one_does(self, database: Engine) -> None:
        vera = signed_in()
        made = Authenticator().make(offer(vera), origin=ORIGIN)
        with transaction() as session:
            challenge = passkeys.take_challenge(session, vera.session_id)

        def keep(_: int) -> bool:
            try:
                with transaction() as session:
                    return bool(passkeys.register(session, vera, challenge, "laptop", made, HERE))
            except Conflict:
                return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(keep, range(20))) == 1
        assert names(vera) == ["laptop"]

    def test_of_several_that_were_offered_before_the_last_place_was_taken_none_is_one_too_many(
        self, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vera = signed_in()
        give_passkey(vera, "laptop")
        monkeypatch.setattr(passkeys, "MOST", 2)
        made = Authenticator().make(offer(vera), origin=ORIGIN)
        monkeypatch.setattr(passkeys, "MOST", 1)
        with pytest.raises(Conflict, match="remove one first"):
            register(vera, made)
        assert names(vera) == ["laptop"]

    def test_those_of_somebody_else_take_none_of_ones_places(
        self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(passkeys, "MOST", 1)
        ada, vera = signed_in("ada"), signed_in("vera")
        give_passkey(ada, "phone")
        give_passkey(vera, "laptop")
        assert (names(ada), names(vera)) == (["phone"], ["laptop"])

    def test_a_challenge_ends_after_five_minutes(self, sqlite: Engine) -> None:
        vera = signed_in()
        options = offer(vera)
        with transaction() as session:
            ends = session.scalars(select(SessionLog.challenge_expires_at)).one()
            assert ends is not None and ends - now() <= timedelta(minutes=5)
            session.execute(update(SessionLog).values(challenge_expires_at=now() - timedelta(seconds=1)))
        with pytest.raises(Invalid, match="too long"):
            register(vera, Authenticator().make(options, origin=ORIGIN))

    def test_a_challenge_of_another_session_is_refused(self, sqlite: Engine) -> None:
        vera, elsewhere = signed_in(), signed_in()
        options = offer(elsewhere)
        offer(vera)
        with pytest.raises(Invalid):
            register(vera, Authenticator().make(options, origin=ORIGIN))

    def test_the_same_one_twice_is_refused(self, sqlite: Engine) -> None:
        vera = signed_in()
        made = give_passkey(vera)
        with pytest.raises(Conflict):
            register(vera, made.make(offer(vera), origin=ORIGIN))

    @pytest.mark.parametrize("address", ["http://127.0.0.1:8050", "http://pfd.example.org", "https://10.0.0.1"])
    def test_it_is_not_offered_where_browsers_keep_none(
        self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        monkeypatch.setattr(settings(), "public_url", address)
        with pytest.raises(Conflict):
            offer(signed_in())


class TestUse:
    def test_the_right_one_is_accepted_and_its_count_is_kept(self, database: Engine) -> None:
        vera = signed_in()
        made = give_passkey(vera)
        assert answer(vera, made.use(ask(vera), origin=ORIGIN))
        with snapshot() as session:
            row = session.scalars(select(Passkey)).one()
            assert (row.sign_count, row.last_used_at is not None) == (1, True)

    @pytest.mark.parametrize(
        "forged",
        [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"challenge": "AAAAAAAAAAAAAAAAAAAAAA"}],
        ids=str,
    )
    def test_a_forged_answer_is_refused(self, database: Engine, forged: dict[str, str]) -> None:
        vera = signed_in()
        made = give_passkey(vera)
        assert not answer(vera, made.use(ask(vera), **{"origin": ORIGIN, **forged}))

    @pytest.mark.parametrize("field", ["signature", "authenticatorData", "clientDataJSON"])
    def test_a_turned_bit_is_refused(self, sqlite: Engine, field: str) -> None:
        vera = signed_in()
        made = give_passkey(vera)
        assert not answer(vera, spoiled(made.use(ask(vera), origin=ORIGIN), field))

    @pytest.mark.parametrize("count", [0, 4, 5])
    def test_a_count_that_does_not_grow_is_refused(self, sqlite: Engine, count: int) -> None:
        vera = signed_in()
        made = give_passkey(vera)
        assert answer(vera, made.use(ask(vera), origin=ORIGIN, count=5))
        assert not answer(vera, made.use(ask(vera), origin=ORIGIN, count=count))

    def test_an_answer_is_good_once(self, database: Engine) -> None:
        vera = signed_in()
        given = give_passkey(vera).use(ask(vera), origin=ORIGIN)
        assert answer(vera, given)
        with pytest.raises(Invalid):
            answer(vera, given)
        ask(vera)
        assert not answer(vera, given)

    def test_somebody_elses_is_refused(self, sqlite: Engine) -> None:
        vera, bob = signed_in(), signed_in("bob")
        give_passkey(vera)
        made = give_passkey(bob)
        assert not answer(vera, made.use(ask(vera), origin=ORIGIN))


class TestChange:
    def test_it_is_renamed_and_removed_by_its_owner_alone(self, database: Engine) -> None:
        vera, bob = signed_in(), signed_in("bob")
        give_passkey(vera)
        with snapshot() as session:
            number = passkeys.of(session, vera.actor)[0].id
        with pytest.raises(NotFound), transaction() as session:
            passkeys.rename(session, bob.actor, number, "mine")
        with pytest.raises(NotFound), transaction() as session:
            enrolment.remove_passkey(session, bob, number, HERE)
        with transaction() as session:
            passkeys.rename(session, vera.actor, number, "old laptop")
        assert names(vera) == ["old laptop"]
        with transaction() as session:
            assert enrolment.remove_passkey(session, vera, number, HERE) == "old laptop"
        assert names(vera) == []

    def test_the_last_factor_takes_the_backup_codes_with_it(self, sqlite: Engine) -> None:
        vera = signed_in()
        give_passkey(vera)
        give_codes(vera.actor)
        with transaction() as session:
            enrolment.remove_passkey(session, vera, passkeys.of(session, vera.actor)[0].id, HERE)
        with snapshot() as session:
            assert not enrolment.holdings(session, vera.actor).has_codes

    def test_of_twenty_that_remove_the_last_at_once_one_does(self, database: Engine) -> None:
        vera = signed_in()
        give_passkey(vera)
        give_codes(vera.actor)
        with snapshot() as session:
            number = passkeys.of(session, vera.actor)[0].id
        assert removed(vera, [number] * 20) == ["laptop"]
        with snapshot() as session:
            assert not enrolment.holdings(session, vera.actor).has_codes

    def test_of_all_removed_at_once_a_role_that_needs_one_keeps_one(
        self, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(policy, "is_loopback", lambda: False)
        ada = signed_in("ada", "admin")
        for name in "abcdef":
            give_passkey(ada, name)
        with snapshot() as session:
            numbers = [item.id for item in passkeys.of(session, ada.actor)]
        assert len(removed(ada, numbers)) == 5
        assert len(names(ada)) == 1


def removed(who: SignedIn, numbers: Sequence[int]) -> list[str]:
    """The names of those that went when all were removed side by side."""

    def remove(number: int) -> str | None:
        try:
            with transaction() as session:
                return enrolment.remove_passkey(session, who, number, HERE)
        except (Conflict, NotFound):
            return None

    with ThreadPoolExecutor(8) as pool:
        return [name for name in pool.map(remove, numbers) if name is not None]
