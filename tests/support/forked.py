"""Programs of ours, forked from a process that has loaded already what they need: a second or two less for each."""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PROCESSES = multiprocessing.get_context("forkserver")
# What the commands, the worker and the scheduler load by themselves; nothing here reads the environment.
_PROCESSES.set_forkserver_preload(
    [
        "cli.main",
        "cli.installation",
        "sqlalchemy.dialects.sqlite",
        "sqlalchemy.dialects.postgresql.psycopg2",
        "database.migrations",
        "models",
        "services.accounts",
        "celery.app.amqp",
        "celery.app.events",
        "celery.app.log",
        "celery.apps.beat",
        "celery.apps.worker",
        "celery.concurrency.prefork",
        "celery.fixups.django",
        "celery.loaders.app",
        "kombu.transport.filesystem",
        "kombu.transport.redis",
        "diagnosis.trainers",
        "services.api_alerts.watching",
        "services.api_keys.reminders",
        "services.api_metrics.rollup",
        "services.demo",
        "services.experiments.editing",
        "services.forgotten",
        "services.job_queue",
        "services.job_recovery",
        "services.lock_outs",
        "services.machine",
        "services.mail.delivery",
        "services.mail.sending",
        "services.notices",
        "services.retention",
        "services.tracking.artifact_retention",
        "services.training",
        "sklearn.neural_network",
        "threadpoolctl",
    ]
)


class Forked:
    """A script in a process, session, environment and folder of its own: to the test it is what `Popen` gives."""

    def __init__(
        self, script: str, words: Sequence[str], env: Mapping[str, str], folder: Path, files: Sequence[Path]
    ) -> None:
        self.args = [script, *words]
        self._process = _PROCESSES.Process(
            target=_become, args=(self.args, dict(env), str(folder), [str(file) for file in files])
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status, if it has ended."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """Its exit status, once it has ended."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, seconds)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ends, and another process than this one buries it
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it and its children at once, without a chance to say goodbye."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.send_signal(signal.SIGKILL)  # before it had a group of its own
        self.wait(60)


def _become(words: list[str], env: dict[str, str], folder: str, files: list[str]) -> None:
    os.setsid()
    for number, file in enumerate(files):
        opened = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT if number else os.O_RDONLY, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0)  # Python's own has read nothing yet, but was closed by multiprocessing
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1) for number in (1, 2))
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).parent))
    runpy.run_path(words[0], run_name="__main__")
