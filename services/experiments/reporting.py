"""Experiments whose program tells of them through our own API: begun, and the points that it sends."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database.types import now
from models.dataset import Dataset
from models.experiment import ACTIVE, Experiment, ExperimentStatus
from models.permissions import Permission
from services import audit
from services.actor import Actor
from services.curves import writing
from services.curves.packing import Points
from services.errors import Conflict, Forbidden, Invalid, NotFound
from services.experiments import editing, lifecycle
from services.experiments.access import get
from services.text import clean
from services.tracking import epochs

SOURCE = "api"
REPORTED = frozenset({SOURCE, "mlflow"})
_ATTEMPTS = 5


def begin(
    session: Session,
    actor: Actor,
    *,
    name: str,
    notes: str | None = None,
    group: str | None = None,
    dataset_id: int | None = None,
    parent_id: int | None = None,
    tags: Sequence[str] = (),
    hyperparameters: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Experiment:
    """A new experiment that runs from now on, until its program says that it has ended."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    if dataset_id is not None:
        _check_dataset(session, actor, dataset_id)
    if parent_id is not None:
        try:
            get(session, actor, parent_id)
        except NotFound as error:
            raise Invalid("There is no such experiment.", field="parent_id") from error
    experiment = _insert(
        session,
        actor,
        name=clean(name, field="name", longest=255, shortest=1),
        notes=clean(notes or "", field="notes", longest=50_000, lines=True) or None,
        group_name=clean(group or "", field="group", longest=255) or None,
        dataset_id=dataset_id,
        parent_id=parent_id,
        source=SOURCE,
        status=ExperimentStatus.RUNNING,
        started_at=now(),
        hyperparameters=dict(hyperparameters or {}),
        **columns,
    )
    names = list(dict.fromkeys(editing.tag_name(tag) for tag in tags))
    editing.hold_tags(session, actor, names)
    for tag in names:
        editing.put_tag(session, actor, [experiment.id], tag)
    audit.record(session, actor, "experiment.create", experiments=[experiment.id])
    return experiment


def _check_dataset(session: Session, actor: Actor, dataset_id: int) -> None:
    known = select(Dataset.id).where(Dataset.id == dataset_id)
    if not actor.may(Permission.VIEW_DATASETS) or session.scalar(known) is None:
        raise Invalid("There is no such dataset.", field="dataset_id")


def _insert(session: Session, actor: Actor, **columns: Any) -> Experiment:
    """Two of one name at once: the second takes the next free name."""
    for _ in range(_ATTEMPTS - 1):
        try:
            with session.begin_nested():
                return lifecycle.create(session, actor, **columns)
        except IntegrityError:
            continue
    return lifecycle.create(session, actor, **columns)


def require_own(actor: Actor, experiment: Experiment) -> None:
    """Anybody of the team may tag and annotate an experiment, but what it measured is its author's word alone."""
    if experiment.created_by != actor.user_id and not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        raise Forbidden("This experiment is another person's; only they and admins write to it.")


def target(session: Session, actor: Actor, experiment_id: int) -> Experiment:
    """An experiment that may be written to: one's own, or anybody's for admins, locked, and not deleted."""
    actor.require(Permission.RUN_EXPERIMENTS)
    experiment = get(session, actor, experiment_id, lock=True)
    require_own(actor, experiment)
    if experiment.deleted_at is not None:
        raise Conflict("This experiment is deleted; restore it first.")
    return experiment


def record(session: Session, actor: Actor, experiment_id: int, points: Mapping[str, Points]) -> int:
    """Keep points and say how many were new; what comes again is kept once."""
    # The experiment before its series, as everybody locks them.
    experiment = target(session, actor, experiment_id)
    extended = writing.extend(session, {(experiment_id, name): one for name, one in points.items()})
    epochs.take(session, extended, {experiment_id: experiment.epochs_completed})
    if extended and experiment.status not in ACTIVE:
        lifecycle.summarise(session, experiment)  # its summary was made when it ended
    return sum(len(one.fresh) for one in extended.values())
