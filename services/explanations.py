"""Explanations of predictions: read by those who may, kept and removed."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.explanation import Explanation
from models.permissions import Permission
from services import audit, cursors
from services.actor import Actor
from services.errors import Forbidden, Invalid, NotFound
from services.experiments.access import visibility
from services.text import clean


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


def create(
    session: Session,
    actor: Actor,
    *,
    experiment_id: int,
    signal_id: str,
    method: str,
    explanation_data: Mapping[str, Any],
) -> Explanation:
    """Keep what was found out about an experiment that the actor sees."""
    actor.require(Permission.USE_XAI_DASHBOARD)
    actor.require(Permission.VIEW_XAI_EXPLANATIONS)
    # Held, so that nobody removes it for good meanwhile.
    seen = select(Experiment.id).where(Experiment.id == experiment_id, *visibility(actor)).with_for_update(read=True)
    if session.scalar(seen) is None:
        raise Invalid("There is no such experiment.", field="experiment_id")
    made = Explanation(
        experiment_id=experiment_id,
        signal_id=clean(signal_id, field="signal_id", longest=100, shortest=1),
        method=clean(method, field="method", longest=50, shortest=1),
        explanation_data=dict(explanation_data),
    )
    session.add(made)
    session.flush()
    audit.record(session, actor, "explanation.create", explanation=made.id, experiments=[experiment_id])
    return made


def remove(session: Session, actor: Actor, number: int) -> None:
    """Remove an explanation of one's own experiment, or of anybody's for admins."""
    actor.require(Permission.USE_XAI_DASHBOARD)
    found = get(session, actor, number)
    owner = session.scalar(select(Experiment.created_by).where(Experiment.id == found.experiment_id))
    if (owner is None or owner != actor.user_id) and not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        raise Forbidden("This experiment is another person's; only they and admins remove its explanations.")
    session.delete(found)
    session.flush()
    audit.record(
        session, actor, "explanation.delete", explanation=number, experiments=[found.experiment_id], kind=found.method
    )
