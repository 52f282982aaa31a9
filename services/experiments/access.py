"""Whose experiments an actor sees; every read of experiments starts here."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, false, select
from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.permissions import Permission
from services.actor import Actor
from services.errors import NotFound


def visible_to(actor: Actor, *, deleted: bool = False) -> Select[Experiment]:
    """The experiments an actor may see: a team's experiments are the team's, deleted ones stay apart."""
    return select(Experiment).where(*visibility(actor, deleted=deleted))


def visibility(actor: Actor, *, deleted: bool = False) -> tuple[ColumnElement[bool], ...]:
    """The conditions of `visible_to`, for queries that select something else than whole experiments."""
    if not actor.may(Permission.VIEW_EXPERIMENTS):
        return (false(),)
    return (Experiment.deleted_at.is_not(None) if deleted else Experiment.deleted_at.is_(None),)


def held(session: Session, ids: Sequence[int], *conditions: ColumnElement[bool]) -> list[int]:
    """Those of the experiments that are there and are so, locked in one order: two who lock several would deadlock."""
    wanted = select(Experiment.id).where(Experiment.id.in_(ids), *conditions).order_by(Experiment.id)
    return list(session.scalars(wanted.with_for_update()))


def get(session: Session, actor: Actor, experiment_id: int, *, lock: bool = False) -> Experiment:
    """One experiment that the actor sees, deleted or not."""
    if not actor.may(Permission.VIEW_EXPERIMENTS) or not 0 < experiment_id < 2**31:
        raise NotFound("experiment")
    query = select(Experiment).where(Experiment.id == experiment_id)
    if lock:
        query = query.with_for_update()
    found = session.scalar(query.execution_options(populate_existing=lock))
    if found is None:
        raise NotFound("experiment")
    return found
