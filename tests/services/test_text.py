"""Text from outside: what is composed otherwise is one text, and what takes minutes to compose is refused."""

import pytest

from services.errors import Invalid
from services.text import MOST_ACCENTS, clean


@pytest.mark.timeout(120, func_only=True)
def test_a_heap_of_accents_is_refused_before_it_is_put_in_order() -> None:
    with pytest.raises(Invalid, match="more accents"):
        clean("a" + "\u0301\u0323" * 250_000, field="name", longest=100)


def test_as_many_accents_as_any_language_writes_are_taken() -> None:
    assert clean("a" + "\u0323" * MOST_ACCENTS, field="name", longest=100)


def test_two_spellings_of_a_letter_are_one() -> None:
    assert clean("e\u0301", field="name", longest=100) == "\u00e9"
