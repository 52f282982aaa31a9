"""Clients who ask all the time of a process that is killed again and again, and remember which answers came."""

import http.client
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import scale

KILLS = scale.of("KILLS", 4)
ROOT = Path(__file__).resolve().parents[2]
# Asks once over this connection and returns what is to be remembered of the answer; told who asks for which time.
Ask = Callable[[http.client.HTTPConnection, int, int], Any]


class Clients:
    """Four of them."""

    def __init__(self, port: int, ask: Ask) -> None:
        self._port, self._ask_once = port, ask
        self._going = threading.Event()
        self.answered: list[Any] = []
        self.errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._ask, args=(place,)) for place in range(4)]
        for thread in self._threads:
            thread.start()

    def _ask(self, place: int) -> None:
        number = 0
        while not self._going.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            try:
                self.answered.append(self._ask_once(connection, place, number))
                number += 1
            except (OSError, http.client.HTTPException):
                time.sleep(0.002)
            except BaseException as error:
                self.errors.append(error)
                return
            finally:
                connection.close()

    def stop(self) -> None:
        """Let them go, and raise what any of them found wrong with an answer."""
        self._going.set()
        for thread in self._threads:
            thread.join(60)
        if self.errors:
            raise self.errors[0]


def answer_and_kill(environment: dict[str, Any], ask: Ask, seed: int = 4) -> list[Any]:
    """What was answered by processes of which each was killed in the middle of it."""
    dice = random.Random(seed)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.answering"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    clients = Clients(int(process.stdout.readline()), ask)
    child = 0
    try:
        for _ in range(KILLS):
            process.stdin.write("next\n")
            process.stdin.flush()
            child = int(process.stdout.readline())
            before = len(clients.answered)
            while len(clients.answered) < before + 12 and not clients.errors:
                time.sleep(0.005)
            time.sleep(dice.random() * 0.15)
            os.kill(child, signal.SIGKILL)
            child = 0
    finally:
        process.kill()
        process.wait(60)
        if child:  # which nobody else ends
            os.kill(child, signal.SIGKILL)
        clients.stop()  # those that still wait for an answer are told at once that there is none
    return clients.answered
