"""gunicorn's worker with threads, which as it ends answers those too whom the system has let in already."""

from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):  # type: ignore[misc]
    """On a busy machine several wait at the door between two looks at it; gunicorn's own would leave them standing."""

    def set_accept_enabled(self, enabled: bool) -> None:
        """Begin or end to take connections."""
        if not (enabled or self.alive):
            for listener in self.sockets:
                self._take_all(listener)
        super().set_accept_enabled(enabled)

    def _take_all(self, listener: object) -> None:
        before = -1
        while before < self.nr_conns < self.worker_connections:
            before = self.nr_conns
            self.accept(listener)
