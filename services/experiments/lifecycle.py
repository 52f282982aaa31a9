"""The life of an experiment: created, started, ended once. What its epochs gave is written by epochs.py."""

import math
import zlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, literal, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from database.types import UTCDateTime, now
from models.experiment import ACTIVE, Experiment, ExperimentStatus
from models.experiment_param import ExperimentParam
from models.metric_series import MetricKey, MetricSeries
from models.permissions import Permission
from models.training_run import TrainingRun
from services import job_queue
from services.actor import Actor
from services.errors import Conflict
from services.experiments import groups
from services.experiments.access import get, visibility

MOST_DOUBLINGS, PARTS = 24, 50
_NAMES = 0x5046  # advisory locks of PostgreSQL, one for each name
METRICS_KEPT = 200  # in experiments.metrics, which is a summary; every metric has its series


def unique_name(session: Session, wanted: str) -> str:
    """The wanted name, or with a number that makes it unique: “run”, “run (2)”, the first where none has gone.

    Asked by doubling and then by parts: there may be a hundred thousand runs of one name.
    """
    wanted = wanted[:240]
    _hold_name(session, wanted)
    spelled = {number: f"{wanted} ({number})" for number in (2**power for power in range(1, MOST_DOUBLINGS))}
    taken = _taken(session, {1: wanted, **spelled})
    if 1 not in taken:
        return wanted
    free = next(number for number in spelled if number not in taken)
    last = free // 2
    while free - last > 1:
        step = max(1, (free - last) // PARTS)
        asked = {number: f"{wanted} ({number})" for number in range(last + 1, free, step)}
        taken = _taken(session, asked)
        free = next((number for number in asked if number not in taken), free)
        last = max((number for number in asked if number < free), default=last)
    return f"{wanted} ({free})"


def _taken(session: Session, names: Mapping[int, str]) -> set[int]:
    found = set(session.scalars(select(Experiment.name).where(Experiment.name.in_(names.values()))))
    return {number for number, name in names.items() if name in found}


def _hold_name(session: Session, wanted: str) -> None:
    """Let one after the other look for a free name: of many at once each would else find the same one, and lose it."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_NAMES, zlib.crc32(wanted.encode()) - 2**31)))


def create(session: Session, actor: Actor, *, name: str, **columns: Any) -> Experiment:
    """A new experiment of the actor's, with a unique name made from the given one."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    unique = unique_name(session, name)
    if columns.get("group_name"):
        groups.ensure(session, columns["group_name"], actor.user_id)
    experiment = Experiment(
        name=unique, given_name=None if unique == name else name[:255], created_by=actor.user_id, **columns
    )
    session.add(experiment)
    session.flush()
    set_params(session, experiment, experiment.hyperparameters or {})
    return experiment


def set_params(session: Session, experiment: Experiment, params: Mapping[str, Any]) -> None:
    """Keep hyper-parameters both in full and as rows that lists filter by."""
    experiment.hyperparameters = dict(params)
    known = {
        row.name: row
        for row in session.scalars(select(ExperimentParam).where(ExperimentParam.experiment_id == experiment.id))
    }
    for name, value in params.items():
        if not 0 < len(name) <= 250:
            continue
        row = known.get(name) or ExperimentParam(experiment_id=experiment.id, name=name)
        row.value_text = None if value is None else str(value)[:250]
        row.value_number = as_number(value)
        if name not in known:
            session.add(row)
    session.flush()


def as_number(value: Any) -> float | None:
    """The number that a hyper-parameter is or says, for rows that are filtered by it."""
    if isinstance(value, bool):
        return float(value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def start(session: Session, experiment_id: int) -> bool:
    """Mark a waiting experiment as running; True also when it already ran. Resumed, it keeps its first start."""
    first_start = func.coalesce(Experiment.started_at, literal(now(), UTCDateTime()))
    started = session.execute(
        update(Experiment)
        .where(Experiment.id == experiment_id, Experiment.status == ExperimentStatus.PENDING)
        .values(status=ExperimentStatus.RUNNING, started_at=first_start)
    )
    assert isinstance(started, CursorResult)
    if started.rowcount == 1:
        return True
    status = session.scalar(select(Experiment.status).where(Experiment.id == experiment_id))
    return status == ExperimentStatus.RUNNING


def wait_again(session: Session, experiment_id: int) -> None:
    """Let a running experiment whose worker is gone wait for the next one."""
    session.execute(
        update(Experiment)
        .where(Experiment.id == experiment_id, Experiment.status == ExperimentStatus.RUNNING)
        .values(status=ExperimentStatus.PENDING)
    )


def complete(session: Session, experiment_id: int) -> bool:
    """End a running experiment as completed."""
    return _end(session, experiment_id, ExperimentStatus.COMPLETED, None)


def fail(session: Session, experiment_id: int, reason: str) -> bool:
    """End an experiment as failed, with the reason that people read."""
    return _end(session, experiment_id, ExperimentStatus.FAILED, reason)


def _end(session: Session, experiment_id: int, status: ExperimentStatus, reason: str | None) -> bool:
    experiment = session.scalar(
        select(Experiment)
        .where(Experiment.id == experiment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if experiment is None or not experiment.is_active:
        return False
    experiment.status = status
    experiment.failure_reason = reason
    experiment.ended_at = now()
    if experiment.started_at is not None:
        experiment.duration_seconds = (experiment.ended_at - experiment.started_at).total_seconds()
    summarise(session, experiment)
    session.flush()
    return True


def summarise(session: Session, experiment: Experiment) -> None:
    """Fill `metrics` with the last value of each metric and `best_epoch` from the epochs."""
    rows = session.execute(
        select(MetricKey.name, MetricSeries.last_value)
        .join(MetricSeries, MetricSeries.key_id == MetricKey.id)
        .where(MetricSeries.experiment_id == experiment.id)
        .order_by(MetricKey.name)
        .limit(METRICS_KEPT)
    )
    experiment.metrics = dict(rows.all())
    experiment.best_epoch = best_epoch(session, experiment.id)


def best_epoch(session: Session, experiment_id: int) -> int | None:
    """The epoch that `best_of` finds."""
    found = best_of(session, experiment_id)
    return None if found is None else found[0]


def best_of(session: Session, experiment_id: int) -> tuple[int, str] | None:
    """The first epoch with the highest validation accuracy, or with the lowest validation loss, and by which."""
    for column, order, reason in (
        (TrainingRun.val_accuracy, TrainingRun.val_accuracy.desc(), "highest validation accuracy"),
        (TrainingRun.val_loss, TrainingRun.val_loss.asc(), "lowest validation loss"),
    ):
        found = session.scalar(
            select(TrainingRun.epoch)
            .where(TrainingRun.experiment_id == experiment_id, column.is_not(None))
            .order_by(order, TrainingRun.epoch)
            .limit(1)
        )
        if found is not None:
            return found, reason
    return None


def cancel(session: Session, actor: Actor, experiment_id: int) -> Experiment:
    """Stop an experiment that has not ended; its worker notices at the next epoch."""
    actor.require(Permission.STOP_EXPERIMENTS)
    experiment = get(session, actor, experiment_id, lock=True)
    if experiment.status not in ACTIVE:
        raise Conflict(f"“{experiment.shown_name}” has already ended.")
    _end(session, experiment_id, ExperimentStatus.CANCELLED, None)
    job_queue.cancel_for(session, experiment_id)
    return experiment


def cancel_many(session: Session, actor: Actor, ids: list[int]) -> int:
    """Stop those of the experiments that have not ended; returns how many were stopped."""
    actor.require(Permission.STOP_EXPERIMENTS)
    running = session.scalars(
        select(Experiment.id)
        .where(Experiment.id.in_(ids[:1000]), Experiment.status.in_(ACTIVE), *visibility(actor))
        .order_by(Experiment.id)
        .with_for_update()
    ).all()
    for experiment_id in running:
        cancel(session, actor, experiment_id)
    return len(running)
