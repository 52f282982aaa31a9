"""How long the record of requests is kept: what would be deleted, and deleting it in bounded steps."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.api_key import APIUsage
from models.api_request_log import APIRequestLog

AT_ONCE = 1000  # rows in one transaction, so that no other writer waits long


@dataclass(frozen=True, slots=True)
class Expired:
    """What of a table is older than it is kept."""

    table: str
    kept: timedelta
    before: datetime
    rows: int
    oldest: datetime | None


def _tables() -> tuple[tuple[Any, Any, timedelta], ...]:
    chosen = settings()
    return (
        (APIUsage, APIUsage.timestamp, chosen.api_usage_kept),
        (APIRequestLog, APIRequestLog.request_time, chosen.api_requests_kept),
    )


def would_delete(session: Session) -> list[Expired]:
    """What a purge would delete at this moment, table by table."""
    found = []
    for table, moment, kept in _tables():
        before = now() - kept
        rows, oldest = session.execute(select(func.count(), func.min(moment)).where(moment < before)).one()
        found.append(Expired(table.__tablename__, kept, before, rows, oldest))
    return found


def purge(session: Session, limit: int) -> int:
    """Delete some of what is older than it is kept; returns how many rows went."""
    removed = 0
    for table, moment, kept in _tables():
        old = select(table.id).where(moment < now() - kept).order_by(moment).limit(limit - removed)
        ids = session.scalars(old).all()
        if ids:
            session.execute(delete(table).where(table.id.in_(ids)))
        removed += len(ids)
        if removed >= limit:
            break
    return removed
