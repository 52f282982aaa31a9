"""What is known of sign-ins is kept for a while and then removed, a batch at a time.

The system log is not among it: each of its rows is bound to the one before, so a chain without its beginning could not
be told from one that somebody has shortened.
"""

from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.settings import settings
from database.types import now
from models.login_history import LoginHistory
from models.one_time_token import OneTimeToken
from models.session_log import SessionLog
from models.throttle import Throttle
from services.throttling import LONG_WINDOW


def purge_sign_ins(session: Session, limit: int) -> int:
    """Remove some of the attempts that are old enough; returns how many went."""
    return _purge(session, LoginHistory.id, LoginHistory.timestamp < now() - settings().logins_kept, limit)


def purge_sessions(session: Session, limit: int) -> int:
    """Remove some of the sessions that have long been over; returns how many went."""
    dead_for = max(settings().logins_kept, settings().session_idle)
    return _purge(session, SessionLog.id, SessionLog.last_active < now() - dead_for, limit)


def purge_links(session: Session, limit: int) -> int:
    """Remove some of the one-time links that have long ended; returns how many went."""
    return _purge(session, OneTimeToken.id, OneTimeToken.expires_at < now() - settings().logins_kept, limit)


def purge_counters(session: Session, limit: int) -> int:
    """Remove some of the counters of guesses that would begin anew at the next one; returns how many went."""
    moment = now()
    over = Throttle.blocked_until.is_(None) | (Throttle.blocked_until <= moment)
    return _purge(session, Throttle.bucket, over & (Throttle.window_started_at < moment - LONG_WINDOW), limit)


def _purge(session: Session, key: InstrumentedAttribute[Any], is_old: ColumnElement[bool], limit: int) -> int:
    # Asked again where it is removed: one that counts anew meanwhile stays.
    found = session.scalars(select(key).where(is_old).order_by(key).limit(limit)).all()
    if found:
        session.execute(delete(key.class_).where(key.in_(found), is_old))
    return len(found)
