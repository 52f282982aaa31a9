"""API keys from the command line, on both databases."""

import pytest

from database.engine import snapshot
from models.permissions import Role
from services.api_keys import speaking
from tests.support.people import person


def speaker(key):
    with snapshot() as session:
        return speaking.speaker(session, key)


def test_a_key_and_nothing_else_is_printed(pfd):
    person(Role.OPERATOR)
    status, out, err = pfd("key", "create", "--user", "operator-person", "--scope", "view_experiments", "--days", "7")
    assert (status, err) == (0, "")
    found = speaker(out.rstrip("\n"))
    assert found is not None and found.actor.username == "operator-person"


def test_a_key_has_the_limit_that_was_asked_for(pfd):
    person(Role.OPERATOR)
    words = ("key", "create", "--user", "operator-person", "--scope", "view_experiments")
    found = [speaker(pfd(*words, *more)[1].strip()) for more in ((), ("--rate-limit", "77"))]
    assert [one.rate_limit for one in found] == [1000, 77]


def test_a_limit_above_that_of_the_house_is_refused(pfd):
    person(Role.OPERATOR)
    words = ("key", "create", "--user", "operator-person", "--scope", "view_experiments", "--rate-limit", "1000001")
    told = "Error: A limit lies between 1 and 1,000,000 requests an hour.\n"
    assert pfd(*words) == (1, "", told)


def test_a_revoked_key_no_longer_works(pfd):
    person(Role.OPERATOR)
    key = pfd("key", "create", "--user", "operator-person", "--scope", "view_experiments")[1].strip()
    assert pfd("key", "revoke", key[:15]) == (0, f"{key[:15]} no longer works.\n", "")
    assert speaker(key) is None


@pytest.mark.parametrize(
    "words",
    [
        ("create", "--user", "nobody", "--scope", "view_experiments"),
        ("create", "--user", "operator-person", "--scope", "manage_users"),
        ("create", "--user", "operator-person", "--scope", "view_experiments", "--days", "0"),
        ("create", "--user", "operator-person"),
        ("revoke", "pfd_pk_00000000"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_no_key(pfd, words):
    person(Role.OPERATOR)
    status, out, err = pfd("key", *words)
    assert status != 0 and out == "" and err.strip()
