"""A worker's hold on the job that it runs."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from config.settings import settings
from database.engine import transaction
from jobs import sweeping
from jobs.processes import is_stopping
from services import job_queue

logger = logging.getLogger(__name__)
T = TypeVar("T")

WAITS = (0.2, 1.0, 5.0)  # seconds before a step is tried again


class HandedBack(Exception):
    """The worker shuts down; the next one takes the job up where this one left it."""


class Postponed(Exception):
    """The job may be tried again, but not before this pause is over."""

    def __init__(self, reason: str, pause: timedelta) -> None:
        super().__init__(reason)
        self.pause = pause


class Lease:
    """A claimed job: a thread says every few seconds that it is alive, until it ends or is taken away."""

    def __init__(self, job_id: int, worker: str, beside: Callable[[], None] = sweeping.sweep_if_due) -> None:
        self.job_id, self.worker, self._beside = job_id, worker, beside
        self.lost = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{job_id}", daemon=True)
        self._sweeper: threading.Thread | None = None

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._sweeper is not None:
            self._sweeper.join()

    def goes_on(self) -> bool:
        """Whether to do the next part: asked between two, as a step cannot be cut."""
        if is_stopping():
            raise HandedBack
        return not self.lost.is_set()

    def holds(self, session: Session) -> bool:
        """Whether the job is still this worker's, asked in the transaction that depends on it."""
        return job_queue.beat(session, self.job_id, self.worker)

    def step(self, work: Callable[[Session], T]) -> T:
        """One transaction of the job. A database that is locked, restarted or out of reach is tried again."""
        for wait in WAITS:
            try:
                with transaction() as session:
                    return work(session)
            except OperationalError as error:
                logger.warning("job %s tries again in %s s: %s", self.job_id, wait, error.orig)
                self._stop.wait(wait)
        with transaction() as session:
            return work(session)

    def _beat(self) -> None:
        while not self._stop.wait(settings().job_heartbeat_every.total_seconds()):
            try:
                with transaction() as session:
                    if not self.holds(session):
                        self.lost.set()
                        return
                self._sweep_beside()
            except DBAPIError as error:
                logger.warning("job %s could not show that it is alive: %s", self.job_id, error.orig)

    def _sweep_beside(self) -> None:
        # The sweep's own message may wait behind hours of jobs, so a busy worker sweeps as well: on a thread of its
        # own, as a broker that is slow to answer must not keep the next sign of life back.
        if self._sweeper is None or not self._sweeper.is_alive():
            self._sweeper = threading.Thread(target=self._work_beside, name=f"sweep-{self.job_id}", daemon=True)
            self._sweeper.start()

    def _work_beside(self) -> None:
        try:
            self._beside()
        except DBAPIError as error:
            logger.warning("lost work could not be looked for: %s", error.orig)
