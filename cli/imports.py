"""`pfd import`: runs of other tools become experiments, one transaction a run."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from services.imports.run import BadRun, ImportedRun, Source
    from services.imports.store import Outcome, Stored

Step = Callable[[], None]


class Reader(Protocol):
    """What each module of `services.imports` offers."""

    def count_runs(self, location: str, /) -> int:
        """How many runs there are; ImportSourceError when there is nothing to read."""

    def read_runs(self, location: str, /) -> "Iterator[ImportedRun | BadRun]":
        """Each run, or why it cannot be had."""


@click.group("import")
def imports() -> None:
    """Take in runs of other tools; what is known already is extended, never doubled."""


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--user", "owner", metavar="NAME", help="Whose experiments they become, unless they have an owner."
        ),
        click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing."),
    ):
        command = option(command)
    return command


@imports.command()
@click.argument("directory", metavar="DIR")
@_options
def tensorboard(directory: str, owner: str | None, dry_run: bool) -> None:
    """Every run under DIR, a folder of TensorBoard event files."""
    from services.imports import tensorboard as reader

    _import("tensorboard", reader, directory, owner, dry_run)


@imports.command()
@click.argument("path_or_uri")
@_options
def mlflow(path_or_uri: str, owner: str | None, dry_run: bool) -> None:
    """Every run of an MLflow file store (the mlruns folder) or of its SQLite database."""
    from services.imports import mlflow as reader

    _import("mlflow", reader, path_or_uri, owner, dry_run)


@imports.command()
@click.argument("file")
@_options
def csv(file: str, owner: str | None, dry_run: bool) -> None:
    """The run, or the runs by a column that names them, of one CSV FILE.

    The first line names the columns, in any case of letters. What a column is follows from its name:

    \b
    run     run_id, run, run_name, experiment_id, experiment or experiment_name:
            each value is a run; of two such columns the second is the group
    step    step, global_step, iteration, iter or _step: whole numbers
    epoch   epoch or epochs, which counts the steps where no step is there
    time    time, timestamp, datetime, date, wall_time or created_at:
            ISO 8601, or seconds or milliseconds since 1970
    metric  every other column of numbers; an empty cell is no point
    text    every other column: a hyper-parameter where it is the same all along

    Without a run column the file is one run named after it; without step and epoch its lines are counted. A file
    of Optuna's trials is refused: each of its lines is a run, not a step.

    \b
    run,epoch,train_loss,val_accuracy
    cnn-1,1,0.91,0.62
    cnn-1,2,0.55,0.78
    """
    from services.imports import csv as reader

    _import("csv", reader, file, owner, dry_run)


def _import(source: "Source", reader: Reader, location: str, owner: str | None, dry_run: bool) -> None:
    from cli.database import is_there, prepare
    from database.engine import transaction
    from services.actor import SYSTEM
    from services.errors import NotFound
    from services.imports.run import BadRun, ImportSourceError
    from services.imports.store import conclude

    total = reader.count_runs(location)  # first: a wrong path must not leave an empty database behind
    is_blank = dry_run and not is_there()  # then each run would be new, and to say so needs no database
    if not is_blank:
        prepare()
    owner_id = None if is_blank else _owner(owner)
    outcomes: list[Outcome] = []
    planned: list[tuple[str, str]] = []
    owned_by_others = 0
    bad: list[tuple[str, str]] = []
    try:
        with _progress(total) as step:
            for run in reader.read_runs(location):
                if isinstance(run, BadRun):
                    bad.append((run.name, run.reason))
                elif is_blank:
                    outcomes.append("new")
                    planned.append(("new", run.name))
                else:
                    stored = _store(run, owner_id, dry_run)
                    if isinstance(stored, str):
                        bad.append((run.name, stored))
                    else:
                        outcomes.append(stored.outcome)
                        planned.append((stored.outcome, run.name))
                        owned_by_others += stored.owner_kept
                step()
    except ImportSourceError as error:
        bad.append((location, str(error)))  # damage found midway; what was read before it stays
    finally:
        # After Ctrl-C as well: what came in before it stays, and is told and recorded like all else.
        for name, reason in bad:
            click.echo(f"Left out “{_shown(name)}”: {_shown(reason)}", err=True)
        for outcome, name in planned if dry_run else ():
            click.echo(f"{outcome:<9}  {_shown(name)}")
        if outcomes or bad:
            _report(Counter(outcomes), len(bad), dry_run)
        if owned_by_others:
            click.echo(f"{owned_by_others} of them belong to somebody else, who stays their owner.")
        if not dry_run:
            with transaction() as session:
                conclude(session, SYSTEM, source, outcomes)
    if not outcomes and not bad:
        raise NotFound(f"run in {location}")
    if bad:
        raise click.exceptions.Exit(1)


def _owner(name: str | None) -> int | None:
    from database.engine import transaction
    from services import accounts

    if name is None:
        return None
    with transaction() as session:
        return accounts.find(session, name).id


def _store(run: "ImportedRun", owner_id: int | None, dry_run: bool) -> "Stored | str":
    """What became of a run, or why it was left out."""
    from sqlalchemy.exc import DataError, IntegrityError

    from database.engine import transaction
    from services.actor import SYSTEM
    from services.errors import Invalid
    from services.imports.store import store

    for attempt in (1, 2):
        try:
            with transaction() as session:
                return store(session, SYSTEM, run, owner_id, dry_run=dry_run)
        except IntegrityError:
            if attempt == 2:  # the first time, another import may have stored this run or taken its name just then
                raise
        except (Invalid, DataError) as error:
            return str(error) if isinstance(error, Invalid) else "It holds a value that the database refuses."
    raise AssertionError("unreachable")


def _shown(text: str) -> str:
    """On one line, and without what a terminal would obey: the text is from a file of somebody else."""
    from services.text import harmless

    return " ".join(harmless(text).split())


def _report(counts: "Counter[Outcome]", bad: int, dry_run: bool) -> None:
    found = counts.total() + bad
    parts = [f"{counts[outcome]} {outcome}" for outcome in ("new", "extended", "unchanged")]
    would = " (dry run: nothing was written)" if dry_run else ""
    click.echo(f"{found} {'run' if found == 1 else 'runs'}: {', '.join(parts)}, {bad} bad{would}")


@contextmanager
def _progress(total: int) -> Iterator[Step]:
    """A bar on a terminal, nothing in a log."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(length=total, label="Importing", file=sys.stderr, show_pos=True) as bar:
        yield lambda: bar.update(1)
