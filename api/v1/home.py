"""`/api/v1/home`: what runs, what ended, what failed lately, what is best; and the end of the demo."""

from datetime import datetime
from typing import Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import demo, home
from services.actor import Actor
from web.rest.answers import Answer
from web.rest.asked import Query
from web.rest.kinds import Moment
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_home", __name__, url_prefix=PREFIX)


class ActiveExperiment(Answer):
    """An experiment that has not ended, with a thinned-out curve of the metric that tells most."""

    id: int
    name: str
    status: str
    model: str | None
    epochs: int | None
    total_epochs: int | None
    started: datetime | None
    metric: str | None
    curve: list[float | None]


class FinishedExperiment(Answer):
    """An experiment that ended lately; `duration` is in seconds."""

    id: int
    name: str
    status: str
    model: str | None
    dataset: str | None
    ended: datetime
    duration: float | None


class FailedExperiment(Answer):
    """An experiment that failed."""

    id: int
    name: str
    ended: datetime
    reason: str | None


class BestExperiment(Answer):
    """The experiment with the highest validation accuracy on a dataset, out of `compared`."""

    id: int
    name: str
    model: str | None
    dataset: str
    accuracy: float
    epoch: int | None
    compared: int


class Home(Answer):
    """At most eight of each; the counts are of all."""

    active: list[ActiveExperiment]
    active_count: int
    finished: list[FinishedExperiment]
    failed: list[FailedExperiment]
    failed_count: int
    failed_since: datetime
    best: list[BestExperiment]
    demo_experiments: int


class HomeQuery(Query):
    """Since when failures count."""

    failed_since: Moment | None = Field(None, description="The first moment; else a week ago.")


class RemovedDemo(Answer):
    """How many experiments went."""

    experiments: int


@operation(blueprint, "GET", "/home", permission=Permission.VIEW_EXPERIMENTS, query=HomeQuery, answer=Home)
def get_home(session: Session, actor: Actor, query: HomeQuery) -> Home:
    """What runs, what ended last, what failed lately, what is best on each dataset"""
    since = query.failed_since or home.first_visit_looks_back_to()
    count, failed = home.failures_since(session, actor, since)
    return Home(
        active=[ActiveExperiment(**row) for row in home.active(session, actor)],
        active_count=home.count_active(session, actor),
        finished=[FinishedExperiment(**row) for row in home.finished(session, actor)],
        failed=[FailedExperiment(**row) for row in failed],
        failed_count=count,
        failed_since=since,
        best=[BestExperiment(**row) for row in home.best_per_dataset(session, actor)],
        demo_experiments=home.demo_count(session, actor),
    )


@operation(
    blueprint,
    "DELETE",
    "/demo",
    permission=Permission.MANAGE_DEMO,
    answer=RemovedDemo,
    description="Its dataset, signals and experiments go for good; what people have trained on them stays.",
)
def remove_demo(session: Session, actor: Actor, **_: Any) -> RemovedDemo:
    """Take the demo away"""
    return RemovedDemo(experiments=demo.remove(session, actor))
