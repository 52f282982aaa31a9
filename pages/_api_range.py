"""The time that the pages about the API look at, as the address names it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from dash import dcc

from database.types import now
from services.api_metrics import windows
from services.api_metrics.windows import CUSTOM, SPANS, Window
from services.errors import Invalid

LOG, METRICS = "/api-metrics/requests", "/api-metrics"


def window_of(word: Any, low: Any, high: Any) -> Window:
    """The stretch of time of a word, or between two times."""
    if word != CUSTOM:
        return windows.of_span(str(word), now())
    try:
        begin, end = (datetime.fromisoformat(str(text)) for text in (low, high))
        return windows.between(*(moment.replace(tzinfo=moment.tzinfo or UTC) for moment in (begin, end)))
    except (ValueError, OverflowError) as error:
        raise Invalid("The address does not say from when to when.", field="range") from error


def range_options(word: Any) -> list[dict[str, str]]:
    """The ranges to choose from, and the one that was drawn where it is in use."""
    own = [] if word in SPANS else [{"value": CUSTOM, "label": "Chosen in a chart"}]
    return [{"value": name, "label": label} for name, label in SPANS.items()] + own


def stamp(moment: datetime) -> str:
    """A moment as an address holds it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def held(id: str, value: str) -> dcc.Store:
    """What the address names; a store that is given None tells the page of a change as soon as it stands."""
    return dcc.Store(id=id, data=value) if value else dcc.Store(id=id)


def log_address(times: Mapping[str, Any], **filters: Any) -> str:
    """The address of the request log with these times and filters."""
    asked = {**{name: times.get(name) for name in ("range", "from", "to")}, **filters}
    return f"{LOG}?{urlencode({name: value for name, value in asked.items() if value not in (None, '')})}"
