"""How much keys are used: requests a day, for the keys of a page at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.types import now
from models.api_key import APIUsage

DAYS = 30


@dataclass(frozen=True, slots=True)
class Use:
    """The requests of one key on each of the last thirty days of UTC, the last of which is today."""

    days: tuple[int, ...] = (0,) * DAYS

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.days)


def of_keys(session: Session, key_ids: Sequence[int]) -> dict[int, Use]:
    """The use of these keys, which the caller has found visible; one query, along the index of key and time."""
    if not key_ids:
        return {}
    today = now().date()
    first = datetime.combine(today - timedelta(days=DAYS - 1), time(), UTC)
    day = func.date(APIUsage.timestamp)  # of UTC, in which both databases keep times here
    rows = session.execute(
        select(APIUsage.api_key_id, day, func.count())
        .where(APIUsage.api_key_id.in_(key_ids), APIUsage.timestamp >= first)
        .group_by(APIUsage.api_key_id, day)
    )
    counts: dict[int, list[int]] = {key_id: [0] * DAYS for key_id in key_ids}
    for key_id, when, count in rows:
        place = (datetime.fromisoformat(str(when)).date() - first.date()).days
        if 0 <= place < DAYS:  # a clock that runs ahead has made a request of tomorrow
            counts[key_id][place] = count
    return {key_id: Use(tuple(days)) for key_id, days in counts.items()}
