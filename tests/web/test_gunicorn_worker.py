"""A process that is asked to end answers all whom the system has let in, also those whom it had no time to look at."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = [sys.executable, "-m", "gunicorn", "--worker-class=web.gunicorn_worker.Worker", "--threads=2"]
PATIENT = ["--timeout=600", "--graceful-timeout=120", "--no-control-socket"]
APP = "def app(environ, start):\n    start('200 OK', [])\n    return [b'here']\n"


def visit(port: int) -> socket.socket:
    """Ask, without waiting for the answer."""
    visitor = socket.create_connection(("127.0.0.1", port), timeout=120)
    visitor.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    return visitor


def answer(visitor: socket.socket) -> bytes:
    with visitor, visitor.makefile("rb") as told:
        return told.read()


def test_who_stands_at_the_door_as_it_ends_is_answered(tmp_path: Path) -> None:
    (tmp_path / "here.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        port, places = door.getsockname()[1], f"{ROOT}{os.pathsep}{tmp_path}"
        served = subprocess.Popen(
            [*GUNICORN, *PATIENT, "--bind", f"fd://{door.fileno()}", "here:app"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": places},
            pass_fds=[door.fileno()],
            stderr=subprocess.DEVNULL,
        )
    with served:
        try:
            assert b"here" in answer(visit(port))
            (worker,) = psutil.Process(served.pid).children()
            worker.suspend()
            wait_until(lambda: worker.status() == psutil.STATUS_STOPPED)
            visitors = [visit(port) for _ in range(12)]
            for process in (served, worker):  # the one asks the other, which may take it a moment
                process.send_signal(signal.SIGTERM)
            worker.resume()
            assert [b"here" in answer(visitor) for visitor in visitors] == [True] * 12
            assert served.wait(120) == 0
        finally:
            if served.poll() is None:
                for process in (*psutil.Process(served.pid).children(), served):
                    process.kill()
