"""Runs from a CSV file: one run, or one for each value of a column run_id, run or experiment.

A CSV file carries no identity of its own, and Lightning rewrites header and first row while the run grows. So the
source id is the file's name with a digest of its full path with all links followed, and the run's name within the
file. It survives growth and another working directory; a file that was moved is another run.
"""

import hashlib
import math
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.imports.csv_layout import Layout, is_table_of_trials, layout_of
from services.imports.csv_table import Table, is_missing, number, read_table, time_of
from services.imports.epochs import epochs_from_series
from services.imports.limits import (
    MAX_NAME_LENGTH,
    MAX_SOURCE_ID_LENGTH,
    checked_step,
    checked_text,
    clean_text,
    finite_time,
    located,
    moment,
    plain,
    read_yaml_mapping,
    shortened,
)
from services.imports.run import (
    BadRun,
    BadValue,
    ImportedEpoch,
    ImportedRun,
    ImportedSeries,
    ImportSourceError,
    model_type_of,
)
from services.imports.synonyms import is_epoch_number

MAX_RUNS = 100_000
# A logger names every file like this; the folder then says which run it is.
_NAMELESS = frozenset({"metrics", "log", "logs", "training", "training_log", "history", "results", "progress"})
_SMALLEST_EPOCH_MILLISECONDS = 10**11


@dataclass
class _Collected:
    """The cells of one run while the file is read."""

    points: "dict[int, tuple[array[int], array[float], array[float]]]" = field(default_factory=dict)
    texts: dict[int, str | None] = field(default_factory=dict)  # None once a second value came
    group: str | None = None
    rows: int = 0
    first_time: float = math.nan
    last_time: float = math.nan
    reason: str | None = None


def read_runs(path: str | os.PathLike[str]) -> Iterator[ImportedRun | BadRun]:
    """Read the runs of one CSV file in the order of their first rows."""
    file, table = _table(path)
    layout = layout_of(table.columns)
    for run_name, collected in _collect(table, layout).items():
        source_id = _source_id(file, run_name)
        name = shortened(clean_text(run_name or _file_name(file)), MAX_NAME_LENGTH)
        if collected.reason is not None:
            yield BadRun(source_id, name, collected.reason)
            continue
        try:
            yield _run(file, table, layout, collected, source_id, name)
        except BadValue as error:
            yield BadRun(source_id, name, str(error))


def count_runs(path: str | os.PathLike[str]) -> int:
    """Count the runs by the column that names them."""
    _, table = _table(path)
    column = layout_of(table.columns).run
    if column is None:
        return 1
    return len({cells[column] for _, cells in table.data_rows() if column < len(cells)})


def _table(path: str | os.PathLike[str]) -> tuple[Path, Table]:
    file = located(path)
    if not file.is_file():
        raise ImportSourceError(f"{path} is not a file; name the CSV file itself.")
    try:
        table = read_table(file)
    except OSError as error:
        raise ImportSourceError(f"{path} cannot be read: {error.strerror or error}.") from error
    if is_table_of_trials(table.columns):
        raise ImportSourceError(
            f"{path} is a table of trials, as Optuna exports a study, and not the course of a training: "
            "its rows are no steps. Studies cannot be imported yet."
        )
    return file, table


def _collect(table: Table, layout: Layout) -> dict[str, _Collected]:
    runs: dict[str, _Collected] = {}
    for line, cells in table.data_rows():
        name = cells[layout.run] if layout.run is not None and layout.run < len(cells) else ""
        run = runs.setdefault(name, _Collected())
        if len(runs) > MAX_RUNS:
            raise ImportSourceError(f"{table.path.name} names more than {MAX_RUNS:,} runs.")
        if run.reason is None:
            try:
                _add_row(run, table, layout, cells)
            except BadValue as error:
                run.reason = f"Line {line}: {error}"
    return runs


