"""Slow guessing down: per account or device, per address and over all, in the database."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from database.types import now
from models.throttle import Throttle
from services.networks import network_of

LEEWAY = timedelta(minutes=1)  # by which the clocks of two machines may differ
WINDOW, LONG_WINDOW = timedelta(minutes=5), timedelta(hours=24)
FREE, FIRST_DELAY, LONGEST_DELAY = 5, 30, 3600  # failures without delay; seconds
PER_ADDRESS, OVERALL = 10, 1000  # failures in a window


@dataclass(frozen=True, slots=True)
class Bucket:
    """One counter: with a limit it closes for the rest of the window, without one the wait grows with each failure."""

    name: str
    limit: int | None = None
    window: timedelta = WINDOW


def account_bucket(name: str) -> Bucket:
    """The counter of one account name; hashed, because people type passwords into the name field."""
    return Bucket("login:account:" + hashlib.sha256(name.casefold().encode()).hexdigest()[:40])


def device_bucket(device: str) -> Bucket:
    """The counter of a device on which the owner of an account has signed in before."""
    return Bucket(f"login:device:{device}")


def address_bucket(address: str) -> Bucket:
    """The counter of one address, or of the network that one visitor has."""
    return Bucket("login:address:" + network_of(address), PER_ADDRESS)


ALL = Bucket("login:all", OVERALL)


def password_bucket(user_id: int) -> Bucket:
    """The counter of what a signed-in person gives as their own password."""
    return Bucket(f"password:account:{user_id}")


def key_buckets(user_id: int) -> tuple[Bucket, ...]:
    """What a new key counts against: made and revoked in a loop, keys would fill tables and mailboxes."""
    return (
        Bucket(f"keys:account:{user_id}:hour", 60, timedelta(hours=1)),
        Bucket(f"keys:account:{user_id}:day", 100, timedelta(days=1)),
    )


def second_factor_buckets(user_id: int, address: str) -> tuple[Bucket, ...]:
    """What a try at a second factor counts against; such tries are few, since the password was right before."""
    minutes, hour, day = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
    network = network_of(address)
    return (
        Bucket(f"factor:account:{user_id}:5min", 5, minutes),
        Bucket(f"factor:account:{user_id}:hour", 20, hour),
        Bucket(f"factor:account:{user_id}:day", 50, day),
        Bucket(f"factor:address:{network}:5min", 10, minutes),
        Bucket(f"factor:address:{network}:hour", 50, hour),
    )


def reserve(session: Session, *buckets: Bucket) -> int:
    """Count an attempt before its password is checked; return the seconds to wait, 0 when it may go on.

    Counting first makes the limit exact for attempts that arrive side by side; `release` takes the count back.
    """
    moment = now()
    # A closed counter is asked first: who is kept waiting would else leave a new row for each name they try.
    known = {bucket.name: bucket for bucket in buckets}
    closed = select(Throttle).where(Throttle.bucket.in_(known), Throttle.blocked_until > moment)
    waits = [left for row in session.scalars(closed) if (left := _wait(known[row.bucket], row, moment))]
    if waits:
        return max(1, int(max(waits) + 0.999))
    rows = [(bucket, _row(session, bucket)) for bucket in sorted(buckets, key=lambda bucket: bucket.name)]
    waits = [left for bucket, row in rows if (left := _wait(bucket, row, moment))]
    if waits:
        return max(1, int(max(waits) + 0.999))
    for bucket, row in rows:
        _count(bucket, row, moment)
    return 0


def _wait(bucket: Bucket, row: Throttle, moment: datetime) -> float:
    """The seconds that a counter is still closed; one from a time when the clock ran ahead keeps nobody waiting."""
    if row.blocked_until is None or row.window_started_at > moment + LEEWAY:
        return 0
    left = (row.blocked_until - moment).total_seconds()
    is_ahead = bucket.limit is None and left > LONGEST_DELAY + LEEWAY.total_seconds()
    return 0 if is_ahead else max(0, left)


def _count(bucket: Bucket, row: Throttle, moment: datetime) -> None:
    ahead = row.window_started_at > moment + LEEWAY
    if ahead or moment - row.window_started_at > (LONG_WINDOW if bucket.limit is None else bucket.window):
        row.failures, row.window_started_at = 0, moment
    row.failures += 1
    row.blocked_until = None
    if bucket.limit is None and row.failures > FREE:
        delay = min(FIRST_DELAY * 2 ** min(row.failures - FREE - 1, 12), LONGEST_DELAY)
        row.blocked_until = moment + timedelta(seconds=delay)
    elif bucket.limit is not None and row.failures >= bucket.limit:
        row.blocked_until = row.window_started_at + bucket.window


def has_just_closed(session: Session, bucket: Bucket) -> bool:
    """Whether the attempt that this transaction has counted is the first of the window with a wait after it."""
    row = session.get(Throttle, bucket.name)
    return row is not None and row.failures == FREE + 1


def release(session: Session, *buckets: Bucket) -> None:
    """The attempt succeeded: it was no guess, and the account's or device's earlier failures are forgotten."""
    for bucket in sorted(buckets, key=lambda bucket: bucket.name):
        row = _row(session, bucket)
        row.failures = 0 if bucket.limit is None else max(0, row.failures - 1)
        row.blocked_until = None


def _row(session: Session, bucket: Bucket) -> Throttle:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    blank = {"bucket": bucket.name, "failures": 0, "window_started_at": now()}
    row = None
    while row is None:  # one that is old may be removed between the two statements
        session.execute(dialect.insert(Throttle).values(blank).on_conflict_do_nothing())
        row = session.scalars(
            select(Throttle).where(Throttle.bucket == bucket.name).with_for_update(),
            execution_options={"populate_existing": True},
        ).one_or_none()
    return row
