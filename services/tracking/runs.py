"""The life of a run: begun, ended, resumed, deleted, restored."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database.among import among
from database.prepared import Prepared
from database.types import now
from models.experiment import ACTIVE, Experiment, ExperimentStatus
from models.permissions import Permission
from services.actor import Actor
from services.errors import Forbidden
from services.experiments import editing, lifecycle, reporting
from services.experiments.groups import DEFAULT_ID, ensure_default
from services.tracking import groups, ids, tags, values
from services.tracking.errors import InvalidParameter, NotThere

STATUSES: Mapping[str, ExperimentStatus] = {
    "RUNNING": ExperimentStatus.RUNNING,
    "SCHEDULED": ExperimentStatus.PENDING,
    "FINISHED": ExperimentStatus.COMPLETED,
    "FAILED": ExperimentStatus.FAILED,
    "KILLED": ExperimentStatus.CANCELLED,
}
SPOKEN = {ours: theirs for theirs, ours in STATUSES.items()} | {ExperimentStatus.PAUSED: "SCHEDULED"}
_NUMBERS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_ATTEMPTS = 5
RUNS = Experiment.__table__
_COLUMNS = (RUNS.c.id, RUNS.c.status, RUNS.c.source, RUNS.c.created_by, RUNS.c.deleted_at, RUNS.c.epochs_completed)
_TARGET = select(*_COLUMNS)
_LOGGED_TARGETS = Prepared(
    lambda _: (
        select(*_COLUMNS, RUNS.c.source_id)
        .where(RUNS.c.source == ids.SOURCE, among(RUNS.c.source_id, "run_ids"))
        .order_by(RUNS.c.id)
        .with_for_update(key_share=True)
    )
)


class Logged(NamedTuple):
    """A run that was logged under an id of MLflow's form, as its row says it."""

    id: int
    status: ExperimentStatus
    source: str
    created_by: int | None
    deleted_at: datetime | None
    epochs_completed: int
    source_id: str


@dataclass(frozen=True, slots=True)
class Target:
    """A run that the actor may write to."""

    id: int
    run_id: str
    status: ExperimentStatus
    source: str | None
    epochs_completed: int


def number_of(session: Session, actor: Actor, run_id: Any) -> int:
    """The experiment behind a run that the actor sees, deleted or not."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    found = session.scalar(select(Experiment.id).where(ids.run_condition(run_id)))
    if found is None:
        raise NotThere(f"Run with id={run_id} not found")
    return found


def target(session: Session, actor: Actor, run_id: Any, *, lock: bool = False) -> Target:
    """A run that may be written to: one's own, or anybody's for those who manage all of them, and not deleted."""
    actor.require(Permission.RUN_EXPERIMENTS)
    query = _TARGET.where(ids.run_condition(run_id))
    found = session.execute(query.with_for_update(key_share=True) if lock else query).first()
    return _writable(actor, run_id, found)


def lock_logged(session: Session, run_ids: Iterable[Any]) -> dict[str, Logged]:
    """The rows of runs that were logged under these ids, for `logged_target`; locked in one order, all at once."""
    wanted = sorted({run_id for run_id in run_ids if ids.is_logged(run_id)})
    if not wanted:
        return {}
    found = (Logged(*row) for row in _LOGGED_TARGETS.rows(session.connection(), {"run_ids": wanted}))
    return {row.source_id: row for row in found}


def logged_target(session: Session, actor: Actor, run_id: Any, locked: Mapping[str, Logged]) -> Target:
    """The same as `target`, of rows that are locked already; a run that came another way is locked now."""
    if not ids.is_logged(run_id):
        return target(session, actor, run_id, lock=True)
    actor.require(Permission.RUN_EXPERIMENTS)
    return _writable(actor, run_id, locked.get(run_id))


def _writable(actor: Actor, run_id: Any, found: Any) -> Target:
    if found is None:
        raise NotThere(f"Run with id={run_id} not found")
    _require_own(actor, found.created_by)
    if found.deleted_at is not None:
        raise InvalidParameter(f"The run {run_id} must be in the 'active' state. Current state is deleted.")
    return Target(found.id, run_id, found.status, found.source, found.epochs_completed)


def _require_own(actor: Actor, owner: int | None) -> None:
    # Anybody of the team may tag and annotate an experiment, but what it measured is its author's word alone.
    if owner != actor.user_id and not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        raise Forbidden("This run is another person's; only they and admins write to it.")


def create(
    session: Session,
    actor: Actor,
    *,
    group: Any,
    name: Any,
    start_time: Any,
    given_tags: Mapping[str, str],
) -> int:
    """Begin a run; its number."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    if ids.group_id(DEFAULT_ID if group in (None, "") else group) == DEFAULT_ID:
        group_name = None
        ensure_default(session)
    else:
        found = groups.get(session, actor, group, hold=True)
        if found.deleted_at is not None:
            raise groups.deleted(found)
        group_name = found.name
    run_id = uuid.uuid4().hex
    label = _name(name) or _name(given_tags.get(tags.NAME)) or f"run-{run_id[:8]}"
    if name and given_tags.get(tags.NAME) and name != given_tags[tags.NAME]:
        raise InvalidParameter(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
            f"(run_name='{str(name)[:100]}', mlflow.runName='{given_tags[tags.NAME][:100]}')."
        )
    begun = now() if start_time is None else values.moment(start_time, "start_time")
    experiment = _insert(
        session,
        actor,
        name=label,
        source=ids.SOURCE,
        source_id=run_id,
        group_name=group_name,
        status=ExperimentStatus.RUNNING,
        started_at=begun,
    )
    tags.put(session, experiment.id, {key: said for key, said in given_tags.items() if key != tags.NAME})
    return experiment.id


