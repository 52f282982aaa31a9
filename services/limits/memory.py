"""Buckets of this process alone, for as long as the shared place cannot be written."""

import threading
import time

from services.limits import gcra
from services.limits.gcra import Decision, Policy

MOST = 10_000  # buckets


class Memory:
    """Buckets in a dictionary."""

    def __init__(self) -> None:
        self._full_at: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, bucket: str, policy: Policy, now: int | None = None) -> Decision:
        """Let a request through, or not."""
        moment = time.time_ns() if now is None else now
        with self._lock:
            kept = self._full_at.get(bucket, 0)
            made = gcra.following(policy, kept, moment)
            if made is None:
                return gcra.told(policy, kept, moment, allowed=False)
            if len(self._full_at) >= MOST:
                self._full_at = {name: full for name, full in self._full_at.items() if full > moment}
            self._full_at[bucket] = made
            return gcra.told(policy, made, moment, allowed=True)
