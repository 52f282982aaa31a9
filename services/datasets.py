"""Datasets and their signals, as those read them who may."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.dataset import Dataset
from models.experiment import Experiment
from models.permissions import Permission
from models.signal import Signal
from models.user import User
from services import cursors
from services.actor import Actor
from services.errors import NotFound
from services.owners import shown_name

LARGEST = 2**31


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of datasets starts here: a team's datasets are the team's; with owner and number of experiments."""
    actor.require(Permission.VIEW_DATASETS)
    used = select(func.count()).where(Experiment.dataset_id == Dataset.id, Experiment.deleted_at.is_(None))
    return select(Dataset, shown_name(), used.correlate(Dataset).scalar_subquery()).outerjoin(
        User, User.id == Dataset.created_by
    )


def page(
    session: Session, actor: Actor, *, text: str = "", limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """The newest datasets whose name or description holds the text, and where the next page begins."""
    query = visible_to(actor)
    if text:
        wanted = [column.icontains(text, autoescape=True) for column in (Dataset.name, Dataset.description)]
        query = query.where(wanted[0] | wanted[1])
    return cursors.page(session, query, Dataset.id, limit=limit, cursor=cursor, about=["datasets", text])


def get(session: Session, actor: Actor, dataset_id: int) -> Any:
    """One dataset with its owner and number of experiments."""
    found = session.execute(visible_to(actor).where(Dataset.id == dataset_id)).first() if _is_id(dataset_id) else None
    if found is None:
        raise NotFound("dataset")
    return found


def _is_id(number: int) -> bool:
    return 0 < number < LARGEST


def signals(
    session: Session,
    actor: Actor,
    dataset_id: int,
    *,
    fault: str | None = None,
    severity: str | None = None,
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[Any], str | None]:
    """The signals of a dataset in their order, and where the next page begins."""
    get(session, actor, dataset_id)
    query = select(Signal).where(Signal.dataset_id == dataset_id)
    if fault is not None:
        query = query.where(Signal.fault_class == fault)
    if severity is not None:
        query = query.where(Signal.severity == severity)
    about = ["signals", dataset_id, fault, severity]
    return cursors.page(session, query, Signal.id, limit=limit, cursor=cursor, about=about, ascending=True)


def signal(session: Session, actor: Actor, number: int) -> Signal:
    """One signal."""
    actor.require(Permission.VIEW_DATASETS)
    found = session.get(Signal, number) if _is_id(number) else None
    if found is None:
        raise NotFound("signal")
    return found
