"""What the worker runs: a job by its id, the sweep for lost ones, the purge of what is old, a look at the machine."""

import logging
import math
import os
import secrets
import socket
import threading
import time

from sqlalchemy.exc import OperationalError

from database.engine import snapshot, transaction
from jobs import routine, sweeping
from jobs.announcing import announce_to_celery
from jobs.celery_app import celery
from jobs.handlers import HANDLERS, reason_of
from jobs.lease import HandedBack, Lease, Postponed
from jobs.processes import is_stopping
from services import forgotten, job_queue, job_recovery, lock_outs, machine, notices, retention
from services.api_alerts import watching
from services.api_keys import reminders
from services.api_metrics import rollup
from services.errors import AppError
from services.experiments import editing
from services.tracking import artifact_retention

logger = logging.getLogger(__name__)
announce_to_celery()

ERRANDS = (
    notices.KIND,
    forgotten.KIND,
    lock_outs.KIND,
)  # what takes a moment and must not wait behind hours of training
LONGEST_ERRANDS = 10.0  # seconds, as a job that ends waits for what is done beside it
_errands = threading.Lock()
_purged = time.monotonic()
PURGED_EVERY = 3600.0  # seconds
PURGED_AT_ONCE = 1000  # rows in one transaction, so that no other writer waits long


@celery.task(name="jobs.run")  # type: ignore[untyped-decorator]
def run(job_id: int) -> None:
    """Run one job. Delivered twice, it runs once: only the worker that claimed the row goes on."""
    if is_stopping():
        with transaction() as session:
            job_queue.forget_message(session, job_id)
        return  # the sweep of the next worker names the job again
    # Random at the end, because a restarted container repeats its process numbers.
    worker = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
    with transaction() as session:
        job = job_queue.claim(session, job_id, worker)
    if job is None:
        return
    try:
        handler = HANDLERS.get(job.kind)
        if handler is None:
            raise job_queue.UnknownKind(job.kind)
        with Lease(job_id, worker, beside) as lease:
            handler(job.payload, lease)
            lease.step(lambda session: job_queue.finish(session, job_id, worker))
    except HandedBack:
        with transaction() as session:
            job_recovery.hand_back(session, job_id, worker)
    except Postponed as error:
        logger.warning("job %s (%s) is tried again later: %s", job_id, job.kind, error)
        with transaction() as session:
            job_recovery.fail(session, job_id, worker, str(error), retry=True, after=error.pause)
    except Exception as error:
        logger.exception("job %s (%s) failed", job_id, job.kind)
        reason, retry = reason_of(error), isinstance(error, OperationalError)
        with transaction() as session:
            job_recovery.fail(session, job_id, worker, reason, retry=retry)


def beside() -> None:
    """What a process does beside a long job: look for lost work, run errands, which take no core of their own, and do
    what the scheduler orders every minute and every hour."""
    if is_stopping():
        return
    sweeping.sweep_if_due()
    _run_errands()
    routine.all_if_due()
    purge_if_due()


def _run_errands() -> None:
    if not _errands.acquire(blocking=False):
        return
    try:
        with snapshot() as session:
            due = job_queue.waiting(session, ERRANDS)
        until = time.monotonic() + LONGEST_ERRANDS
        for job_id in due:
            if time.monotonic() < until:
                run(job_id)
    finally:
        _errands.release()


@celery.task(name="jobs.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Find lost work again; a worker that ends leaves it to the next, as it would drop what it names itself."""
    if is_stopping():
        return
    sweeping.sweep()
    sweeping.remove_stale_messages()


@celery.task(name="jobs.purge")  # type: ignore[untyped-decorator]
def purge() -> None:
    """Tell of keys that end soon; remove what is kept no longer, and shorten old addresses."""
    _purge(until=math.inf)


def purge_if_due() -> None:
    """Purge beside a long job, for as long as one that ends may wait, unless this process began to within the hour."""
    global _purged
    if time.monotonic() - _purged >= PURGED_EVERY:
        _purged = time.monotonic()
        _purge(until=_purged + LONGEST_ERRANDS)


def _purge(until: float) -> None:
    with transaction() as session:
        reminders.tell(session)
    with transaction() as session:
        editing.purge(session)
    for purge_some in (
        job_queue.purge,
        machine.purge,
        retention.purge,
        retention.shorten_addresses,
    ):
        removed = PURGED_AT_ONCE
        while removed == PURGED_AT_ONCE:
            if time.monotonic() > until:
                return
            with transaction() as session:
                removed = purge_some(session, PURGED_AT_ONCE)
    purge_files(until)


def purge_files(until: float = math.inf) -> int:
    """Last, as a store that is away keeps nothing else from going; no transaction is open while it is asked."""
    gone = 0
    try:
        for found in artifact_retention.owners():
            if time.monotonic() > until:
                return gone
            with snapshot() as session:
                ownerless = artifact_retention.of_nobody(session, found)
            gone += artifact_retention.remove(ownerless, until)
        gone += artifact_retention.remove_broken_off()
    except AppError as error:
        logger.warning("files of removed runs stay for now: %s", error)
    return gone


@celery.task(name="jobs.sample")  # type: ignore[untyped-decorator]
def sample() -> None:
    """Note how the machine is doing."""
    routine.sample()


@celery.task(name="jobs.roll_up")  # type: ignore[untyped-decorator]
def roll_up() -> None:
    """Sum up the requests of hours that are over."""
    rollup.roll_up()


@celery.task(name="jobs.watch_api")  # type: ignore[untyped-decorator]
def watch_api() -> None:
    """Raise and resolve alerts on how the API answers."""
    watching.look()
