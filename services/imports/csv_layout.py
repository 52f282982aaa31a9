"""Which column of a CSV file is the step, the time, the run, a metric or a word about the run."""

from dataclasses import dataclass

from services.imports.csv_table import Column
from services.imports.synonyms import meaning_of

_STEP_NAMES = ("step", "global_step", "global step", "iteration", "iter", "_step")
_EPOCH_NAMES = ("epoch", "epochs")
_TIME_NAMES = (
    "time",
    "timestamp",
    "datetime",
    "date",
    "wall_time",
    "wall time",
    "walltime",
    "created_at",
    "_timestamp",
)
_RUN_NAMES = ("run_id", "run", "run_name", "experiment_id", "experiment", "experiment_name")
_SMALLEST_EPOCH_SECONDS = 10**8  # below (1973) a number under “time” is a duration, hence a metric


@dataclass(frozen=True)
class Layout:
    """The part that each column plays, by its index."""

    step: int | None
    steps_are_epochs: bool
    time: int | None
    run: int | None
    group: int | None
    metrics: list[int]
    texts: list[int]


def layout_of(columns: list[Column]) -> Layout:
    """Give each column its part by its name, and by its values where names mislead."""
    by_name = {column.name.lower(): index for index, column in reversed(list(enumerate(columns)))}

    def find(names: tuple[str, ...]) -> list[int]:
        return [by_name[name] for name in names if name in by_name and not columns[by_name[name]].is_empty]

    unnamed = by_name.get("")
    runs = find(_RUN_NAMES)
    run = runs[0] if runs else None
    is_index = unnamed is not None and columns[unnamed].ascending_by_one and columns[unnamed].is_numeric
    steps = [index for index in find(_STEP_NAMES) if _counts_steps(columns[index])]
    epochs = [index for index in find(_EPOCH_NAMES) if _counts_steps(columns[index])]
    step = next(iter([*steps, *epochs, *([unnamed] if is_index and unnamed is not None else [])]), None)
    time = next(
        (index for index in [*find(_TIME_NAMES), unnamed] if index is not None and _is_time(columns[index])), None
    )
    taken = {step, time, run, *runs[:2], unnamed if is_index else None}
    rest = [index for index, column in enumerate(columns) if index not in taken and not column.is_empty]
    return Layout(
        step=step,
        steps_are_epochs=step is not None and not steps and step in epochs,
        time=time,
        run=run,
        group=runs[1] if len(runs) > 1 else None,
        metrics=[index for index in rest if _is_metric(columns[index])],
        texts=[index for index in rest if not _is_metric(columns[index])],
    )


def _is_metric(column: Column) -> bool:
    """Numbers are; a word under the name of a loss or an accuracy is a fault of its line and no setting."""
    meaning = meaning_of(column.name)
    return column.is_numeric or (meaning is not None and meaning.column.endswith(("_loss", "_accuracy")))


def is_table_of_trials(columns: list[Column]) -> bool:
    """Tell what Optuna's `trials_dataframe()` writes: a row is a trial of a search, not a step of a training."""
    names = {column.name for column in columns}
    has_value = any(name == "value" or name.startswith("values_") for name in names)
    has_params = any(name.startswith("params_") for name in names)
    return "number" in names and has_value and (has_params or {"state", "datetime_start"} <= names)


def _counts_steps(column: Column) -> bool:
    # One number in all rows is a setting (“epochs” = 50), and 0.5 of an epoch is a measure of its own.
    return column.is_numeric and column.all_whole and (column.numbers == 1 or not column.is_constant)


def _is_time(column: Column) -> bool:
    return column.times > column.numbers + column.texts or (
        column.is_numeric and column.name != "" and column.largest >= _SMALLEST_EPOCH_SECONDS
    )
