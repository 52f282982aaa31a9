"""A thread in each web process makes rows of the journals; of all processes one does at a time."""

import logging
import sqlite3
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from config.settings import settings
from services.api_requests.draining import Drain
from services.api_requests.journal import waiting
from services.limits import quotas
from web.api_record import folder, journal

logger = logging.getLogger(__name__)

EVERY, AFTER_FAILURE, TIDY_EVERY, SAID_EVERY = 1.0, 5.0, 3600.0, 60.0  # seconds
_stop = threading.Event()
_said = float("-inf")


def begin() -> None:
    """Start the thread; what an earlier process left behind is taken over at once."""
    threading.Thread(target=_run, name="drain", daemon=True).start()


def end() -> None:
    """Take over the last records as the process ends; what another takes over instead is as good."""
    _stop.set()
    journal().close()
    _once(Drain(folder()))


def _run() -> None:
    drain = Drain(folder())
    tidied = time.monotonic()
    pause = 0.0
    while not _stop.wait(pause):
        pause = EVERY if _once(drain) else AFTER_FAILURE
        if time.monotonic() - tidied > TIDY_EVERY:
            tidied = time.monotonic()
            _tidy()


def _once(drain: Drain) -> bool:
    """Whether it worked; while the database is away the records wait where they are."""
    global _said
    try:
        journal().is_full = waiting(folder()) > settings().api_journal_most * 1_000_000
        drain.run()
    except (SQLAlchemyError, OSError) as error:
        if time.monotonic() - _said > SAID_EVERY:
            _said = time.monotonic()
            logger.warning("requests wait in %s to be recorded in the database: %s", folder(), type(error).__name__)
        return False
    return True


def _tidy() -> None:
    try:
        quotas.forget_rested()
    except (SQLAlchemyError, sqlite3.Error, OSError):  # it only saves room
        logger.warning("old buckets of limits could not be removed", exc_info=True)
