"""Kinds of values that several models use, with their bounds."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from web.rest.asked import Query

LARGEST_ID = 2**31 - 1
LARGEST_BIG_ID = 2**63 - 1  # of tables that grow with each request
LARGEST_STEP = 2**53
LATEST = 253_402_300_799  # seconds: the end of the year 9999
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
_NAMED = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f\x85][^\x00-\x1f\x7f]*$"
_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"


def _whole(value: Any) -> Any:
    """1.0 is a whole number of JSON too."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_STEP
    return int(value) if is_whole else value


def _written(value: Any) -> Any:
    """Pydantic takes the text of a number for seconds since 1970, which no document of ours offers."""
    if isinstance(value, str) and not _DAY.match(value):
        raise ValueError("Write a moment as 2026-11-21T08:00:00Z.")
    return value


def _of_our_time(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError("A moment lies between the years 2000 and 2200.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# Behind the bounds of an `int`: in front of them pydantic would write them as “ge” and “le” into the document.
WHOLE = BeforeValidator(_whole)
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), WHOLE]
Step = Annotated[int, Field(ge=-LARGEST_STEP, le=LARGEST_STEP), WHOLE]
Seconds = Annotated[float, Field(ge=0, le=LATEST, description="Seconds since 1970 in UTC.")]
Written = Annotated[datetime, BeforeValidator(_written)]
Moment = Annotated[Written, AfterValidator(_of_our_time)]
Special = Literal["NaN", "Infinity", "-Infinity"]
Value = float | Special
Json = dict[str, Any]


def line(longest: int, shortest: int = 0) -> Any:
    """Text of one line."""
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_ONE_LINE)


def lines(longest: int) -> Any:
    """Text of several lines."""
    return StringConstraints(max_length=longest, pattern=_LINES)


def told(**schema: Any) -> Any:
    """What the document says besides of a value whose rules a service holds, which refuses in words of its own."""
    return Field(json_schema_extra=schema)


def one_of(words: Iterable[str]) -> Any:
    """The same of words; what their lengths are is said with them."""

    def only(schema: Json) -> None:
        for bound in ("minLength", "maxLength", "pattern"):
            schema.pop(bound, None)
        schema["enum"] = list(words)

    return Field(json_schema_extra=only)


NAMED = told(pattern=_NAMED)  # more than blanks
Limit = Annotated[int, Field(ge=1, le=200, description="How many at the most.")]
Cursor = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[A-Za-z0-9_-]+$")]
CURSOR_WORDS = "Where the page begins: `next` of the page before."


class Paged(Query):
    """Which page of a list."""

    limit: Limit = 50
    cursor: Cursor | None = Field(None, description=CURSOR_WORDS)


def special(value: float) -> Value:
    """A double as JSON can say it."""
    if value != value:
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    return value
