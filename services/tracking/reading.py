"""Runs as MLflow writes them: so many statements for a page, however long it is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session, aliased

from models.experiment import Experiment
from models.experiment_group import ExperimentGroup
from models.logged_model import LoggedModel
from models.metric_series import MetricKey, MetricSeries
from models.run_input import RunInput
from models.run_tag import RunTag
from models.user import User
from services.experiments.groups import DEFAULT_ID
from services.tracking import ids, inputs, params, runs, tags, values

MOST_BYTES = 16_000_000  # of the texts of a page; the rest stands on the next one
T = TypeVar("T")
Parent = aliased(Experiment)


def run(session: Session, number: int) -> dict[str, Any]:
    """One run with all that belongs to it."""
    (found,) = page(session, [number])
    return found


def info(session: Session, number: int) -> dict[str, Any]:
    """What MLflow calls the info of a run."""
    (row,) = _rows(session, [number])
    return _info(row)


def fitting(session: Session, numbers: Sequence[int]) -> list[int]:
    """The first of these runs whose texts are small enough for one answer, at least one."""
    if len(numbers) < 2:
        return list(numbers)
    size = (
        func.coalesce(func.length(cast(Experiment.hyperparameters, String)), 0)
        + func.coalesce(func.length(Experiment.notes), 0)
        + select(func.coalesce(func.sum(func.length(RunTag.value) + 100), 0))
        .where(RunTag.experiment_id == Experiment.id)
        .scalar_subquery()
        + select(func.coalesce(func.sum(func.length(cast(RunInput.facts, String)) + 600), 0))
        .where(RunInput.experiment_id == Experiment.id)
        .scalar_subquery()
        + select(func.count() * 200).where(MetricSeries.experiment_id == Experiment.id).scalar_subquery()
    )
    sizes: dict[int, int] = dict(session.execute(select(Experiment.id, size).where(Experiment.id.in_(numbers))).all())
    total = 0
    kept: list[int] = []
    for number in numbers:
        total += int(sizes.get(number, 0))
        if kept and total > MOST_BYTES:
            break
        kept.append(number)
    return kept


def page(session: Session, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Runs in the order of their numbers here."""
    if not numbers:
        return []
    rows = {row.id: row for row in _rows(session, numbers)}
    measured, noted = _metrics(session, numbers), _tags(session, numbers)
    fed, saved = _inputs(session, numbers), _outputs(session, numbers)
    return [
        {
            "info": _info(rows[number]),
            "data": {
                "metrics": measured[number],
                "params": [
                    {"key": name, "value": params.spoken(value)}
                    for name, value in (rows[number].hyperparameters or {}).items()
                ],
                "tags": _with_own(rows[number], noted[number]),
            },
            "inputs": {
                "dataset_inputs": [one for kind, one in fed[number] if kind == inputs.DATASET],
                "model_inputs": [one for kind, one in fed[number] if kind == inputs.MODEL],
            },
            "outputs": {"model_outputs": saved[number]},
        }
        for number in numbers
        if number in rows
    ]


def _rows(session: Session, numbers: Sequence[int]) -> Sequence[Any]:
    return session.execute(
        select(
            Experiment.id,
            Experiment.source,
            Experiment.source_id,
            func.coalesce(Experiment.given_name, Experiment.name).label("shown_name"),
            Experiment.status,
            Experiment.created_at,
            Experiment.started_at,
            Experiment.ended_at,
            Experiment.deleted_at,
            Experiment.notes,
            Experiment.hyperparameters,
            User.username,
            ExperimentGroup.id.label("group_id"),
            Parent.id.label("parent_number"),
            Parent.source.label("parent_source"),
            Parent.source_id.label("parent_source_id"),
        )
        .outerjoin(User, User.id == Experiment.created_by)
        .outerjoin(ExperimentGroup, ExperimentGroup.name == Experiment.group_name)
        .outerjoin(Parent, Parent.id == Experiment.parent_id)
        .where(Experiment.id.in_(numbers))
    ).all()


