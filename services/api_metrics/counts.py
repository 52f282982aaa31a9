"""How many requests there have been: each counted once, in the transaction that makes its row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.api_request_log import APIRequestCount

# Upper ends in seconds, as OpenTelemetry advises for the time of a request; the last bucket has none.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
MOST_KINDS = 500  # of route, method and class; whatever comes later is counted as OTHER
OTHER = ("(others)", "_OTHER")
Kind = tuple[str, str, int]


def add(session: Session, logs: Sequence[Mapping[str, Any]]) -> None:
    """Count these requests."""
    requests: Counter[tuple[str, str, int, int]] = Counter()
    nanoseconds: Counter[tuple[str, str, int, int]] = Counter()
    for log in logs:
        # A method that a route does not have says nothing about the route, and anybody may send any.
        method = "_OTHER" if log["status_code"] == 405 else log["method"]
        kind = log["endpoint"], method, min(max(log["status_code"] // 100, 1), 5), bucket_of(log["response_time_ms"])
        requests[kind] += 1
        nanoseconds[kind] += round(log["response_time_ms"] * 1e6)
    known = _known(session, {(endpoint, method, status) for endpoint, method, status, _bucket in requests})
    rows: dict[tuple[str, str, int, int], dict[str, Any]] = {}
    for (endpoint, method, status, bucket), count in requests.items():
        named = (endpoint, method) if (endpoint, method, status) in known else OTHER
        place = (*named, status, bucket)
        names = {"endpoint": named[0], "method": named[1], "status_class": status, "bucket": bucket}
        row = rows.setdefault(place, {**names, "requests": 0, "nanoseconds": 0})
        row["requests"] += count
        row["nanoseconds"] += nanoseconds[endpoint, method, status, bucket]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(APIRequestCount)
    more = {
        name: getattr(APIRequestCount, name) + getattr(statement.excluded, name) for name in ("requests", "nanoseconds")
    }
    keys = ["endpoint", "method", "status_class", "bucket"]
    # In one order, so that the drains of two machines wait for each other and never in a circle.
    ordered = [rows[place] for place in sorted(rows)]
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=more), ordered)


def _known(session: Session, wanted: set[Kind]) -> set[Kind]:
    """Those that are counted by name: all that are already, and as many new ones as there is room for."""
    columns = APIRequestCount.endpoint, APIRequestCount.method, APIRequestCount.status_class
    there = {(row[0], row[1], row[2]) for row in session.execute(select(*columns).distinct())}
    room = max(MOST_KINDS - len(there), 0)
    return there | set(sorted(wanted - there)[:room])


def bucket_of(milliseconds: float) -> int:
    """The place of the first upper end that is not exceeded."""
    seconds = milliseconds / 1000
    return next((place for place, end in enumerate(BUCKETS) if seconds <= end), len(BUCKETS))


def read(session: Session) -> dict[Kind, dict[int, tuple[int, int]]]:
    """Requests and nanoseconds of each bucket, by route, method and class of status."""
    rows = session.execute(
        select(
            APIRequestCount.endpoint,
            APIRequestCount.method,
            APIRequestCount.status_class,
            APIRequestCount.bucket,
            APIRequestCount.requests,
            APIRequestCount.nanoseconds,
        ).order_by(APIRequestCount.endpoint, APIRequestCount.method, APIRequestCount.status_class)
    )
    found: dict[Kind, dict[int, tuple[int, int]]] = {}
    for endpoint, method, status, bucket, requests, nanoseconds in rows:
        found.setdefault((endpoint, method, status), {})[bucket] = requests, nanoseconds
    return found
