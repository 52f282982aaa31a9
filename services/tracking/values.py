"""The rules that names, values, steps and times of a tracking client keep: MLflow's own, and what our columns hold."""

import math
import posixpath
import re
from datetime import UTC, datetime
from typing import Any

from services.curves.packing import LARGEST_STEP
from services.tracking.errors import InvalidParameter

LONGEST_KEY, LONGEST_PARAM, LONGEST_TAG, LONGEST_GROUP_TAG = 250, 6000, 8000, 20_000
LONGEST_NAME = 255
LARGEST_INTEGER = 2**63 - 1
LATEST = 253_402_300_799_999  # milliseconds: the end of the year 9999, the last that a calendar knows
_KEY = re.compile(r"[/\w.\- :]+")
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def text(value: Any, what: str, *, longest: int | None = None, shortened: bool = False) -> str:
    """Text that a database keeps; too long a one is refused, or shortened where MLflow does so."""
    if not isinstance(value, str):
        raise InvalidParameter(f"Invalid value for parameter '{what}' supplied: Value must be a string.")
    if "\x00" in value:
        raise InvalidParameter(f"Invalid value for parameter '{what}' supplied: It holds a NUL character.")
    if longest is not None and len(value) > longest:
        if not shortened:
            raise InvalidParameter(f"'{what}' exceeds the maximum length of {longest} characters")
        return value[:longest]
    return value


def key(value: Any, what: str = "key") -> str:
    """The name of a metric, parameter or tag."""
    if value is None or value == "":
        raise InvalidParameter(f"Missing value for required parameter '{what}'.")
    name = text(value, what, longest=LONGEST_KEY)
    if not _KEY.fullmatch(name):
        raise InvalidParameter(
            f"Invalid value \"{name}\" for parameter '{what}' supplied: Names may only contain alphanumerics, "
            "underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
        )
    plain = posixpath.normpath(name)
    if plain != name or plain == "." or plain.startswith(("..", "/")):
        raise InvalidParameter(
            f"Invalid value \"{name}\" for parameter '{what}' supplied: Names may be treated as files in certain "
            f"cases, and must not resolve to other names when treated as such. This name would resolve to '{plain}'"
        )
    return name


def whole(value: Any, what: str) -> int:
    """A whole number of at most 63 bits; Protobuf also writes such numbers as text."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value, re.ASCII):
        value = int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidParameter(f"Invalid value for parameter '{what}' supplied: Value must be an integer.")
    if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        raise InvalidParameter(f"Invalid value for parameter '{what}' supplied: It does not fit into 63 bits.")
    return value


def step(value: Any, what: str = "step") -> int:
    """A step that a curve reaches."""
    number = whole(value, what)
    if abs(number) > LARGEST_STEP:
        raise InvalidParameter(f"Invalid value {number} for parameter '{what}' supplied: It lies beyond ±2^53.")
    return number


def milliseconds(value: Any, what: str = "timestamp") -> int:
    """A moment in milliseconds since 1970."""
    number = whole(value, what)
    if not 0 <= number <= LATEST:
        raise InvalidParameter(
            f"Invalid value {number} for parameter '{what}' supplied: It must be milliseconds since 1970."
        )
    return number


def moment(value: Any, what: str) -> datetime:
    """The same as a moment of ours."""
    return datetime.fromtimestamp(milliseconds(value, what) / 1000, tz=UTC)


def moment_of(value: float, what: str) -> datetime:
    """The same from a number in a filter."""
    if not 0 <= value <= LATEST:
        raise InvalidParameter(f"Invalid value for '{what}': It must be milliseconds since 1970.")
    return moment(round(value), what)


def number(value: Any, what: str = "value") -> float:
    """A double; NaN and infinity come as the words of Protobuf's JSON."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if value in _SPECIAL:
            return _SPECIAL[value]
        if len(value) <= 40 and re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", value, re.ASCII):
            return float(value)
    raise InvalidParameter(
        f"Invalid value for parameter '{what}' supplied: Please specify value as a valid double (64-bit floating point)"
    )


def spoken(value: float) -> float | str:
    """A double as Protobuf's JSON writes it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def in_milliseconds(when: datetime | None) -> int | None:
    """A moment of ours as MLflow writes it."""
    return None if when is None else round(when.timestamp() * 1000)
