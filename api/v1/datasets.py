"""`/api/v1/datasets` and their signals, and `/api/v1/tags`."""

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import datasets, tag_list
from services.actor import Actor
from web.rest.answers import Answer, Listed, Reply, listed
from web.rest.kinds import Json, Paged, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_datasets", __name__, url_prefix=PREFIX)


class Dataset(Answer):
    """A named collection of signals."""

    id: int
    name: str
    description: str | None
    num_signals: int
    fault_types: list[Any] | None
    severity_levels: list[Any] | None
    meta_data: Json | None
    owner: str | None
    experiments: int
    is_demo: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, found: Any) -> "Dataset":
        """From a row with owner and number of experiments."""
        return cls.from_row(found[0], owner=found[1], experiments=found[2])


class Signal(Answer):
    """One vibration record of a dataset."""

    id: int
    dataset_id: int
    signal_id: str
    fault_class: str | None
    severity: str | None
    rms: float | None
    kurtosis: float | None
    dominant_frequency: float | None


class Tag(Answer):
    """A word that groups experiments."""

    id: int
    name: str
    color: str | None
    usage_count: int


class TextQuery(Paged):
    """Which of them."""

    text: Annotated[str, line(100)] = ""


class SignalQuery(Paged):
    """Which signals."""

    fault: Annotated[str, line(50, 1)] | None = None
    severity: Annotated[str, line(50, 1)] | None = None


@operation(
    blueprint,
    "GET",
    "/datasets",
    permission=Permission.VIEW_DATASETS,
    query=TextQuery,
    answer=Listed[Dataset],
    table=Dataset,
)
def list_datasets(session: Session, actor: Actor, query: TextQuery) -> Reply:
    """The datasets, the newest first"""
    rows, following = datasets.page(session, actor, text=query.text, limit=query.limit, cursor=query.cursor)
    return listed(Listed[Dataset](items=[Dataset.of(row) for row in rows], next=following))


@operation(blueprint, "GET", "/datasets/<int:dataset_id>", permission=Permission.VIEW_DATASETS, answer=Dataset)
def get_dataset(session: Session, actor: Actor, dataset_id: int, **_: Any) -> Dataset:
    """One dataset"""
    return Dataset.of(datasets.get(session, actor, dataset_id))


@operation(
    blueprint,
    "GET",
    "/datasets/<int:dataset_id>/signals",
    permission=Permission.VIEW_DATASETS,
    query=SignalQuery,
    answer=Listed[Signal],
    table=Signal,
)
def list_signals(session: Session, actor: Actor, dataset_id: int, query: SignalQuery) -> Reply:
    """The signals of a dataset with their features"""
    rows, following = datasets.signals(session, actor, dataset_id, **query.model_dump())
    return listed(Listed[Signal](items=[Signal.from_row(row[0]) for row in rows], next=following))


@operation(blueprint, "GET", "/signals/<int:number>", permission=Permission.VIEW_DATASETS, answer=Signal)
def get_signal(session: Session, actor: Actor, number: int, **_: Any) -> Signal:
    """One signal"""
    return Signal.from_row(datasets.signal(session, actor, number))


@operation(
    blueprint,
    "GET",
    "/tags",
    permission=Permission.VIEW_EXPERIMENTS,
    query=TextQuery,
    answer=Listed[Tag],
    table=Tag,
)
def list_tags(session: Session, actor: Actor, query: TextQuery) -> Reply:
    """The tags of experiments by name"""
    rows, following = tag_list.page(session, actor, **query.model_dump())
    return listed(Listed[Tag](items=[Tag.from_row(row) for row in rows], next=following))
