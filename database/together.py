"""Group commit: what several threads hand in at once is written in one transaction, and answered after its COMMIT.

The first to come leads: it writes what has queued up, its own included. What comes meanwhile waits, and the first of
it leads next. So nobody waits longer than for the commit that runs and their own, and a busy disk is waited for once
for many requests (docs/decisions/0011-group-commit.md).
"""

import contextlib
import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config.settings import settings
from database.engine import engine, transaction

Item = TypeVar("Item")
# Writes all of them, and says of each whether it was refused: what is refused has left nothing behind.
Write = Callable[[Session, Sequence[Item]], Sequence[Exception | None]]
MOST = 64  # of one transaction


class _Waiting(Generic[Item]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.woken = threading.Event()
        self.leads = False
        self.error: BaseException | None = None


class Together(Generic[Item]):
    """Commits items of many threads of this process together."""

    def __init__(self, write: Write[Item]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._queue: deque[_Waiting[Item]] = deque()
        self._is_led = False

    def commit(self, item: Item) -> None:
        """Return once this item is committed, or raise why it is not."""
        mine = _Waiting(item)
        with self._lock:
            self._queue.append(mine)
            mine.leads, self._is_led = not self._is_led, True
        if not mine.leads:
            mine.woken.wait()
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise mine.error

    def _lead(self) -> None:
        """Commit what waits, wake whom it belongs to, and name who leads next."""
        group: list[_Waiting[Item]] = []
        try:
            with _alone_on_sqlite():
                group = self._next()
                self._commit_all(group)
        except BaseException as error:
            if group:  # each of them knows already how it went
                raise
            group = self._next()
            for one in group:
                one.error = error
        finally:
            self._hand_over(group)

    def _next(self) -> list[_Waiting[Item]]:
        with self._lock:
            return [self._queue.popleft() for _ in range(min(len(self._queue), MOST))]

    def _hand_over(self, group: Sequence[_Waiting[Item]]) -> None:
        with self._lock:
            following = self._queue[0] if self._queue else None
            self._is_led = following is not None
        if following is not None:
            following.leads = True
        for one in (*group, *([following] if following else [])):
            one.woken.set()

    def _commit_all(self, group: Sequence[_Waiting[Item]]) -> None:
        try:
            self._commit_once(group)
        except BaseException as error:
            if len(group) == 1 or (isinstance(error, DBAPIError) and _is_away(error)):
                for one in group:
                    one.error = error
                return
            for one in group:  # whoever's fault it was, it is nobody else's
                self._commit_all([one])

    def _commit_once(self, group: Sequence[_Waiting[Item]]) -> None:
        with transaction() as session:
            refusals = self._write(session, [one.item for one in group])
        for one, refusal in zip(group, refusals, strict=True):
            one.error = refusal


def _is_away(error: DBAPIError) -> bool:
    """Whether the database itself does not answer, so that asking again for each would only take longer."""
    return error.connection_invalidated or error.statement is None


@contextlib.contextmanager
def _alone_on_sqlite() -> Iterator[None]:
    """Let the processes of this machine take turns: who waits for SQLite's own lock looks again after a pause only."""
    with contextlib.ExitStack() as held:
        if engine().dialect.name == "sqlite":
            with contextlib.suppress(OSError):  # such as a full disk: they wait in SQLite's own way then
                file = os.open(f"{settings().data_dir}/ingest.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                held.callback(os.close, file)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
