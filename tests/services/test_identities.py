"""Whose an identity of the provider is: nobody sees, proves themselves by, or takes off somebody else's."""

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from models import LinkedIdentity, User
from models.permissions import Role
from services import identities
from services.actor import Actor
from services.errors import NotFound
from services.identities import Identity, Refused
from tests.support.people import person

VERAS = Identity("https://id.example.org", "vera-1", "vera@example.org", "vera", ())


def link(actor: Actor, identity: Identity) -> None:
    with transaction() as session:
        identities.link(session, actor, identity)


@pytest.fixture
def two(database: Engine) -> tuple[Actor, Actor]:
    """Two people, the first of whom has linked an identity."""
    vera, nora = person(Role.VIEWER, "vera"), person(Role.VIEWER, "nora")
    link(vera, VERAS)
    return vera, nora


def test_is_seen_by_its_owner_alone(two: tuple[Actor, Actor]) -> None:
    with snapshot() as session:
        assert [len(identities.of(session, actor)) for actor in two] == [1, 0]


def test_is_linked_to_one_person_only(two: tuple[Actor, Actor]) -> None:
    vera, nora = two
    with pytest.raises(Refused, match="somebody else"):
        link(nora, VERAS)
    link(vera, VERAS)
    with snapshot() as session:
        assert session.scalars(select(LinkedIdentity.user_id)).all() == [vera.user_id]


def test_proves_its_owner_and_nobody_else(two: tuple[Actor, Actor]) -> None:
    vera, nora = two
    with snapshot() as session:
        identities.require_own(session, vera, VERAS)
        with pytest.raises(Refused):
            identities.require_own(session, nora, VERAS)


def test_is_taken_off_by_its_owner_alone(two: tuple[Actor, Actor]) -> None:
    vera, nora = two
    with snapshot() as session:
        number = identities.of(session, vera)[0].id
    with pytest.raises(NotFound), transaction() as session:
        identities.unlink(session, nora, number)
    with transaction() as session:
        identities.unlink(session, vera, number)
    with snapshot() as session:
        assert identities.of(session, vera) == []


def test_is_not_linked_to_an_account_that_was_disabled_meanwhile(database: Engine) -> None:
    vera, _ = person(Role.VIEWER, "vera"), person(Role.VIEWER, "nora")
    with transaction() as session:
        session.execute(update(User).where(User.username == "vera").values(is_active=False))
    with pytest.raises(NotFound):
        link(vera, VERAS)
