"""How many processes the worker has: one, and more once work waits for it."""

from typing import Any

from celery.worker.autoscale import Autoscaler

LOOKS_EVERY = 1.0  # seconds
LOOKS_BEFORE_GROWING = 2  # what runs each minute takes less, and is no reason for a second process


class Growing(Autoscaler):  # type: ignore[misc]
    """Celery's own, without haste, and without shrinking.

    On disk the children share one pipe, and one of them that is ended while it waits there would keep the others from
    it for ever; so a process that was needed once stays, and gives its memory back as it is replaced by a fresh one.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **{**named, "keepalive": LOOKS_EVERY})
        self._looks_with_waiting_work = 0

    def maybe_scale(self, req: Any = None) -> None:
        """Look whether work waits, and have it done by one process more for each piece."""
        if req is not None:  # a message on its way: whether it has to wait is seen at the next look
            return
        waiting = min(self.qty, self.max_concurrency) - self.processes
        self._looks_with_waiting_work = self._looks_with_waiting_work + 1 if waiting > 0 else 0
        if self._looks_with_waiting_work >= LOOKS_BEFORE_GROWING:
            self._looks_with_waiting_work = 0
            self.scale_up(waiting)
            if self.worker.use_eventloop:  # else a thread of the pool's does, and two would begin one too many
                self.pool.maintain_pool()
