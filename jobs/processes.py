"""What happens as the worker's processes start and end. Only the worker imports this."""

import contextlib
import gc
import mmap
import os
import signal
import warnings
from typing import Any

from celery.exceptions import SecurityWarning
from celery.signals import (
    celeryd_after_setup,
    worker_before_create_process,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, configure_mappers

from database.engine import close_connections, forget_connections, transaction
from jobs import sweeping
from jobs.celery_app import celery
from services import job_queue, job_recovery, machine

# Celery warns root of pickled messages; only JSON is accepted here, and containers do run as root.
warnings.filterwarnings("ignore", category=SecurityWarning)

# One byte that the parent shares with the children it forks: 1 once the worker shuts down.
_STOPPING = mmap.mmap(-1, 1)


def is_stopping() -> bool:
    """Whether this worker was asked to end, so that a long job is better left to the next one."""
    return _STOPPING[0] == 1


@worker_init.connect  # type: ignore[untyped-decorator]
def begin(**_: Any) -> None:
    """A worker that starts is not stopping."""
    _STOPPING[0] = 0


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def tell_children(**_: Any) -> None:
    """Let running jobs hand themselves back, so that Ctrl-C does not wait for hours of training."""
    _STOPPING[0] = 1


@worker_ready.connect  # type: ignore[untyped-decorator]
def end_with_the_terminal(**_: Any) -> None:
    """A worker started by hand ends, in good order, when its terminal is closed."""
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


@worker_ready.connect  # type: ignore[untyped-decorator]
def look_for_lost_work(**_: Any) -> None:
    """What an earlier worker left behind need not wait for the schedule."""
    celery.send_task("jobs.sweep", retry=False)


class _Rehearsed(Exception):
    """Takes back what a rehearsal has written."""


def _rehearse(session: Session) -> None:
    """Do what every child does first, so that the driver and the statements are loaded and compiled; nothing stays."""
    job_queue.beat(session, 0, "")
    job_recovery.sweep(session)
    machine.keep(session, machine.look(0.0))
    session.flush()
    raise _Rehearsed


# The first is sent whatever the broker, the second, where the broker is Redis, before each child that is replaced.
@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
@worker_before_create_process.connect  # type: ignore[untyped-decorator]
def share_memory(**_: Any) -> None:
    """Leave what all children need to them together: a collection would touch, and so copy, every page of it."""
    configure_mappers()
    with contextlib.suppress(SQLAlchemyError, _Rehearsed), transaction() as session:
        _rehearse(session)
    close_connections()
    gc.collect()
    gc.freeze()
    gc.enable()


@worker_process_init.connect  # type: ignore[untyped-decorator]
def begin_child(**_: Any) -> None:
    """A forked child has connections of its own, and computes on one core: the other is for its sibling."""
    signal.signal(
        signal.SIGHUP, signal.SIG_IGN
    )  # the parent, which hears it too, lets running jobs hand themselves back
    forget_connections()
    sweeping.begin()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # for the libraries that scikit-learn will load
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(limits=1)  # for NumPy's, which are loaded already