def _add_row(run: _Collected, table: Table, layout: Layout, cells: list[str]) -> None:
    width = len(table.columns)
    if len(cells) != width and any(cells[width:]):
        raise BadValue(f"{len(cells)} cells where the header has {width}.")
    cells = [*cells[:width], *[""] * (width - len(cells))]
    step = run.rows if layout.step is None else _step(cells[layout.step], table, layout.step)
    when = math.nan if layout.time is None else _time(cells[layout.time], table, layout.time)
    for index in layout.metrics:
        if is_missing(cells[index]):
            continue
        value = number(cells[index], table.delimiter)
        if value is None:
            raise BadValue(f"“{cells[index][:40]}” in column “{_title(table, index)}” is not a number.")
        steps, values, times = run.points.setdefault(index, (array("q"), array("d"), array("d")))
        steps.append(step)
        values.append(value)
        times.append(when)
    for index in layout.texts:
        if not is_missing(cells[index]) and run.texts.setdefault(index, cells[index]) != cells[index]:
            run.texts[index] = None
    if layout.group is not None and run.group is None:
        run.group = cells[layout.group] or None
    run.rows += 1
    run.first_time = when if math.isnan(run.first_time) else min(run.first_time, when)
    run.last_time = when if math.isnan(run.last_time) else max(run.last_time, when)


def _step(cell: str, table: Table, index: int) -> int:
    value = number(cell, table.delimiter)
    if value is None or not value.is_integer():
        raise BadValue(f"“{cell[:40]}” in column “{_title(table, index)}” is not a whole number.")
    # Through the text, as a double holds whole numbers only up to 2^53.
    whole = int(cell) if cell.lstrip("+-").isdecimal() and len(cell) < 25 else int(value)
    return checked_step(whole, f"The step {cell[:40]}")


def _time(cell: str, table: Table, index: int) -> float:
    if is_missing(cell):
        return math.nan
    value = number(cell, table.delimiter)
    if value is not None:
        return finite_time(value / 1000 if value >= _SMALLEST_EPOCH_MILLISECONDS else value)
    when = time_of(cell)
    if when is None:
        raise BadValue(f"“{cell[:40]}” in column “{_title(table, index)}” is not a time.")
    return when


def _title(table: Table, index: int) -> str:
    return table.columns[index].name or f"column {index + 1}"


def _run(file: Path, table: Table, layout: Layout, collected: _Collected, source_id: str, name: str) -> ImportedRun:
    series = tuple(
        ImportedSeries.of(_title(table, index), *columns) for index, columns in sorted(collected.points.items())
    )
    texts = {_title(table, index): value for index, value in collected.texts.items()}
    hyperparameters: dict[str, Any] = {
        key: checked_text(value, f"Column “{key}”") for key, value in texts.items() if value is not None
    }
    config: dict[str, Any] = {"file": clean_text(file.name)}
    if left_out := sorted(key for key, value in texts.items() if value is None):
        config["text_columns_left_out"] = left_out
    if layout.run is None:
        hyperparameters |= _hparams_beside(file, config)
    is_running = table.is_torn
    return ImportedRun(
        source="csv",
        source_id=source_id,
        name=name,
        # A file's own time says nothing: a copy is always fresh. Only a line cut short shows that somebody writes.
        status="running" if is_running else "completed",
        group=shortened(collected.group, MAX_NAME_LENGTH) if collected.group else None,
        model_type=model_type_of(hyperparameters.items()),
        started_at=moment(collected.first_time),
        ended_at=None if is_running else moment(collected.last_time),
        config=config,
        hyperparameters=hyperparameters,
        series=series,
        epochs=_epochs(series, layout),
    )


def _epochs(series: tuple[ImportedSeries, ...], layout: Layout) -> tuple[ImportedEpoch, ...]:
    """The epochs of which a column tells; without one, steps are steps however evenly they come."""
    if not layout.steps_are_epochs and not any(is_epoch_number(one.key) for one in series):
        return ()
    return epochs_from_series(series, steps_are_epochs=layout.steps_are_epochs)


def _hparams_beside(file: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Read what Lightning's CSVLogger keeps beside metrics.csv; a broken one does not cost the run its metrics."""
    beside = file.with_name("hparams.yaml")
    if file.name != "metrics.csv" or not beside.exists():
        return {}
    try:
        copied = plain(read_yaml_mapping(beside, file.parent, beside.name), beside.name)
    except (BadValue, OSError) as error:
        config["hparams_yaml_left_out"] = str(error)
        return {}
    return dict(copied)


def _file_name(file: Path) -> str:
    if file.stem.lower() not in _NAMELESS or not file.parent.name:
        return file.stem
    folder = file.parent
    return f"{folder.parent.name}/{folder.name}" if folder.name.startswith("version_") else folder.name


def _source_id(file: Path, run_name: str) -> str:
    digest = hashlib.sha256(os.fsencode(file)).hexdigest()[:24]
    return shortened(f"{clean_text(file.name)}#{digest}" + (f"/{run_name}" if run_name else ""), MAX_SOURCE_ID_LENGTH)
