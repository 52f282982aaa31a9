"""Find lost work again, and tidy what lost messages leave behind."""

import logging
import time
from contextlib import suppress

from config.settings import settings
from database.engine import transaction
from jobs.announcing import announce
from services import job_recovery

logger = logging.getLogger(__name__)

MESSAGE_KEPT = 86_400  # seconds

_last = time.monotonic()
_ahead = time.time() - time.monotonic()  # grows by as long as the machine slept, as only one of the clocks went on
_held_until = 0.0


def begin() -> None:
    """Forget what the parent of a forked process knew of the clocks: it may have slept since."""
    global _ahead, _held_until
    _ahead, _held_until = time.time() - time.monotonic(), 0.0


def sweep() -> None:
    """Put back what died, name again what was forgotten."""
    global _last
    _last = time.monotonic()
    if _has_just_woken():
        return
    with transaction() as session:
        waiting = job_recovery.sweep(session)
    announce(waiting)


def sweep_if_due() -> None:
    """Sweep, unless this process has done so a moment ago."""
    if time.monotonic() - _last >= settings().job_sweep_every.total_seconds():
        sweep()


def _has_just_woken() -> bool:
    # After sleep every running job looks lost, although its worker goes on; each has the full time to show life.
    global _ahead, _held_until
    ahead, lost_after = time.time() - time.monotonic(), settings().job_lost_after.total_seconds()
    slept, _ahead = ahead - _ahead, ahead
    if slept > lost_after / 2:  # less makes no job look lost, as each shows life much more often
        logger.warning("the clock went on by %.0f s while nothing ran; lost jobs are looked for later", slept)
        _held_until = time.monotonic() + lost_after
    return time.monotonic() < _held_until


def remove_stale_messages() -> int:
    """Remove what of messages lies on disk for a day, untaken or half written; the rows know what it was about."""
    removed = 0
    before = time.time() - MESSAGE_KEPT
    for path in (settings().data_dir / "broker").glob("*.msg*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed
