"""The log of requests to the API: found by time, route, status, key, address and how long they took, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from models.api_key import APIKey
from models.api_request_log import APIRequestLog
from models.permissions import Permission
from models.user import User
from services.actor import Actor
from services.api_requests.wanted import Place, Wanted
from services.errors import NotFound
from services.owners import shown_name

PAGE, LARGEST_PAGE = 100, 500
MOST_ROUTES, MOST_STATUSES, MOST_KEYS = 200, 60, 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One request."""

    id: int
    moment: datetime
    method: str
    endpoint: str
    status: int
    milliseconds: float
    received: int | None
    sent: int | None
    key_id: int | None
    key: str | None
    owner: str | None
    address: str | None
    agent: str | None
    error: str | None
    request_id: str | None
    has_sample: bool


@dataclass(frozen=True, slots=True)
class Details:
    """One request with what was kept of its two bodies, which was redacted before it was written."""

    entry: Entry
    asked: Any
    answered: Any


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of the log starts here: all requests with key and owner, for those who may see the API's metrics."""
    actor.require(Permission.VIEW_API_METRICS)
    samples = APIRequestLog.request_payload_sample, APIRequestLog.response_payload_sample
    # Nothing stands there as JSON's null.
    has_sample = or_(*(and_(sample.is_not(None), cast(sample, String) != "null") for sample in samples))
    columns = (
        APIRequestLog.id, APIRequestLog.request_time, APIRequestLog.method, APIRequestLog.endpoint,
        APIRequestLog.status_code, APIRequestLog.response_time_ms, APIRequestLog.request_size_bytes,
        APIRequestLog.response_size_bytes, APIRequestLog.api_key_id, APIKey.name, shown_name(),
        APIRequestLog.ip_address, APIRequestLog.user_agent, APIRequestLog.error_message, APIRequestLog.request_id,
        has_sample,
    )  # fmt: skip
    joined = select(*columns).outerjoin(APIKey, APIKey.id == APIRequestLog.api_key_id)
    return joined.outerjoin(User, User.id == APIKey.user_id)


def page(
    session: Session, actor: Actor, asked: Wanted, *, after: Place | None = None, limit: int = PAGE
) -> tuple[list[Entry], Place | None]:
    """The newest requests that match, or those behind a place, and where the next page begins if there is one."""
    actor.require(Permission.VIEW_API_METRICS)
    limit = min(limit, LARGEST_PAGE)
    found = session.execute(numbers(asked, codes(session, asked), after, limit + 1)).all()
    more = found[limit - 1] if len(found) > limit else None
    wanted_ids = [row.id for row in found[:limit]]
    query = visible_to(actor).where(APIRequestLog.id.in_(wanted_ids))
    rows = {row[0]: Entry(*row) for row in session.execute(query)}
    following = None if more is None else (more.request_time, more.id)
    return [rows[number] for number in wanted_ids if number in rows], following


def numbers(asked: Wanted, codes: Sequence[int] | None, after: Place | None, limit: int) -> Select[datetime, int]:
    """Time and number of the rows of a page.

    With `codes` each status is read by itself along its index, newest first, and the few rows of all are merged: one
    walk along the times would pass millions of requests that went well before it has met fifty that have failed.
    """
    table = APIRequestLog
    columns = table.request_time, table.id
    order = table.request_time.desc(), table.id.desc()
    common = _conditions(asked, after, by_code=codes is not None)
    if codes is None:
        return select(*columns).where(*common).order_by(*order).limit(limit)
    parts = [
        select(select(*columns).where(table.status_code == code, *common).order_by(*order).limit(limit).subquery())
        for code in codes
    ]
    if not parts:
        return select(*columns).where(literal(False))
    merged = union_all(*parts).subquery()
    return (
        select(merged.c.request_time, merged.c.id)
        .order_by(merged.c.request_time.desc(), merged.c.id.desc())
        .limit(limit)
    )


