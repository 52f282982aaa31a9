"""`pfd serve`: the whole product in one command; `pfd worker`: more workers on further machines."""

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from socket import socket

    from cli.supervisor import Program


@click.command()
def serve() -> None:
    """Check, migrate and serve: web, worker and scheduler, until Ctrl-C."""
    from cli import installation, listening
    from cli.supervisor import Supervisor
    from config.settings import settings

    door = listening.bind(settings().host, settings().port)  # first: nothing is made when the port is taken
    installation.apart(installation.prepare)
    with installation.only_one():
        supervisor = Supervisor(
            web=_web(door),
            others=[_worker(), _scheduler()],
            environment=installation.environment_of_children(),
            is_ready=listening.probe(door),
            when_ready=lambda: installation.apart(installation.welcome),
        )
        raise click.exceptions.Exit(supervisor.run())


@click.command()
def worker() -> None:
    """Run a background worker alone, beside a `pfd serve` on the same database and broker."""
    from cli import installation

    installation.apart(installation.prepare)
    program = _worker()
    os.environ.update(installation.environment_of_children())
    sys.stdout.flush()
    os.execv(sys.executable, list(program.command))  # noqa: S606 - our own interpreter, no shell


def _web(door: "socket") -> "Program":
    from cli.supervisor import Program
    from config.settings import ROOT

    settings_file = str(ROOT / "web" / "gunicorn_settings.py")
    # The socket is bound here and handed on: the port cannot be lost between the check and the server, and a
    # visitor who comes while the server is started again waits instead of being refused.
    address = f"fd://{door.fileno()}"
    return Program(
        "web",
        [sys.executable, "-m", "gunicorn", "--config", settings_file, "--bind", address, "app:create_wsgi()"],
        grace=35,  # longer than gunicorn's own 30 s for requests in flight
        descriptors=(door.fileno(),),
    )


def _worker() -> "Program":
    # A training takes longer than anybody waits after Ctrl-C; it ends at the next epoch and goes on at the next start.
    return _job_program("worker", "worker")


def _scheduler() -> "Program":
    return _job_program("scheduler", "beat")


def _job_program(name: str, word: str) -> "Program":
    from cli.supervisor import Program
    from config.settings import ROOT

    # Named by its file, as importing Celery for two words would cost the supervisor 30 MB for as long as it lives.
    return Program(name, [sys.executable, str(ROOT / "jobs" / "__main__.py"), word], grace=8)
