"""What is changed of an experiment through the API, and only if it still is as the writer had seen it."""

import hashlib
from collections.abc import Sequence

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.experiment import ACTIVE, Experiment, ExperimentStatus
from models.permissions import Permission
from models.tag import ExperimentTag, Tag
from services import audit
from services.actor import Actor
from services.errors import ChangedMeanwhile, Conflict, Invalid
from services.experiments import editing, lifecycle, reporting
from services.experiments.access import get
from services.text import clean

LONGEST_FAILURE = 5000


def tags_of(session: Session, experiment_id: int) -> list[str]:
    """The tags of an experiment, in order."""
    found = select(Tag.name).join(ExperimentTag, ExperimentTag.tag_id == Tag.id)
    return list(session.scalars(found.where(ExperimentTag.experiment_id == experiment_id).order_by(Tag.name)))


def version(session: Session, experiment: Experiment) -> str:
    """A word for what people change of an experiment; what it measures meanwhile is no change of theirs."""
    said = [
        experiment.id,
        experiment.shown_name,
        experiment.notes,
        tags_of(session, experiment.id),
        experiment.total_epochs,
        experiment.deleted_at,
    ]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()[:24]


def change(
    session: Session,
    actor: Actor,
    experiment_id: int,
    *,
    expected: Sequence[str] | None = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Sequence[str] | None = None,
    total_epochs: int | None = None,
) -> Experiment:
    """Change what is given, if the experiment is in one of the expected versions (None: in whatever one)."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    experiment = get(session, actor, experiment_id, lock=True)
    if expected is not None and version(session, experiment) not in expected:
        raise ChangedMeanwhile("experiment")
    if experiment.deleted_at is not None:
        raise Conflict("This experiment is deleted; restore it first.")
    if name is not None or total_epochs is not None:
        reporting.require_own(actor, experiment)
    if name is not None:
        label = clean(name, field="name", longest=255, shortest=1)
        if label != experiment.shown_name:
            audit.record(session, actor, "experiment.rename", experiments=[experiment_id])
            experiment.given_name = label
    if total_epochs is not None:
        experiment.total_epochs = total_epochs
    if notes is not None:
        editing.set_notes(session, actor, experiment_id, notes)
    if tags is not None:
        _set_tags(session, actor, experiment_id, tags)
    session.flush()
    return experiment


def _set_tags(session: Session, actor: Actor, experiment_id: int, tags: Sequence[str]) -> None:
    wanted = {editing.tag_name(tag) for tag in tags}
    if len(wanted) > editing.MOST_TAGS:
        raise Invalid(f"An experiment carries at most {editing.MOST_TAGS} tags.", field="tags")
    present = set(tags_of(session, experiment_id))
    editing.hold_tags(session, actor, present ^ wanted)
    for name in sorted(present - wanted):
        editing.remove_tag(session, actor, [experiment_id], name)
    for name in sorted(wanted - present):
        editing.add_tag(session, actor, [experiment_id], name)


def end(session: Session, actor: Actor, experiment_id: int, status: str, failure: str | None = None) -> Experiment:
    """End an experiment that reports itself."""
    experiment = reporting.target(session, actor, experiment_id)
    if experiment.status not in ACTIVE:
        raise Conflict(f"“{experiment.shown_name}” has already ended.")
    if experiment.source not in reporting.REPORTED:
        raise Conflict("This experiment is trained here; its end is found out, not told.")
    if status == ExperimentStatus.FAILED:
        reason = clean(failure or "", field="failure", longest=LONGEST_FAILURE, lines=True)
        lifecycle.fail(session, experiment_id, reason or "The program that trained it said so.")
    else:
        lifecycle.complete(session, experiment_id)
    return experiment
