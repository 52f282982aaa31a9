"""Find lost work again, and tidy what lost messages leave behind."""

import time
from contextlib import suppress

from config.settings import settings
from database.engine import transaction
from jobs.announcing import announce
from services import job_recovery

MESSAGE_KEPT = 86_400  # seconds

_last = time.monotonic()


def sweep() -> None:
    """Put back what died, name again what was forgotten."""
    global _last
    _last = time.monotonic()
    with transaction() as session:
        waiting = job_recovery.sweep(session)
    announce(waiting)


def sweep_if_due() -> None:
    """Sweep, unless this process has done so a moment ago."""
    if time.monotonic() - _last >= settings().job_sweep_every.total_seconds():
        sweep()


def remove_stale_messages() -> int:
    """Remove messages on disk that no worker took for a day; the rows still know what they were about."""
    removed = 0
    before = time.time() - MESSAGE_KEPT
    for path in (settings().data_dir / "broker").glob("*.msg"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed
