"""Explanations of predictions, as those read them who may."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.explanation import Explanation
from models.permissions import Permission
from services import cursors
from services.actor import Actor
from services.errors import NotFound
from services.experiments.access import visibility


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of explanations starts here: those of experiments that the actor sees."""
    actor.require(Permission.VIEW_XAI_EXPLANATIONS)
    seen = select(Experiment.id).where(*visibility(actor))
    return select(Explanation).where(Explanation.experiment_id.in_(seen))


def page(
    session: Session,
    actor: Actor,
    *,
    experiment_id: int | None = None,
    signal_id: str | None = None,
    method: str | None = None,
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[Any], str | None]:
    """The newest explanations that match, and where the next page begins."""
    query = visible_to(actor)
    if experiment_id is not None:
        query = query.where(Explanation.experiment_id == experiment_id)
    if signal_id is not None:
        query = query.where(Explanation.signal_id == signal_id)
    if method is not None:
        query = query.where(Explanation.method == method)
    about = ["explanations", experiment_id, signal_id, method]
    return cursors.page(session, query, Explanation.id, limit=limit, cursor=cursor, about=about)


def get(session: Session, actor: Actor, number: int) -> Explanation:
    """One explanation."""
    query = visible_to(actor).where(Explanation.id == number)
    found: Explanation | None = session.scalar(query) if number < 2**31 else None
    if found is None:
        raise NotFound("explanation")
    return found
