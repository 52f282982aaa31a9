"""What a shell hands over need not be text: names and prefixes that no row can hold are not found, and no bug."""

import pytest
from sqlalchemy import Engine

from database.engine import transaction
from services import accounts
from services.actor import SYSTEM
from services.api_keys import keys
from services.errors import NotFound

ODD = ["\udcff", "vera\udced\udca0\udc80", "\ud800", "\x00", "vera\x00", "", "x" * 10_000]


@pytest.mark.parametrize("word", ODD)
def test_an_account_of_such_a_name_is_not_there(database: Engine, word: str) -> None:
    with transaction() as session, pytest.raises(NotFound):
        accounts.find(session, word)


@pytest.mark.parametrize("word", ODD)
def test_a_key_of_such_a_prefix_is_not_there(database: Engine, word: str) -> None:
    with transaction() as session, pytest.raises(NotFound):
        keys.revoke_by_prefix(session, SYSTEM, word)
