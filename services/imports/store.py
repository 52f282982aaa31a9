"""Imported runs become experiments: new, extended by what has been added since, or left as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.types import now
from models.experiment import ACTIVE, Experiment, ExperimentStatus
from models.permissions import Permission
from models.training_run import TrainingRun
from services import audit
from services.actor import Actor
from services.curves import writing
from services.curves.packing import Points
from services.errors import Conflict, Invalid
from services.experiments import editing, epochs, lifecycle, run_tags
from services.imports import parents
from services.imports.run import ImportedEpoch, ImportedRun, ImportedSeries

Outcome = Literal["new", "extended", "unchanged"]
_MODEL_TYPE_WIDTH = Experiment.model_type.type.length
_KEYS_AT_ONCE = 1000  # SQLite takes 32,766 values in one statement
PLANNED = ("epochs", "max_epochs", "num_epochs", "n_epochs", "num_train_epochs")


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one run."""

    experiment_id: int
    outcome: Outcome
    points_added: int
    owner_kept: bool = False  # somebody else owns it, and stays its owner


def store(session: Session, actor: Actor, run: ImportedRun, owner_id: int | None, *, dry_run: bool = False) -> Stored:
    """Keep a run as an experiment, in the caller's transaction; a dry run tells the same and leaves nothing behind."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    attempt = session.begin_nested()
    try:
        stored = _store(session, actor, run, owner_id)
    except BaseException:
        attempt.rollback()
        raise
    if dry_run:
        attempt.rollback()
    else:
        attempt.commit()
    return stored


def conclude(session: Session, actor: Actor, source: str, outcomes: Sequence[Outcome]) -> None:
    """Join children to parents that came after them, and record who brought in how many runs."""
    parents.join_waiting(session, source)
    new, extended = outcomes.count("new"), outcomes.count("extended")
    if new or extended:
        audit.record(session, actor, "experiment.import", source=source, new=new, extended=extended)


def _store(session: Session, actor: Actor, run: ImportedRun, owner_id: int | None) -> Stored:
    experiment = session.scalar(
        select(Experiment)
        .where(Experiment.source == run.source, Experiment.source_id == run.source_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    is_new = experiment is None
    if experiment is None:
        experiment = _create(session, actor, run, owner_id)
        known_tags: dict[str, str] = {}
    else:
        known_tags = dict((experiment.config or {}).get("tags", {}))
    changed = _take_facts(session, run, experiment)
    if experiment.created_by is None and owner_id is not None:
        experiment.created_by = owner_id
        changed = True
    _add_tags(session, actor, experiment, known_tags, run.tags)
    run_tags.keep(session, experiment.id, run.tags)
    added = _append(session, experiment.id, run.series)
    changed |= _take_epochs(session, experiment, run)
    if is_new or changed or added:
        _take_times(run, experiment)
        lifecycle.summarise(session, experiment)
    if run.deleted and (is_new or not known_config(experiment).get("deleted_in_source")):
        experiment.deleted_at = experiment.deleted_at or now()
        experiment.config = known_config(experiment) | {"deleted_in_source": True}
        changed = True
    session.flush()
    outcome: Outcome = "new" if is_new else "extended" if changed or added else "unchanged"
    return Stored(experiment.id, outcome, added, owner_id is not None and experiment.created_by != owner_id)


def known_config(experiment: Experiment) -> dict[str, Any]:
    """The configuration of an experiment, empty where it has none."""
    return experiment.config or {}


def _create(session: Session, actor: Actor, run: ImportedRun, owner_id: int | None) -> Experiment:
    experiment = lifecycle.create(
        session,
        actor,
        name=run.name,
        source=run.source,
        source_id=run.source_id,
        group_name=run.group,
        notes=run.notes,
        status=ExperimentStatus(run.status),
    )
    experiment.created_by = owner_id
    return experiment


def _take_facts(session: Session, run: ImportedRun, experiment: Experiment) -> bool:
    """Take what the source says about the run itself; True when it says something new.

    Notes, name and tags may have been changed here by people since, so they are taken only once.
    """
    before = (experiment.status, experiment.config, experiment.hyperparameters, experiment.artifact_paths)
    experiment.status = ExperimentStatus(run.status)
    if run.model_type:
        experiment.model_type = run.model_type[:_MODEL_TYPE_WIDTH]
    kept = {name: value for name, value in known_config(experiment).items() if name == "deleted_in_source"}
    experiment.config = _as_stored(_config(run)) | kept or None
    experiment.artifact_paths = list(run.artifact_paths) or None
    parameters = _as_stored(run.hyperparameters)
    if parameters != (experiment.hyperparameters or {}):
        lifecycle.set_params(session, experiment, parameters)
    if run.parent_source_id:
        parents.join(session, experiment, run.parent_source_id)
    after = (experiment.status, experiment.config, experiment.hyperparameters, experiment.artifact_paths)
    return before != after


def _config(run: ImportedRun) -> dict[str, Any]:
    """The run's configuration, with what has no column of its own or is longer than its column."""
    more: dict[str, Any] = {}
    if run.tags:
        more["tags"] = dict(run.tags)
    if run.owner:
        more["owner"] = run.owner
    if run.parent_source_id:
        more["parent_source_id"] = run.parent_source_id
    if run.model_type and len(run.model_type) > _MODEL_TYPE_WIDTH:
        more["model_type"] = run.model_type
    return {**run.config, **more}


