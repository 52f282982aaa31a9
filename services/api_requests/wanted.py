"""What the log of requests is asked for, made from the words of an address."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.errors import Invalid
from services.text import clean

FAILED, CLASSES = "failed", {"1xx": 1, "2xx": 2, "3xx": 3, "4xx": 4, "5xx": 5}
NO_KEY = "none"
LONGEST_WAIT = 86_400_000  # milliseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Place = tuple[datetime, int]  # time and number of a row, behind which a page begins


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests are asked for; `until` is the first moment that is not."""

    since: datetime | None = None
    until: datetime | None = None
    endpoint: str | None = None
    method: str | None = None
    statuses: tuple[int, int] | None = None  # the lowest and the highest
    key: int | None = None
    without_key: bool = False
    address: str | None = None
    slower: float | None = None  # milliseconds at least


def wanted(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    endpoint: str = "",
    method: str = "",
    status: str = "",
    key: str = "",
    address: str = "",
    slower: str = "",
) -> Wanted:
    """What was asked for in the words of an address, or what is wrong with it."""
    return Wanted(
        since=since,
        until=until,
        endpoint=clean(endpoint, field="endpoint", longest=255) or None,
        method=clean(method, field="method", longest=10) or None,
        statuses=_statuses(status),
        key=_key(key),
        without_key=key == NO_KEY,
        address=_address(clean(address, field="address", longest=60)),
        slower=_slower(slower.strip()),
    )


def _statuses(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    if text == FAILED:
        return 400, 599
    if text in CLASSES:
        return CLASSES[text] * 100, CLASSES[text] * 100 + 99
    if len(text) == 3 and text.isascii() and text.isdigit():
        return int(text), int(text)
    raise Invalid("A status is a number such as 404, or a class such as 4xx.", field="status")


def _key(text: str) -> int | None:
    if not text or text == NO_KEY:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:11]) < 2**31):
        raise Invalid("There is no such key.", field="key")
    return int(text)


def _address(text: str) -> str | None:
    """As the log writes it: an address, or the network that is left of an old one."""
    if not text:
        return None
    try:
        return str(ipaddress.ip_network(text, strict=False) if "/" in text else ipaddress.ip_address(text))
    except ValueError as error:
        raise Invalid("An address looks like 192.0.2.7, 2001:db8::1 or 192.0.2.0/24.", field="address") from error


def _slower(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise Invalid("Write milliseconds as a number.", field="slower") from error
    if not 0 <= value <= LONGEST_WAIT:
        raise Invalid("Milliseconds lie between 0 and a day.", field="slower")
    return value


def place_of(moment: Any, number: Any) -> Place | None:
    """A place as a browser gives it back: microseconds since 1970 and a number; what is none is the beginning."""
    if type(moment) is not int or type(number) is not int:
        return None
    if not (0 <= moment < 2**53 and 0 <= number < 2**53):
        return None
    return _EPOCH + timedelta(microseconds=moment), number


def words_of(place: Place | None) -> list[int] | None:
    """The same as whole numbers, which a browser keeps exactly."""
    return None if place is None else [(place[0] - _EPOCH) // timedelta(microseconds=1), place[1]]