def _info(row: Any) -> dict[str, Any]:
    run_id = ids.run_id(row.source, row.source_id, row.id)
    group = DEFAULT_ID if row.group_id is None else row.group_id
    told = {
        "run_id": run_id,
        "run_uuid": run_id,
        "run_name": row.shown_name,
        "experiment_id": str(group),
        "user_id": row.username or "",
        "status": runs.SPOKEN[row.status],
        "start_time": values.in_milliseconds(row.started_at or row.created_at),
        "end_time": values.in_milliseconds(row.ended_at),
        "artifact_uri": f"mlflow-artifacts:/{group}/{run_id}/artifacts",
        "lifecycle_stage": "active" if row.deleted_at is None else "deleted",
    }
    return {name: value for name, value in told.items() if value is not None}


def _with_own(row: Any, noted: dict[str, str]) -> list[dict[str, str]]:
    """The tags that were said, and those that stand in columns of ours."""
    own = {tags.NAME: row.shown_name}
    if row.notes:
        own[tags.NOTE] = row.notes
    if row.parent_number is not None:
        own[tags.PARENT] = ids.run_id(row.parent_source, row.parent_source_id, row.parent_number)
    if row.username:
        own.setdefault(tags.USER, noted.get(tags.USER, row.username))
    return [{"key": key, "value": value} for key, value in (noted | own).items()]


def latest(key: str, row: Any) -> dict[str, Any]:
    """The last point of a series."""
    value = float(row.last_special) if row.last_value is None and row.last_special else row.last_value
    return {
        "key": key,
        "value": "NaN" if value is None else values.spoken(value),
        "timestamp": 0 if row.last_time is None else round(row.last_time * 1000),
        "step": row.last_step or 0,
    }


def _metrics(session: Session, numbers: Sequence[int]) -> defaultdict[int, list[dict[str, Any]]]:
    found = session.execute(
        select(
            MetricSeries.experiment_id,
            MetricKey.name,
            MetricSeries.last_value,
            MetricSeries.last_special,
            MetricSeries.last_time,
            MetricSeries.last_step,
        )
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(MetricSeries.experiment_id.in_(numbers), MetricSeries.points > 0)
        .order_by(MetricSeries.experiment_id, MetricKey.name)
    )
    return _by_run((row.experiment_id, latest(row.name, row)) for row in found)


def _tags(session: Session, numbers: Sequence[int]) -> defaultdict[int, dict[str, str]]:
    noted: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for number, name, value in session.execute(
        select(RunTag.experiment_id, RunTag.name, RunTag.value)
        .where(RunTag.experiment_id.in_(numbers))
        .order_by(RunTag.experiment_id, RunTag.name)
    ):
        noted[number][name] = value
    return noted


def _inputs(session: Session, numbers: Sequence[int]) -> defaultdict[int, list[tuple[str, dict[str, Any]]]]:
    found = session.execute(
        select(RunInput.experiment_id, RunInput.kind, RunInput.name, RunInput.digest, RunInput.facts)
        .where(RunInput.experiment_id.in_(numbers))
        .order_by(RunInput.experiment_id, RunInput.name, RunInput.digest)
    )
    return _by_run((number, (kind, inputs.spoken(kind, *rest))) for number, kind, *rest in found)


def _outputs(session: Session, numbers: Sequence[int]) -> defaultdict[int, list[dict[str, Any]]]:
    found = session.execute(
        select(LoggedModel.experiment_id, LoggedModel.model_id, LoggedModel.step)
        .where(LoggedModel.experiment_id.in_(numbers), LoggedModel.step.is_not(None), LoggedModel.deleted_at.is_(None))
        .order_by(LoggedModel.id)
    )
    return _by_run((number or 0, {"model_id": name, "step": step}) for number, name, step in found)


def _by_run(pairs: Iterable[tuple[int, T]]) -> defaultdict[int, list[T]]:
    found: defaultdict[int, list[T]] = defaultdict(list)
    for number, one in pairs:
        found[number].append(one)
    return found
