"""Ends the process groups of a supervisor that was killed before it could; run as a file, with nothing but Python.

Each line on standard input names the groups that live now. Its end means that the supervisor is gone.
"""

import os
import signal
import sys
import time

PATIENCE = 5.0  # seconds between asking and killing


def _signal(group: int, number: int) -> bool:
    """Whether the group still had members."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    """Wait for the end of the input, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        groups = [int(word) for word in line.split()]
    groups = [group for group in groups if _signal(group, signal.SIGTERM)]
    deadline = time.monotonic() + PATIENCE
    while groups and time.monotonic() < deadline:
        time.sleep(0.1)
        groups = [group for group in groups if _signal(group, 0)]
    for group in groups:
        _signal(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
