"""The policy for passwords: long enough, not among the first that are tried, and nothing else."""

import itertools
import unicodedata
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from database.engine import snapshot, transaction
from models import User
from models.permissions import Role
from services import common_passwords, passwords
from services.errors import Invalid
from tests.support.people import PASSWORD, person
from tests.web.test_sign_in import sign_in

TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), min_size=passwords.SHORTEST, max_size=100)


def refused(password: str, username: str = "ada", email: str = "a.lovelace@example.org") -> str | None:
    try:
        passwords.check_policy(password, username=username, email=email)
    except Invalid as error:
        return str(error)
    return None


def commonly_chosen() -> list[str]:
    """What people make of the most common passwords where fifteen characters are asked for."""
    ways = (
        lambda word: (word * 15)[: max(passwords.SHORTEST, 2 * len(word))],
        lambda word: word + "1234567890123456"[: max(0, passwords.SHORTEST - len(word))],
        lambda word: (word.replace("a", "@").replace("o", "0") * 15)[: max(passwords.SHORTEST, 2 * len(word))],
        lambda word: word + "!" * max(0, passwords.SHORTEST - len(word)),
    )
    long = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= passwords.SHORTEST]
    made = (way(word) for word, way in itertools.product(list(FREQUENCY_LISTS["passwords"])[:1000], ways))
    return [*long, *dict.fromkeys(word for word in made if len(word) >= passwords.SHORTEST)]


def test_three_thousand_common_ones_and_their_variants_are_refused() -> None:
    tried = commonly_chosen()[:3000]
    assert len(tried) == 3000
    assert [word for word in tried if refused(word) is None] == []


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "a short sentence is good",
        "my dog is called rex",
        "Zeitgeist und Lagerschaden",
        "x9#kLm2$vQ7!zRt",
        "benchmarks are not contests",
        "ein Lager läuft heiß",
    ],
)
def test_a_sentence_or_something_random_is_taken(password: str) -> None:
    assert refused(password) is None


@pytest.mark.parametrize(
    "password",
    [
        "pfd-dashboard-2026",
        "PFD Dashboard PFD",
        "bearingdiagnosis1",
        "lovelace-lovelace!",
        "a.lovelace@example.org",
        "example.org-2026-ada",
    ],
)
def test_names_of_the_person_and_the_product_are_refused_with_the_reason(password: str) -> None:
    assert "made of your name" in str(refused(password))


def test_the_reason_is_told() -> None:
    assert "Repeats" in str(refused("passwordpassword"))
    assert "tried first" in str(refused("qazwsxedcrfvtgb1")) or "commonly used" in str(refused("qazwsxedcrfvtgb1"))


@pytest.mark.parametrize("length", [0, 1, passwords.SHORTEST - 1])
def test_too_short_is_refused(length: int) -> None:
    assert "at least 15" in str(refused("kx7Qm!tz4Lp9wRd"[:length]))


def test_the_longest_is_taken_and_one_more_is_refused() -> None:
    most = ("correct horse battery staple " * 200)[: passwords.LONGEST]
    assert refused("x9#kLm2$vQ7!zRt" + most[15:]) is None
    assert "at most" in str(refused(most + "x"))


def test_one_that_signing_in_would_refuse_by_its_length_is_refused_when_it_is_chosen() -> None:
    decomposed = "".join(letter + "\u0301" for letter in itertools.islice(itertools.cycle("aeiou"), 2100))
    assert len(unicodedata.normalize("NFKC", decomposed)) < passwords.LONGEST < len(decomposed)
    assert refused(decomposed) == f"Use at most {passwords.LONGEST} characters."


@settings(max_examples=300)
@given(TEXT)
def test_no_text_breaks_the_check(password: str) -> None:
    refused(password)


@settings(max_examples=40)
@given(TEXT)
def test_what_was_hashed_fits_and_another_last_character_does_not(password: str) -> None:
    stored = passwords.hash_password(password)
    assert passwords.verify(stored, unicodedata.normalize("NFD", password))
    assert not passwords.verify(stored, password[:-1] + ("y" if password[-1] != "y" else "z"))


def test_advice_tells_a_bad_one_from_a_good_one() -> None:
    bad, good = common_passwords.advise("password1234567"), common_passwords.advise("my dog is called rex")
    assert bad is not None
    assert good is not None
    assert (bad.score, good.score) == (1, 4)
    assert "commonly used" in bad.words
    assert good.words == ""


def test_of_two_questions_at_once_one_goes_without_advice() -> None:
    with common_passwords._advising:
        assert common_passwords.advise("password1234567") is None
    assert common_passwords.advise("password1234567") is not None


@pytest.mark.usefixtures("real_hashes")
def test_one_of_weaker_parameters_is_hashed_anew_at_its_sign_in_and_outside_of_any_transaction(
    dash_app: Any, sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(Role.VIEWER, "vera")
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with transaction() as session:
        session.execute(update(User).values(password_hash=weak))
    hash_password, in_use = passwords.hash_password, []

    def watched(password: str) -> str:
        in_use.append(sqlite.pool.checkedout())  # type: ignore[attr-defined]
        return hash_password(password)

    monkeypatch.setattr(passwords, "hash_password", watched)
    passwords.verify(None, PASSWORD)  # what a name that nobody has is compared with
    in_use.clear()
    assert sign_in(dash_app.server.test_client(), "vera", "a wrong guess at it").status_code == 401
    assert in_use == []
    for _ in range(2):
        assert sign_in(dash_app.server.test_client(), "vera").status_code == 302
    assert in_use == [0]
    with snapshot() as session:
        stored = session.scalars(select(User.password_hash)).one()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(stored, PASSWORD)
