"""What people do with their own account touches nobody else's, of which there are more here."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from models import BackupCode, EmailLog, Passkey, User
from models.permissions import Role
from services import (
    identities,
    notification_preferences,
    one_time_tokens,
    own_email,
    own_password,
    passwords,
    profile,
    sudo,
)
from services.actor import Actor
from services.errors import NotFound
from services.identities import Identity, Refused
from services.second_factor import enrolment, passkeys
from services.sessions import Visitor
from tests.support.people import PASSWORD, person, token_of
from tests.support.second_factor import give_app, give_codes, signed_in

HERE = Visitor("127.0.0.1", "test")
OTHER_PASSWORD = "quite another passphrase"


@pytest.fixture
def two(database: Engine) -> tuple[Actor, Actor]:
    return person(Role.VIEWER, "ada"), person(Role.VIEWER, "bob")


def hash_of(actor: Actor) -> str:
    with snapshot() as session:
        return session.scalars(select(User.password_hash).where(User.id == actor.user_id)).one()


def change_password(actor: Actor, current: str, new: str) -> None:
    token_of(actor)
    with transaction() as session:
        begun = own_password.begin(session, actor, HERE)
    hashed = own_password.hashed(begun, current, new)
    with transaction() as session:
        own_password.complete(session, actor, 0, HERE, begun, hashed)


def identity(subject: str) -> Identity:
    return Identity("https://provider.example", subject, f"{subject}@example.net", subject, ())


def link(actor: Actor, subject: str) -> None:
    with transaction() as session:
        identities.link(session, actor, identity(subject))


def linked(actor: Actor) -> list[str]:
    with snapshot() as session:
        return [one.subject for one in identities.of(session, actor)]


def test_a_password_is_changed_for_one_also_where_both_have_the_same(two: tuple[Actor, Actor]) -> None:
    ada, bob = two
    before = hash_of(ada)
    assert hash_of(bob) == before
    change_password(bob, PASSWORD, OTHER_PASSWORD)
    assert passwords.verify(hash_of(bob), OTHER_PASSWORD)
    assert hash_of(ada) == before


def test_the_current_password_is_ones_own(two: tuple[Actor, Actor]) -> None:
    ada, bob = two
    with transaction() as session:
        stored = passwords.hash_password(OTHER_PASSWORD)
        session.execute(update(User).where(User.id == bob.user_id).values(password_hash=stored))
    change_password(bob, OTHER_PASSWORD, "a third and fine passphrase")
    change_password(ada, PASSWORD, "a fourth and fine passphrase")
    assert passwords.verify(hash_of(bob), "a third and fine passphrase")


def test_the_address_that_waits_is_ones_own(two: tuple[Actor, Actor]) -> None:
    ada, bob = two
    with transaction() as session:
        one_time_tokens.issue(session, "email", timedelta(hours=1), ada.user_id, payload="ada@example.net")
    with snapshot() as session:
        assert own_email.waiting(session, ada) == "ada@example.net"
        assert own_email.waiting(session, bob) is None


def test_how_one_is_told_is_decided_for_oneself(two: tuple[Actor, Actor]) -> None:
    ada, bob = two
    with snapshot() as session:
        usual = notification_preferences.of(session, bob)
    with transaction() as session:
        event = usual[0].event_type
        notification_preferences.decide(session, ada, event, email_enabled=not usual[0].email_enabled)
    with snapshot() as session:
        assert notification_preferences.of(session, bob) == usual
        assert notification_preferences.of(session, ada) != usual


def test_a_profile_is_ones_own(two: tuple[Actor, Actor]) -> None:
    _, bob = two
    with transaction() as session:
        profile.save(session, bob, display_name="Bob", time_zone="")
    with snapshot() as session:
        names = dict(session.execute(select(User.username, User.display_name)).all())
    assert (names["ada"], names["bob"]) == (None, "Bob")


def test_the_password_that_is_asked_for_again_is_ones_own(two: tuple[Actor, Actor]) -> None:
    _, bob = two
    with transaction() as session:
        stored = passwords.hash_password(OTHER_PASSWORD)
        session.execute(update(User).where(User.id == bob.user_id).values(password_hash=stored))
    here = signed_in("bob")
    with transaction() as session:
        guess = sudo.begin_password(session, here, HERE)
    sudo.check_password(guess, OTHER_PASSWORD)
    with pytest.raises(sudo.WrongFactor):
        sudo.check_password(guess, PASSWORD)


class TestSecondFactors:
    def test_each_holds_their_own(self, two: tuple[Actor, Actor]) -> None:
        ada, bob = two
        give_app(ada)
        give_codes(ada)
        with transaction() as session:
            session.add(Passkey(user_id=ada.user_id, name="laptop", credential_id="c", public_key=b"k"))
        with snapshot() as session:
            hers, his = (enrolment.holdings(session, actor) for actor in two)
            assert (hers.app, hers.passkeys, hers.codes_left) == (True, 1, 10)
            assert (his.app, his.passkeys, his.codes_left) == (False, 0, 0)
            assert len(passkeys.of(session, ada)) == 1
            assert passkeys.of(session, bob) == []

    def test_a_seed_that_waits_waits_for_one(self, two: tuple[Actor, Actor]) -> None:
        _, bob = two
        with transaction() as session:
            enrolment.offer_app(session, bob)
        with snapshot() as session:
            waiting = dict(session.execute(select(User.username, User.totp_pending_secret)).all())
        assert waiting["ada"] is None
        assert waiting["bob"] is not None

    def test_who_takes_the_last_one_off_loses_the_codes_and_nobody_else_does(self, two: tuple[Actor, Actor]) -> None:
        ada, bob = two
        for actor in two:
            give_app(actor)
        give_codes(ada)
        with transaction() as session:
            session.add(BackupCode(user_id=bob.user_id, code_hash="another"))
        with transaction() as session:
            enrolment.remove_app(session, signed_in("bob"), HERE)
        with snapshot() as session:
            hers, his = (enrolment.holdings(session, actor) for actor in two)
        assert (hers.app, hers.codes_left) == (True, 10)
        assert (his.app, his.codes_left) == (False, 0)


class TestIdentities:
    def test_each_sees_those_of_their_own(self, two: tuple[Actor, Actor]) -> None:
        ada, bob = two
        link(ada, "a")
        link(bob, "b")
        assert (linked(ada), linked(bob)) == (["a"], ["b"])

    def test_one_that_is_linked_to_somebody_is_refused_to_others(self, two: tuple[Actor, Actor]) -> None:
        ada, bob = two
        link(ada, "a")
        link(ada, "a")  # again by its owner nothing happens
        with pytest.raises(Refused):
            link(bob, "a")
        assert (linked(ada), linked(bob)) == (["a"], [])

    def test_somebody_who_was_shut_out_meanwhile_links_none(self, two: tuple[Actor, Actor]) -> None:
        ada, _ = two
        with transaction() as session:
            session.execute(update(User).where(User.id == ada.user_id).values(is_active=False))
        with pytest.raises(NotFound):
            link(ada, "a")
        assert linked(ada) == []

    def test_only_the_owners_confirms_that_it_is_them(self, two: tuple[Actor, Actor]) -> None:
        ada, bob = two
        link(ada, "a")
        with snapshot() as session:
            identities.require_own(session, ada, identity("a"))
            for actor, subject in ((bob, "a"), (ada, "unknown")):
                with pytest.raises(Refused):
                    identities.require_own(session, actor, identity(subject))

    def test_it_is_taken_off_by_its_owner_who_is_told(self, two: tuple[Actor, Actor]) -> None:
        ada, bob = two
        link(ada, "a")
        link(bob, "b")
        with snapshot() as session:
            numbers = {one.subject: one.id for actor in two for one in identities.of(session, actor)}

        def unlink(actor: Actor, subject: str) -> Callable[[], None]:
            def act() -> None:
                with transaction() as session:
                    identities.unlink(session, actor, numbers[subject])

            return act

        with pytest.raises(NotFound):
            unlink(ada, "b")()
        unlink(bob, "b")()
        assert (linked(ada), linked(bob)) == (["a"], [])
        with snapshot() as session:
            told = session.scalars(
                select(EmailLog.user_id).where(EmailLog.event_type == "security.identity_unlinked")
            ).all()
        assert told == [bob.user_id]
