"""Wait for what another process does, without guessing how long it takes."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine, text

T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float = 240.0) -> T:
    """The first true answer of the condition; a failure that names it once the time is over."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds:g} s; the last answer was {answer!r}")
        pause.wait(0.05)


def is_waited_for(database: Engine) -> bool:
    """Whether somebody waits for a lock in PostgreSQL; in SQLite whoever writes at the same time waits."""
    if database.dialect.name == "sqlite":
        return True
    with database.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
