"""Which experiment a page or a callback is about; it comes from an address or from the browser, so it is looked at."""

from typing import Any

from services.errors import NotFound

PREFIX = "experiment"


def number_of(value: Any) -> int:
    """The id of an experiment in an address or a store; anything else is no experiment."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and 0 < int(text) < 2**31):
        raise NotFound("experiment")
    return int(text)


def first_id(value: Any) -> int:
    """The one experiment that a page holds in its store."""
    return number_of(value[0]) if isinstance(value, list) and len(value) == 1 else number_of(value)