def _conditions(asked: Wanted, after: Place | None, *, by_code: bool) -> list[ColumnElement[bool]]:
    """The strongest condition as it is, the others so that no index is chosen for them: SQLite knows no figures."""
    table = APIRequestLog
    found: list[ColumnElement[bool]] = []
    strongest = _strongest(asked)
    if asked.address is not None:
        found.append(table.ip_address == asked.address)
    if asked.key is not None or asked.without_key:
        key: Any = table.api_key_id if strongest == "key" else table.api_key_id + 0
        found.append(key.is_(None) if asked.without_key else key == asked.key)
    if asked.endpoint is not None:
        endpoint: Any = table.endpoint if strongest == "endpoint" else table.endpoint.concat("")
        found.append(endpoint == asked.endpoint)
    if asked.statuses is not None and not by_code:
        found.append((table.status_code + 0).between(*asked.statuses))
    if asked.method is not None:
        found.append(table.method == asked.method)
    if asked.slower is not None:
        found.append(table.response_time_ms >= asked.slower)
    if asked.since is not None:
        found.append(table.request_time >= asked.since)
    if after is not None:
        moment, number = after
        found.append(table.request_time <= moment)
        found.append(or_(table.request_time < moment, table.id < number))
    if asked.until is not None:
        found.append(table.request_time < asked.until)
    return found


def _strongest(asked: Wanted) -> str:
    if asked.address is not None:
        return "address"
    if asked.key is not None or asked.without_key:
        return "key"
    if asked.endpoint is not None:
        return "endpoint"
    return "status" if asked.statuses is not None else "time"


def codes(session: Session, asked: Wanted) -> list[int] | None:
    """The statuses by which the rows are read one after the other, or None where another index serves better."""
    strongest = _strongest(asked)
    if strongest not in {"endpoint", "status"}:
        return None
    low, high = asked.statuses or (0, 999)
    if low == high:
        return [low]
    return _steps(session, "status_code", MOST_STATUSES, asked.endpoint, (low, high))


def _steps(
    session: Session, name: str, most: int, endpoint: str | None = None, within: tuple[int, int] | None = None
) -> list[Any]:
    """The values of an indexed column, each once: one step of the index for each instead of one for each row."""

    def lowest(table: Any, *after: Any) -> Select[Any]:
        column = getattr(table, name)
        found = select(func.min(column).label("value")).where(*after)
        if endpoint is not None:
            found = found.where(table.endpoint == endpoint)
        return found if within is None else found.where(column >= within[0], column <= within[1])

    first = lowest(APIRequestLog).add_columns(literal(1).label("place"))
    values = first.cte("found", recursive=True)
    step = aliased(APIRequestLog)
    following = lowest(step, getattr(step, name) > values.c.value).correlate(values).scalar_subquery()
    values = values.union_all(
        select(following, values.c.place + 1).where(values.c.value.is_not(None), values.c.place < most)
    )
    return list(session.scalars(select(values.c.value).where(values.c.value.is_not(None))))


def routes(session: Session, actor: Actor) -> list[str]:
    """The routes that were asked for, as they are declared."""
    actor.require(Permission.VIEW_API_METRICS)
    return _steps(session, "endpoint", MOST_ROUTES)


def statuses(session: Session, actor: Actor) -> list[int]:
    """The statuses that were answered."""
    actor.require(Permission.VIEW_API_METRICS)
    return _steps(session, "status_code", MOST_STATUSES)


def keys(session: Session, actor: Actor, also: int | None = None) -> list[tuple[int, str, str]]:
    """The keys that were used last, and one more that is asked for: number, name, owner."""
    actor.require(Permission.VIEW_API_METRICS)
    query = select(APIKey.id, APIKey.name, shown_name()).join(User, User.id == APIKey.user_id)
    used = query.order_by(APIKey.last_used_at.desc().nulls_last(), APIKey.id).limit(MOST_KEYS)
    found = [(row[0], row[1], row[2]) for row in session.execute(used)]
    if also is not None and also not in {number for number, _, _ in found}:
        found += [(row[0], row[1], row[2]) for row in session.execute(query.where(APIKey.id == also))]
    return found


def one(session: Session, actor: Actor, number: int) -> Details:
    """One request with its samples."""
    samples = APIRequestLog.request_payload_sample, APIRequestLog.response_payload_sample
    row = session.execute(visible_to(actor).add_columns(*samples).where(APIRequestLog.id == number)).first()
    if row is None:
        raise NotFound("request")
    return Details(Entry(*row[:-2]), row[-2], row[-1])
