"""Runs inside runs: a child is joined to its parent as soon as both are there."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.experiment import Experiment


def join(session: Session, experiment: Experiment, parent_source_id: str) -> None:
    """Name the parent of an imported experiment when it is there and none has been named yet."""
    if experiment.parent_id is not None:
        return
    parent_id = session.scalar(
        select(Experiment.id).where(Experiment.source == experiment.source, Experiment.source_id == parent_source_id)
    )
    if parent_id is not None and not _descends_from(session, parent_id, experiment.id):
        experiment.parent_id = parent_id
        session.flush()


def join_waiting(session: Session, source: str) -> None:
    """Join the children that came before their parents, whichever import brought either."""
    wanted = Experiment.config["parent_source_id"].as_string()
    waiting = session.execute(
        select(Experiment, wanted)
        .where(Experiment.source == source, Experiment.parent_id.is_(None), wanted.is_not(None))
        .order_by(Experiment.id)
    ).all()
    for experiment, parent_source_id in waiting:
        join(session, experiment, parent_source_id)


def _descends_from(session: Session, experiment_id: int, ancestor_id: int) -> bool:
    # A damaged store may name two runs each other's parent; a page that walks up would never end.
    current: int | None = experiment_id
    seen: set[int] = set()
    while current is not None and current not in seen:
        if current == ancestor_id:
            return True
        seen.add(current)
        current = session.scalar(select(Experiment.parent_id).where(Experiment.id == current))
    return False
