"""Messages as files in the data folder: Kombu's transport, made to bear full disks, races and damaged files."""

import logging
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem, virtual
from kombu.utils import json

logger = logging.getLogger(__name__)

_dumps: Callable[[Any], str] = json.dumps
_loads: Callable[[str], Any] = json.loads
LOOK_UP_AFTER = 0.5  # seconds; Celery listens for two at a time, and twice more after it was told to end


class Channel(filesystem.Channel):
    """A file has its name only once it is whole, and one that cannot be read costs a warning, not the worker."""

    # Whoever sends declares the queue first, so the table of an exchange is in memory and needs no file that can break.
    supports_fanout = False
    get_table = virtual.Channel.get_table
    _delete = virtual.Channel._delete

    # Kombu's own two classes disagree on the name of the message.
    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        path = folder / f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        partial = path.with_name(f"{path.name}.partial")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial.write_text(_dumps(payload))
            partial.replace(path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise ChannelError(f"the message could not be written: {error.strerror or error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message that can be read; of several workers that reach for one, the first to rename it has it."""
        folder = Path(self.data_folder_in)
        try:
            names = sorted(path.name for path in folder.iterdir() if path.name.partition(".")[2] == f"{queue}.msg")
        except FileNotFoundError:
            raise Empty from None
        for name in names:
            taken = folder / f"{name}.taken"
            try:
                (folder / name).rename(taken)
            except OSError:
                continue
            if (message := self._read(taken)) is not None:
                return message
        raise Empty

    def _read(self, taken: Path) -> Any:
        """What the file says; None for one that a full disk or a crash left behind. Either way it goes."""
        try:
            message = _loads(taken.read_bytes().decode())
            as_celery_will: Callable[..., Any] = self.Message
            as_celery_will(message, channel=self)  # what fails, fails here and not in the worker's loop
            return message
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            logger.warning("a message that cannot be read was dropped: %r", error)
            return None
        finally:
            with suppress(OSError):
                taken.unlink()


class Transport(filesystem.Transport):
    """The filesystem transport."""

    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **options: Any) -> None:
        """Wait for messages, but not for long."""
        drain: Callable[..., None] = super().drain_events
        drain(connection, timeout=min(timeout or LOOK_UP_AFTER, LOOK_UP_AFTER), **options)
