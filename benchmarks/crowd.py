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


def in_turn(one: Callable[[], bool], other: Callable[[], bool], *, turns: int = 4) -> tuple[Crowd, Crowd]:
    """Ask two servers in turn: how fast a machine is changes within the time that each is asked."""
    found: tuple[list[_Turn], list[_Turn]] = ([], [])
    for _ in range(turns):
        for request, its in zip((one, other), found, strict=True):
            its.append(_ask(request, SECONDS / turns))
    first, second = (_whole(its) for its in found)
    return first, second


@dataclass(frozen=True, slots=True)
class _Turn:
    taken: list[float]  # ms of each answer
    failed: int
    seconds: float


def _whole(turns: list[_Turn]) -> Crowd:
    taken = [time for turn in turns for time in turn.taken]
    return Crowd(len(taken) / sum(turn.seconds for turn in turns), sum(turn.failed for turn in turns), summed(taken))


def _ask(request: Callable[[], bool], seconds: float) -> _Turn:
    """Let clients ask one after the other, each as fast as it is answered; `request` says whether it went well."""
    taken: list[float] = []
    failed = 0
    lock = threading.Lock()
    began = time.perf_counter()
    ends = began + seconds

    def client() -> None:
        nonlocal failed
        mine, errors = [], 0
        while time.perf_counter() < ends:
            asked = time.perf_counter()
            try:
                well = request()
            except OSError:
                well = False
            mine.append((time.perf_counter() - asked) * 1000)
            errors += not well
        with lock:
            taken.extend(mine)
            failed += errors

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _Turn(taken, failed, time.perf_counter() - began)
