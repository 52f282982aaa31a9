"""Starts the programs of one installation, starts them again when they die, and ends all of them when it ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import click
import psutil

from config.settings import ROOT

LOOK_EVERY = 0.1  # seconds
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0  # a program that ran this long begins anew with the shortest pause
MOST_WEB_FAILURES = 5
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Program:
    """One long-running command, in a process group of its own."""

    name: str
    command: Sequence[str]
    grace: float  # seconds to end by itself
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    start_again_at: float | None = field(default=None)

    def start(self, environment: dict[str, str]) -> None:
        """Start it; where the system can, the kernel ends it together with the supervisor."""
        supervisor = os.getpid()

        def end_with_supervisor() -> None:
            if _libc is not None:
                _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
                if os.getppid() != supervisor:  # it died in between
                    os._exit(1)

        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            pass_fds=self.descriptors,
            process_group=0,  # Ctrl-C reaches only us: we end them in order
            preexec_fn=end_with_supervisor,
        )
        self.started_at, self.start_again_at = time.monotonic(), None

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None

    def family(self) -> list[psutil.Process]:
        """Its processes, those included that left the group."""
        if self.process is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self.process.pid)
            return [first, *first.children(recursive=True)]
        return []

    def signal_group(self, number: int) -> None:
        """Send a signal to all of its group, also when its first process is gone already."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


class Supervisor:
    """Web first, as somebody waits for its first page; the others once it answers."""

    def __init__(
        self,
        *,
        web: Program,
        others: Sequence[Program],
        environment: dict[str, str],
        is_ready: Callable[[], bool],
        when_ready: Callable[[], list[str]],
    ) -> None:
        self._web, self._others = web, others
        self._environment = environment
        self._is_ready, self._when_ready = is_ready, when_ready
        self._was_ready = False  # ever
        self._web_answers = False  # since its last start
        self._asked_to_stop = 0
        self._warden: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Serve until asked to stop; the exit status of the command."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)
        self._warden = _start_warden()
        try:
            self._start(self._web)
            while not self._asked_to_stop:
                if not self._look():
                    return 1
                time.sleep(LOOK_EVERY)
            return 0
        finally:
            self._stop()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop += 1

    def _start(self, program: Program) -> None:
        program.start(self._environment)
        self._tell_warden()

    def _look(self) -> bool:
        """One round; False when it makes no sense to go on."""
        if self._warden is not None and self._warden.poll() is not None:
            self._warden = _start_warden()
            self._tell_warden()
        if self._web.is_running and not self._web_answers and self._is_ready():
            self._web_answers, self._web.failures = True, 0
            if not self._was_ready:
                self._was_ready = True
                for program in self._others:
                    self._start(program)
                for line in self._when_ready():
                    say(line)
            else:
                say("web answers again")
        for program in (self._web, *self._others):
            if program.process is None or program.is_running:
                continue
            if program.start_again_at is None and not self._plan_restart(program):
                return False
            if program.start_again_at is not None and time.monotonic() >= program.start_again_at:
                self._start(program)
        return True

    def _plan_restart(self, program: Program) -> bool:
        assert program.process is not None
        program.signal_group(signal.SIGKILL)  # what the dead one left behind would do its work a second time
        if program is self._web:
            self._web_answers = False
            if not self._was_ready or program.failures >= MOST_WEB_FAILURES:
                say("The web server could not be started; what it said stands above.")
                return False
        ran_for = time.monotonic() - program.started_at
        program.failures = 1 if ran_for > STEADY_AFTER else program.failures + 1
        pause = min(LONGEST_PAUSE, 0.5 * 2**program.failures)
        say(f"{program.name} ended ({_how(program.process.returncode)}); it starts again in {pause:.0f} s")
        program.start_again_at = time.monotonic() + pause
        return True

    def _stop(self) -> None:
        programs = [program for program in (*self._others, self._web) if program.process is not None]
        if any(program.is_running for program in programs):
            say("stopping; Ctrl-C again ends everything at once")
        family = [process for program in programs for process in program.family()]
        began, asked = time.monotonic(), self._asked_to_stop
        for program in programs:
            if program.is_running and program.process is not None:
                program.process.terminate()
        waiting = programs
        while waiting:
            for program in [one for one in waiting if not one.is_running]:
                program.signal_group(signal.SIGKILL)
                waiting = [one for one in waiting if one is not program]
            elapsed = time.monotonic() - began
            for program in waiting:
                if elapsed > program.grace or self._asked_to_stop > asked:
                    program.signal_group(signal.SIGKILL)
            time.sleep(LOOK_EVERY / 2)
        for process in family:  # psutil knows a process by its start too: a number used again is not mistaken
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._tell_warden()
        if self._warden is not None and self._warden.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._warden.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):  # it ends by itself, however late
                self._warden.wait(timeout=10)

    def _tell_warden(self) -> None:
        if self._warden is None or self._warden.stdin is None:
            return
        groups = [one.process.pid for one in (self._web, *self._others) if one.process is not None and one.is_running]
        with contextlib.suppress(BrokenPipeError):
            self._warden.stdin.write(f"{' '.join(map(str, groups))}\n".encode())
            self._warden.stdin.flush()


def _start_warden() -> subprocess.Popen[bytes]:
    file = Path(__file__).with_name("warden.py")
    return subprocess.Popen([sys.executable, "-I", "-S", str(file)], stdin=subprocess.PIPE, start_new_session=True)


def _how(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def say(text: str) -> None:
    """One line of the supervisor's own."""
    click.echo(f"[pfd] {text}")
