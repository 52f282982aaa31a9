"""Where something is counted by address, an IPv6 visitor is the /64 that one connection has."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select

from database.engine import snapshot, transaction
from models import SystemLog
from models.permissions import Role
from services import context, forgotten, refusals, sessions
from services.errors import TooManyAttempts
from services.networks import network_of
from services.refusals import NOBODY, Refusal
from services.second_factor import guesses
from services.sessions import Visitor
from tests.support.people import person


def in_one(number: int) -> str:
    return f"2001:db8:1:2:{number:x}::{number:x}"


def in_another(number: int) -> str:
    return f"2001:db8:1:{number + 3:x}::1"


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    refusals.forget()
    yield
    refusals.forget()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
        ("<script>", "unknown"),
        ("x" * 100, "unknown"),
    ],
)
def test_what_counts_as_one(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_changing_the_lower_half_wins_no_further_guess(database: Engine) -> None:
    def attempt(number: int, address: str) -> int:
        with transaction() as session:
            return sessions.begin_sign_in(session, f"name{number}", Visitor(address, "test")).wait

    assert [attempt(number, in_one(number)) for number in range(10)] == [0] * 10
    assert attempt(11, in_one(11)) > 0
    assert attempt(12, in_another(1)) == 0


def test_nor_a_guess_at_a_second_factor(database: Engine) -> None:
    people = [person(Role.VIEWER, f"person{number}").user_id or 0 for number in range(12)]

    def guess(number: int, address: str) -> int:
        with transaction() as session:
            return guesses.begin(session, people[number], "000000", Visitor(address, "test")).wait

    assert [guess(number, in_one(number)) for number in range(10)] == [0] * 10
    assert guess(10, in_one(10)) > 0
    assert guess(11, in_another(1)) == 0


def test_nor_a_link_for_a_forgotten_password(database: Engine) -> None:
    def ask(number: int, address: str) -> None:
        with transaction() as session:
            forgotten.ask(session, f"name{number}", Visitor(address, "test"))

    for number in range(10):
        ask(number, in_one(number))
    with pytest.raises(TooManyAttempts):
        ask(11, in_one(11))
    ask(12, in_another(1))


def refuse(number: int, address: str, *, remembered: bool = True) -> None:
    if not remembered:
        refusals.forget()  # as another process, which knows only what stands in the database
    refusal = Refusal(NOBODY, address, "key", f"GET /{number}", "This API key does not work.")
    if refusals.is_news(refusal):
        with transaction() as session:
            before = context.enter(address, None)
            refusals.record(session, refusal)
        context.leave(before)


@pytest.mark.parametrize("remembered", [True, False])
def test_refusals_of_one_network_fill_no_log(database: Engine, remembered: bool) -> None:
    for number in range(refusals.MOST + 10):
        refuse(number, in_one(number), remembered=remembered)
    refuse(99, in_another(1), remembered=remembered)
    with snapshot() as session:
        assert session.scalar(select(func.count()).select_from(SystemLog)) == refusals.MOST + 1


def test_ipv4_addresses_count_by_themselves(database: Engine) -> None:
    for number in range(5):
        refuse(1, f"192.0.2.{number}")
    with snapshot() as session:
        assert session.scalar(select(func.count()).select_from(SystemLog)) == 5
