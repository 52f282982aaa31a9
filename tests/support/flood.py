"""Two hundred passwords at once, in a process of its own: how many are hashed together, and what memory it takes."""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
from argon2 import PasswordHasher

from services import passwords

FLOOD = 200


class Watched:
    """Hashes as the real one does, and notes how many do so at the same time and what memory the process has then."""

    def __init__(self, real: Any) -> None:
        self._real, self._lock = real, threading.Lock()
        self.now = self.most = self.done = 0
        self.memory: list[int] = []

    def verify(self, stored: str, password: str) -> bool:
        """Compare, and be counted meanwhile."""
        with self._lock:
            self.now += 1
            self.most, self.done = max(self.most, self.now), self.done + 1
        try:
            return bool(self._real.verify(stored, password))
        finally:
            with self._lock:
                self.memory.append(psutil.Process().memory_info().rss)
                self.now -= 1

    def hash(self, password: str) -> str:
        """As the real one."""
        return str(self._real.hash(password))


def main() -> None:
    """Print what was seen, with the bytes that one hash takes while it is made."""
    real = passwords._hasher
    # One pass instead of two: half the time, the same memory.
    quick = PasswordHasher(time_cost=1, memory_cost=real.memory_cost, parallelism=real.parallelism)
    passwords._hasher = watched = Watched(quick)  # type: ignore[assignment]
    stored = passwords.hash_password("a long enough passphrase")
    gate = threading.Barrier(FLOOD + 1)

    def check(place: int) -> bool:
        gate.wait()
        return passwords.verify(stored if place % 2 else None, "a wrong guess at it")

    passwords.verify(None, "what the first one loads and keeps is no part of the flood")
    with ThreadPoolExecutor(FLOOD) as pool:
        waiting = [pool.submit(check, place) for place in range(FLOOD)]
        before = psutil.Process().memory_info().rss  # with all threads there
        gate.wait()
        right = sum(one.result() for one in waiting)
    told = {"right": right, "most": watched.most, "done": watched.done - 1}
    json.dump({**told, "grown": max(watched.memory) - before, "one": real.memory_cost * 1024}, sys.stdout)


if __name__ == "__main__":
    main()
