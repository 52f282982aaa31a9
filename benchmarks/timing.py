"""Times and how they are summed up."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """The median and the spread of several runs, in milliseconds."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:,.1f} ms ({self.least:,.1f}–{self.most:,.1f})"


def summed(milliseconds: list[float]) -> Timing:
    """Median, least and most."""
    return Timing(statistics.median(milliseconds), min(milliseconds), max(milliseconds))


def timed(work: Callable[[], object], runs: int = 15, warm_up: int = 3) -> Timing:
    """Run something a few times unmeasured, then measured."""
    for _ in range(warm_up):
        work()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return summed(taken)


def in_turn(
    first: Callable[[], object], second: Callable[[], object], runs: int = 15, warm_up: int = 3
) -> tuple[Timing, Timing, float]:
    """Both in turn, A B A B, so that a drifting machine touches both; with the median of the ratios pair by pair."""
    ours, floor, ratios = [], [], []
    for turn in range(runs + warm_up):
        began = time.perf_counter()
        first()
        middle = time.perf_counter()
        second()
        ended = time.perf_counter()
        if turn >= warm_up:
            ours.append((middle - began) * 1000)
            floor.append((ended - middle) * 1000)
            ratios.append((middle - began) / (ended - middle))
    return summed(ours), summed(floor), statistics.median(ratios)
