"""The time that operations about the use of the API look at, as their addresses name it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from database.types import now
from services.api_metrics import windows
from services.api_metrics.windows import Window
from services.errors import Invalid
from web.rest.kinds import Moment

Range = Literal["1h", "24h", "7d", "30d", "90d"]
Since = Annotated[Moment | None, Field(description="The first moment, as 2026-11-21T08:00:00Z.")]
Until = Annotated[Moment | None, Field(description="The first moment that is too late.")]


def window_of(word: str, since: datetime | None, until: datetime | None) -> Window:
    """The stretch of time of a word, or the whole steps between two moments."""
    if since is None and until is None:
        return windows.of_span(word, now())
    if since is None or until is None:
        raise Invalid("Give both, since and until, or a range.", field="until" if until is None else "since")
    return windows.between(since, until)
