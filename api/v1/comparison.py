"""`/api/v1/comparison`: experiments side by side."""

from typing import Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import compare
from services.actor import Actor
from services.compare import MOST_EXPERIMENTS
from web.rest.answers import Answer
from web.rest.asked import Query
from web.rest.kinds import Id, Value, special
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_comparison", __name__, url_prefix=PREFIX)


class ComparedExperiment(Answer):
    """One of the experiments; the values of each row stand in their order."""

    id: int
    name: str
    status: str


class ComparedParameter(Answer):
    """A fact, hyper-parameter or value of the configuration in all experiments, however each of them writes it."""

    name: str
    kind: Literal["fact", "parameter"]
    values: list[str | None]
    differs: bool


class ComparedMetric(Answer):
    """A metric in all experiments; `winners` are the ids of those with the best value."""

    name: str
    direction: Literal["min", "max"] | None
    best: list[float | None]
    last: list[Value | None]
    winners: list[int]
    differs: bool


class Comparison(Answer):
    """Experiments side by side; `left_out` are those that are deleted or were never there."""

    experiments: list[ComparedExperiment]
    parameters: list[ComparedParameter]
    metrics: list[ComparedMetric]
    left_out: list[int]


class ComparisonQuery(Query):
    """Which experiments."""

    id: list[Id] = Field(min_length=1, max_length=MOST_EXPERIMENTS, description="Once for each experiment.")
    only_differences: Literal["true", "false"] = Field("false", description="Only rows in which they differ.")


@operation(
    blueprint,
    "GET",
    "/comparison",
    permission=Permission.VIEW_EXPERIMENTS,
    query=ComparisonQuery,
    answer=Comparison,
)
def compare_experiments(session: Session, actor: Actor, query: ComparisonQuery) -> Comparison:
    """What some experiments were made of and how far each metric came, side by side"""
    found, only = compare.chosen(session, actor, query.id), query.only_differences == "true"
    ids = [one.id for one in found]
    parameters = [
        ComparedParameter(
            name=row.name, kind="fact" if row.is_fact else "parameter", values=list(row.values), differs=row.differs
        )
        for row in compare.param_rows(found)
        if row.differs or not only
    ]
    metrics = [
        ComparedMetric(
            name=row.name,
            direction=row.direction,
            best=list(row.best),
            last=[None if value is None else special(float(value)) for value in row.last],
            winners=[ids[place] for place in sorted(row.winners)],
            differs=row.differs,
        )
        for row in compare.metric_rows(session, found)
        if row.differs or not only
    ]
    return Comparison(
        experiments=[ComparedExperiment.from_row(one) for one in found],
        parameters=parameters,
        metrics=metrics,
        left_out=[number for number in dict.fromkeys(query.id) if number not in ids],
    )