def _as_stored(value: dict[str, Any]) -> dict[str, Any]:
    # What the database gives back, so that a second import can be compared with it.
    stored: dict[str, Any] = orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    return stored


def _add_tags(
    session: Session, actor: Actor, experiment: Experiment, known: dict[str, str], tags: dict[str, str]
) -> None:
    """Make tags “key:value” of those that keep our rules; all of them stand among the run's keys and values too."""
    if experiment.deleted_at is not None:
        return
    said = {key: value for key, value in tags.items() if known.get(key) != value}
    names = editing.that_fit(session, experiment.id, [name for name in map(_tag_name, said.items()) if name])
    try:
        editing.hold_tags(session, actor, names)
        for name in names:
            editing.put_tag(session, actor, [experiment.id], name)
    except Conflict:
        return  # a word that becomes no tag


def _tag_name(said: tuple[str, str]) -> str | None:
    key, value = said
    try:
        return editing.tag_name(f"{key}:{value}" if value else key)
    except Invalid:
        return None  # too long, several lines or a comma


def _append(session: Session, experiment_id: int, series: Sequence[ImportedSeries]) -> int:
    batch: dict[str, list[Points]] = {}
    for one in series:
        batch.setdefault(one.key, []).append(_points(one))
    keys = list(batch)
    added = 0
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        part = {key: Points.concatenate(batch[key]) for key in keys[start : start + _KEYS_AT_ONCE]}
        added += writing.append(session, experiment_id, part)
    return added


def _points(series: ImportedSeries) -> Points:
    # One NaN for all: packing to single precision loses the bits that tell NaNs apart, and a second import
    # would then take the same point for another one.
    values = np.where(np.isnan(series.values), np.nan, series.values)
    times = np.where(np.isfinite(series.times), series.times, np.nan)
    return Points.of(series.steps, values, times)


def _take_epochs(session: Session, experiment: Experiment, run: ImportedRun) -> bool:
    """Insert new epochs and complete those that were half known; True when there was anything to do."""
    if not run.epochs:
        return False
    known = {
        row.epoch: row for row in session.scalars(select(TrainingRun).where(TrainingRun.experiment_id == experiment.id))
    }
    changed = False
    for epoch in run.epochs:
        cells = _finite_cells(epoch)
        row = known.get(epoch.epoch)
        if row is None:
            session.add(TrainingRun(experiment_id=experiment.id, epoch=epoch.epoch, **cells))
            changed = True
            continue
        for column, value in cells.items():
            if getattr(row, column) != value:
                setattr(row, column, value)
                changed = True
    completed = max(experiment.epochs_completed, max(epoch.epoch for epoch in run.epochs))
    planned = next((n for key in PLANNED if isinstance(n := run.hyperparameters.get(key), int)), 0)
    experiment.epochs_completed = completed
    # A run that is still going on without a plan has no known end.
    if completed <= planned < 2**31:
        experiment.total_epochs = planned
    else:
        experiment.total_epochs = None if experiment.status in ACTIVE else completed
    session.flush()
    return changed


def _finite_cells(epoch: ImportedEpoch) -> dict[str, float]:
    cells = {column: getattr(epoch, column) for column in epochs.EPOCH_COLUMNS}
    return {column: value for column, value in cells.items() if value is not None and np.isfinite(value)}


def _take_times(run: ImportedRun, experiment: Experiment) -> None:
    experiment.started_at, experiment.ended_at = run.started_at, run.ended_at
    if run.started_at is None:
        return
    # The list is sorted by it: hundreds of runs of years ago were not made in the order in which a folder names them.
    experiment.created_at = min(experiment.created_at, run.started_at)
    last = run.ended_at.timestamp() if run.ended_at else _last_time(run)
    seconds = None if last is None else last - run.started_at.timestamp()
    experiment.duration_seconds = seconds if seconds is not None and seconds >= 0 else None


def _last_time(run: ImportedRun) -> float | None:
    known = [float(one.times[np.isfinite(one.times)].max()) for one in run.series if np.isfinite(one.times).any()]
    return max(known, default=None)
