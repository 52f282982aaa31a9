"""JSON as RFC 8259 means it, within bounds: what programs read differently is refused, and the place is named."""

import json
import re
from typing import Any

import numpy as np

from services.errors import AppError

DEEPEST, MOST_ITEMS, LARGEST = 64, 10_000, 2**63 - 1
# One that is never closed is taken whole as well: looking for its end again from each quote in it would take hours.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_STEP = np.zeros(256, dtype=np.int8)
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1
LONGEST_PATH = 200


class Malformed(AppError):
    """A body that is no JSON, or JSON that could be read in two ways."""

    code = "malformed_body"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.faults = [{"field": field[:LONGEST_PATH], "detail": message}] if field else []


class _Odd:
    """What stands where a value cannot be taken, until the walk names the place."""

    def __init__(self, reason: str, name: str = "") -> None:
        self.reason, self.name = reason, name


def loads(data: bytes) -> Any:
    """The value of a body; raises `Malformed`."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8: byte {error.start} begins no character.") from error
    if _depth(data) > DEEPEST:
        raise Malformed(f"The body is nested deeper than {DEEPEST} levels.")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_constant=lambda word: _Odd(f"{word} is no number of JSON."),
        )
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is no JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    _check(value, "", b"\\u" in data)
    return value


def _depth(data: bytes) -> int:
    """How deep a body is nested, found without nesting anything."""
    steps = _STEP[np.frombuffer(_STRINGS.sub(b"", data), dtype=np.uint8)]
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                return _Odd("This name stands twice in one object.", name)
            seen.add(name)
    return found


def _whole(digits: str) -> Any:
    # Python itself refuses to read thousands of digits.
    return int(digits) if len(digits) <= 20 else _Odd("This whole number does not fit into 63 bits.")


def _check(value: Any, path: str, has_escapes: bool) -> None:
    match value:
        case dict():
            for name, item in value.items():
                if has_escapes:
                    _check_text(name, path)
                # Cut at once: a long name would be copied for each of the thousands that stand below it.
                below = name[:LONGEST_PATH]
                _check(item, f"{path}.{below}"[:LONGEST_PATH] if path else below, has_escapes)
        case list():
            if len(value) > MOST_ITEMS:
                raise Malformed(f"At most {MOST_ITEMS:,} items in a list.", path or "body")
            for place, item in enumerate(value):
                if type(item) not in {float, int, str} or has_escapes or item in _EXTREME:
                    _check(item, f"{path}[{place}]", has_escapes)
                elif type(item) is int and not -LARGEST <= item <= LARGEST:
                    raise Malformed("This whole number does not fit into 63 bits.", f"{path}[{place}]")
        case str():
            if has_escapes:
                _check_text(value, path or "body")
        case bool() | None:
            pass
        case int():
            if not -LARGEST <= value <= LARGEST:
                raise Malformed("This whole number does not fit into 63 bits.", path or "body")
        case float():
            if value in _EXTREME:
                raise Malformed("This number is too large for 64 bits.", path or "body")
        case _Odd():
            field = f"{path}.{value.name}" if path and value.name else path or value.name or "body"
            raise Malformed(value.reason, _spoken(field))


_EXTREME = frozenset({float("inf"), float("-inf")})


def _check_text(text: str, path: str) -> None:
    if "\x00" in text:
        raise Malformed("This holds a NUL character.", _spoken(path))
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Malformed("This holds half of a surrogate pair, which is no character.", _spoken(path))


def _spoken(path: str) -> str:
    """A path that can be written into an answer."""
    return path.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
