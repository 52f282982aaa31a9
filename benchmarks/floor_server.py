"""A floor that is served over HTTP, in a process of its own."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import product


@contextmanager
def floor_server(*arguments: str) -> Iterator[int]:
    """A floor that is served over HTTP, on a port of its own."""
    port = product.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.floors", *arguments, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            try:
                if get(port):
                    break
            except OSError:
                time.sleep(0.05)
        else:
            raise RuntimeError(f"the floor {arguments[0]} did not answer")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def get(port: int) -> bool:
    """Whether the floor answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200
    finally:
        connection.close()
