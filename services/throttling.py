"""Slow guessing down: per account, per address and over all, in the database."""

import hashlib
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from database.types import now
from models.throttle import Throttle

WINDOW = timedelta(minutes=5)
FREE, FIRST_DELAY, LONGEST_DELAY = 5, 30, 3600  # failures without delay; seconds
PER_ADDRESS, OVERALL = 10, 1000  # failures in a window


def account_bucket(name: str) -> str:
    """The counter of one account name; hashed, because people type passwords into the name field."""
    return "login:account:" + hashlib.sha256(name.casefold().encode()).hexdigest()[:40]


def address_bucket(address: str) -> str:
    """The counter of one address."""
    return "login:address:" + address[:45]


ALL = "login:all"


def reserve(session: Session, account: str, address: str) -> int:
    """Count an attempt before its password is checked; return the seconds to wait, 0 when it may go on.

    Counting first makes the limit exact for attempts that arrive side by side; `release` takes the count back.
    """
    moment = now()
    rows = {bucket: _row(session, bucket) for bucket in sorted({ALL, account, address})}
    waits = [
        (row.blocked_until - moment).total_seconds()
        for row in rows.values()
        if row.blocked_until is not None and row.blocked_until > moment
    ]
    if waits:
        return max(1, int(max(waits) + 0.999))
    for bucket, row in rows.items():
        window = timedelta(hours=24) if bucket == account else WINDOW
        if moment - row.window_started_at > window:
            row.failures, row.window_started_at = 0, moment
        row.failures += 1
        row.blocked_until = None
        if bucket == account and row.failures > FREE:
            delay = min(FIRST_DELAY * 2 ** min(row.failures - FREE - 1, 12), LONGEST_DELAY)
            row.blocked_until = moment + timedelta(seconds=delay)
        elif bucket != account and row.failures >= (OVERALL if bucket == ALL else PER_ADDRESS):
            row.blocked_until = row.window_started_at + WINDOW
    return 0


def release(session: Session, account: str, address: str) -> None:
    """The attempt succeeded: it was no guess, and the account's earlier failures are forgotten."""
    for bucket in sorted({ALL, account, address}):
        row = _row(session, bucket)
        row.failures = 0 if bucket == account else max(0, row.failures - 1)
        row.blocked_until = None


def _row(session: Session, bucket: str) -> Throttle:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    blank = {"bucket": bucket, "failures": 0, "window_started_at": now()}
    session.execute(dialect.insert(Throttle).values(blank).on_conflict_do_nothing())
    return session.scalars(
        select(Throttle).where(Throttle.bucket == bucket).with_for_update(),
        execution_options={"populate_existing": True},
    ).one()
