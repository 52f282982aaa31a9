"""Fifty clients that ask for the sorted list for twenty seconds."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.timing import Timing, summed

CLIENTS, SECONDS = 50, 20.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """What they got."""

    per_second: float
    errors: int
    times: Timing


def ask(request: Callable[[], bool], *, clients: int = CLIENTS, seconds: float = SECONDS) -> Crowd:
    """Let clients ask one after the other, each as fast as it is answered; `request` says whether it went well."""
    taken: list[float] = []
    failed = 0
    lock = threading.Lock()
    ends = time.perf_counter() + seconds

    def client() -> None:
        nonlocal failed
        mine, errors = [], 0
        while time.perf_counter() < ends:
            began = time.perf_counter()
            try:
                well = request()
            except OSError:
                well = False
            mine.append((time.perf_counter() - began) * 1000)
            errors += not well
        with lock:
            taken.extend(mine)
            failed += errors

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Crowd(len(taken) / (time.perf_counter() - began), failed, summed(taken))
