"""The limits of the API, of each key and of each address without one, and those of what costs much on a page."""

import logging
import sqlite3
import time
from functools import lru_cache
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import DBAPIError

from config.settings import settings
from database.engine import engine
from services.errors import AppError
from services.limits.gcra import Decision, Policy
from services.limits.memory import Memory
from services.limits.rows import Rows
from services.limits.side_file import SideFile
from services.networks import network_of

logger = logging.getLogger(__name__)

DISK_FULL = "53100"  # as PostgreSQL says it
SAID_EVERY = 60.0  # seconds
OF_PERSON = {"searches": Policy(300, window=60), "exports": Policy(60)}  # a minute of typing, an hour of files
_alone = Memory()
_said = float("-inf")


class QuotaExceeded(AppError):
    """More requests than the limit lets through."""

    status_code = 429
    code = "quota_exceeded"

    def __init__(self, decision: Decision, whose: str, what: str = "requests") -> None:
        per = "an hour" if decision.policy.window == 3600 else f"in {decision.policy.window} s"
        seconds = "a second" if decision.reset == 1 else f"{decision.reset:,} s"
        super().__init__(f"{whose} may make {decision.policy.quota:,} {what} {per}. Try again in {seconds}.")
        self.decision = decision


def of_key(prefix: str, rate_limit: int) -> Decision:
    """Count a request of a key; what the house allows at most holds for older keys too."""
    return _take(f"key:{prefix}", Policy(max(1, min(rate_limit, settings().api_rate_limit_max))))


def of_address(address: str | None) -> Decision:
    """Count a request that came without a key that works."""
    return _take(f"address:{network_of(address)}", Policy(settings().api_anonymous_limit))


def count_of_person(user_id: int | None, what: Literal["searches", "exports"]) -> None:
    """Count what costs much against the person who asks for it; raises when it was too much."""
    decision = _take(f"{what}:{user_id}", OF_PERSON[what])
    if not decision.allowed:
        raise QuotaExceeded(decision, "An account", what)


def forget_rested() -> int:
    """Remove what says nothing any more."""
    return _place().forget_rested()


def _place() -> SideFile | Rows:
    if engine().dialect.name == "postgresql":
        return Rows(engine())
    return _side_file(settings().data_dir)


@lru_cache(maxsize=8)
def _side_file(data_dir: Path) -> SideFile:
    return SideFile(data_dir / "limits.sqlite3")


def _take(bucket: str, policy: Policy) -> Decision:
    try:
        return _place().take(bucket, policy)
    except sqlite3.Error as error:
        _tell(error)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != DISK_FULL:
            raise
        _tell(error.orig)
    return _alone.take(bucket, policy)  # a full disk keeps nobody from reading


def _tell(error: BaseException | None) -> None:
    global _said
    if time.monotonic() - _said > SAID_EVERY:
        _said = time.monotonic()
        logger.error("limits cannot be kept (%s); each process counts for itself meanwhile", error)