def _insert(session: Session, actor: Actor, **columns: Any) -> Experiment:
    """Two runs of one name at once: the second takes the next free name."""
    for _ in range(_ATTEMPTS - 1):
        try:
            with session.begin_nested():
                return lifecycle.create(session, actor, **columns)
        except IntegrityError:
            continue
    return lifecycle.create(session, actor, **columns)


def _name(given: Any) -> str | None:
    if given is None:
        return None
    return values.text(given, "run_name", longest=values.LONGEST_NAME, shortened=True).strip() or None


def update(session: Session, actor: Actor, run_id: Any, *, status: Any, end_time: Any, name: Any) -> int:
    """Change status, end and name of a run; its number."""
    aim = target(session, actor, run_id, lock=True)
    experiment = session.get_one(Experiment, aim.id, populate_existing=True)
    if label := _name(name):
        experiment.given_name = label
    wanted = _status(status)
    ended = None if end_time is None else values.moment(end_time, "end_time")
    if aim.source not in reporting.REPORTED:
        if wanted is not None and wanted != experiment.status:
            raise InvalidParameter("This run was not begun through an API, so its status is not changed here.")
        wanted = ended = None
    if wanted is not None:
        experiment.status = wanted
        if wanted in ACTIVE:
            experiment.ended_at = None  # resumed, as MLflow lets a script do
        else:
            _end(session, experiment, ended or now())
    elif ended is not None and experiment.status not in ACTIVE:
        _end(session, experiment, ended)
    session.flush()
    return aim.id


def _status(given: Any) -> ExperimentStatus | None:
    if given is None:
        return None
    word = _NUMBERS.get(given) if isinstance(given, int) and not isinstance(given, bool) else given
    if not isinstance(word, str) or word not in STATUSES:
        raise InvalidParameter(f"Invalid value for parameter 'status' supplied: one of {', '.join(STATUSES)}.")
    return STATUSES[word]


def _end(session: Session, experiment: Experiment, ended: datetime) -> None:
    experiment.ended_at = ended
    if experiment.started_at is not None:
        seconds = (ended - experiment.started_at).total_seconds()
        experiment.duration_seconds = seconds if seconds >= 0 else None
    if experiment.epochs_completed and experiment.total_epochs is None:
        experiment.total_epochs = experiment.epochs_completed
    lifecycle.summarise(session, experiment)


def delete(session: Session, actor: Actor, run_id: Any) -> None:
    """Put a run aside; one that still runs is cancelled."""
    number = number_of(session, actor, run_id)
    if session.scalar(select(Experiment.deleted_at).where(Experiment.id == number)) is None:
        editing.delete_experiments(session, actor, [number])


def restore(session: Session, actor: Actor, run_id: Any) -> None:
    """Bring a run back."""
    number = number_of(session, actor, run_id)
    owner, gone = session.execute(
        select(Experiment.created_by, Experiment.deleted_at).where(Experiment.id == number)
    ).one()
    if gone is not None:
        _require_own(actor, owner)
        editing.restore_experiments(session, actor, [number])
