"""Messages as files in the data folder: Kombu's transport, quicker to hear that the worker shall end."""

from collections.abc import Callable
from typing import Any

from kombu.transport import filesystem

LOOK_UP_AFTER = 0.5  # seconds; Celery listens for two at a time, and twice more after it was told to end


class Transport(filesystem.Transport):
    """The filesystem transport."""

    def drain_events(self, connection: Any, timeout: float | None = None, **options: Any) -> None:
        """Wait for messages, but not for long."""
        drain: Callable[..., None] = super().drain_events
        drain(connection, timeout=min(timeout or LOOK_UP_AFTER, LOOK_UP_AFTER), **options)
