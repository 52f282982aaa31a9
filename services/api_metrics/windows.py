"""Over which time the use of the API is looked at, and in which steps: minutes, hours or days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.api_metrics.rollup import DAY, HOUR, day_of, hour_of
from services.errors import Invalid

MINUTE = timedelta(minutes=1)
HOURS_UP_TO = timedelta(days=8)  # beyond it a step is a day
LONGEST = timedelta(days=366)
SPANS = {"1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days", "90d": "Last 90 days"}
DEFAULT = "24h"
CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time that begins and ends with a step."""

    begin: datetime
    end: datetime
    step: timedelta

    @property
    def before(self) -> "Window":
        """The stretch of the same length before it."""
        return Window(self.begin - (self.end - self.begin), self.begin, self.step)

    def starts(self) -> Iterator[datetime]:
        """When each step begins."""
        moment = self.begin
        while moment < self.end:
            yield moment
            moment += self.step


def of_span(word: str, moment: datetime) -> Window:
    """The last while up to the step that is not over yet; whole days from a week on."""
    if word == "1h":
        end = moment.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE
        return Window(end - HOUR, end, MINUTE)
    if word == "24h":
        end = hour_of(moment) + HOUR
        return Window(end - DAY, end, HOUR)
    days = {"7d": 7, "30d": 30, "90d": 90}.get(word)
    if days is None:
        raise Invalid("There is no such range.", field="range")
    end = day_of(moment) + DAY
    return Window(end - days * DAY, end, HOUR if days * DAY <= HOURS_UP_TO else DAY)


def between(low: datetime, high: datetime) -> Window:
    """The whole hours, or days, that somebody has drawn across."""
    if not timedelta(0) < high - low <= LONGEST:
        raise Invalid("The range must lie between an hour and a year.", field="range")
    step, floor = (HOUR, hour_of) if high - low <= HOURS_UP_TO else (DAY, day_of)
    end = floor(high)
    return Window(floor(low), end if end == high and end > low else end + step, step)
