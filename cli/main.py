"""The entry point: the groups of commands, and one sentence instead of a trace for what a person can act on."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version

import click

from cli.database import database
from cli.demo import demo
from cli.imports import imports
from cli.keys import keys
from cli.prune import prune
from cli.secrets import secrets
from cli.serve import serve, worker
from cli.users import users

INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended


def _version() -> str:
    try:
        return version("pfd-dashboard")
    except PackageNotFoundError:
        return "not installed"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(_version(), prog_name="pfd")
def pfd() -> None:
    """The PFD dashboard: experiment tracking for the fault diagnosis of bearings."""


for command in (serve, worker, database, users, keys, secrets, imports, demo, prune):
    pfd.add_command(command)


def main(words: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit status; 0 only when it did what was asked."""
    # Whatever is made, by the programs that it starts too, is for its owner: a data folder may be open to others.
    os.umask(0o077)
    sys.exit(run(words))


def run(words: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""

    def command() -> int:
        status = pfd.main(args=None if words is None else list(words), prog_name="pfd", standalone_mode=False)
        return status if isinstance(status, int) else 0

    return guarded(command)


def guarded(work: Callable[[], int]) -> int:
    """The exit status of some work; what went wrong becomes one sentence on stderr."""
    try:
        return work()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    except Exception as error:
        sentence = _sentence(error)
        from services.text import harmless

        if sentence is None:
            raise  # a bug: its trace is what helps
        click.echo(f"Error: {harmless(sentence)}", err=True)
        return 1


def _sentence(error: Exception) -> str | None:
    """What to tell about an error that is not a bug of ours; None for one that is."""
    # Only now: these imports take a moment that `pfd --help` need not wait for.
    from sqlalchemy.exc import DBAPIError

    from config.errors import ConfigurationError
    from database import sqlite_file
    from database.engine import engine
    from models.permissions import PermissionDenied
    from services.errors import AppError

    if isinstance(error, AppError | ConfigurationError | PermissionDenied):
        return str(error)
    if isinstance(error, DBAPIError):
        told = sqlite_file.complaint(engine().url, error)
        if told is not None:
            return told
        # The driver's own words; the statement and its values are left out, they may hold what is private.
        reason = str(error.orig).strip().splitlines()
        return f"The database refused: {reason[0].rstrip('.') if reason else type(error.orig).__name__}."
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}."
    return None
