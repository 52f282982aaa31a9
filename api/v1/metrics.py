"""`/api/v1/experiments/{id}/metrics`: what an experiment measures, read and written; and its epochs."""

from typing import Annotated, Any

import numpy as np
from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from api.v1.experiments import ONE
from models.permissions import Permission
from services import cursors
from services.actor import Actor
from services.curves import series
from services.curves.packing import Points
from services.curves.series import Summary, Window
from services.errors import NotFound
from services.experiments import details, reporting
from web.rest.answers import Answer, Listed, Reply, listed, wants_table
from web.rest.asked import Body, Query
from web.rest.kinds import CURSOR_WORDS, LARGEST_ID, Cursor, Paged, Seconds, Special, Step, Value, line, special
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_metrics", __name__, url_prefix=PREFIX)
MetricName = Annotated[str, line(250, 1)]
MOST_POINTS = 10_000


class Metric(Answer):
    """A metric without its points; the best is the lowest or the highest, where its name says which."""

    name: str
    points: int
    first_step: int | None
    last_step: int | None
    last: Value | None
    lowest: float | None
    lowest_step: int | None
    highest: float | None
    highest_step: int | None
    best: float | None
    best_step: int | None
    nonfinite: int

    @classmethod
    def of(cls, found: Summary) -> "Metric":
        """From what the series tells."""
        return cls(
            **{name: getattr(found, name) for name in cls.model_fields if name != "last"},
            last=found.last if found.last_special is None else special(float(found.last_special)),
        )


class Columns(Answer):
    """Points as three columns of one length, such as `pandas.DataFrame` takes them; times are seconds since 1970."""

    step: list[int]
    value: list[float | Special]
    time: list[float | None]


class PointRow(Answer):
    """A point as a row of a table."""

    step: int
    value: Value
    time: float | None


class Series(Answer):
    """The points of a metric."""

    experiment_id: int
    metric: str
    points: Columns
    next: str | None


class SeriesQuery(Query):
    """Which points of a metric."""

    limit: Annotated[int, Field(ge=1, le=MOST_POINTS, description="How many points at the most.")] = 10_000
    cursor: Cursor | None = Field(None, description=CURSOR_WORDS)
    from_step: Step | None = Field(None, description="The first step that is wanted.")
    to_step: Step | None = Field(None, description="The last step that is wanted.")
    points: Annotated[int, Field(ge=16, le=MOST_POINTS)] | None = Field(
        None, description="Instead of pages: so many points that draw the same curve, every spike among them."
    )


class Point(Body):
    """One value of one metric at one step."""

    metric: MetricName
    step: Step
    value: float | Special
    time: Seconds | None = None


class EpochQuery(Query):
    """Which epoch."""

    epoch: Annotated[int, Field(ge=0, le=LARGEST_ID, description="The last one without it.")] | None = None


class ClassScores(Answer):
    """How well a class is told from the others."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None


class ConfusionMatrix(Answer):
    """What was predicted (columns) of what is true (rows) after an epoch; not every epoch need have one."""

    epoch: int
    first_epoch: int
    last_epoch: int
    labels: list[str]
    counts: list[list[int]]
    classes: list[ClassScores]


class Batch(Body):
    """Points of an experiment; those that are there already are left as they are."""

    points: list[Point] = Field(min_length=1, max_length=MOST_POINTS)


class Stored(Answer):
    """What a batch has brought."""

    received: int
    stored: int = Field(description="How many of them were new.")


class TrainingRun(Answer):
    """One epoch."""

    epoch: int
    train_loss: Value | None
    val_loss: Value | None
    train_accuracy: Value | None
    val_accuracy: Value | None
    learning_rate: float | None
    duration_seconds: float | None


@operation(
    blueprint,
    "GET",
    f"{ONE}/training-runs",
    permission=Permission.VIEW_EXPERIMENTS,
    query=Paged,
    answer=Listed[TrainingRun],
    table=TrainingRun,
)
def list_training_runs(session: Session, actor: Actor, experiment_id: int, query: Paged) -> Reply:
    """The epochs of an experiment, in order"""
    about = ["training-runs", experiment_id]
    after = cursors.read(query.cursor, about)[0] if query.cursor else -1
    found = details.epochs(session, actor, experiment_id, after)
    rows = [TrainingRun(**{name: _said(value) for name, value in row.items()}) for row in found[: query.limit]]
    following = cursors.write(about, [rows[-1].epoch]) if len(found) > query.limit else None
    return listed(Listed[TrainingRun](items=rows, next=following))


def _said(value: Any) -> Any:
    return special(value) if isinstance(value, float) else value


@operation(
    blueprint,
    "GET",
    f"{ONE}/confusion-matrix",
    permission=Permission.VIEW_EXPERIMENTS,
    query=EpochQuery,
    answer=ConfusionMatrix,
    table=ClassScores,
    description="As a table it has a row for each class, with its scores.",
)
def get_confusion_matrix(session: Session, actor: Actor, experiment_id: int, query: EpochQuery) -> Reply:
    """The confusion matrix of an epoch, or the last before it, with the scores of each class"""
    span = details.matrix_span(session, actor, experiment_id)
    found = details.matrix(session, actor, experiment_id, (span or (0, 0))[1] if query.epoch is None else query.epoch)
    if span is None or found is None:
        raise NotFound("confusion matrix")
    scores = zip(found.labels, found.precision, found.recall, found.f1, strict=True)
    classes = [ClassScores(label=label, precision=p, recall=r, f1=f1) for label, p, r, f1 in scores]
    told = ConfusionMatrix(
        epoch=found.epoch,
        first_epoch=span[0],
        last_epoch=span[1],
        labels=list(found.labels),
        counts=[list(line) for line in found.counts],
        classes=classes,
    )
    return Reply(told, {}, [one.model_dump() for one in classes])


@operation(
    blueprint,
    "GET",
    f"{ONE}/metrics",
    permission=Permission.VIEW_EXPERIMENTS,
    query=Paged,
    answer=Listed[Metric],
    table=Metric,
)
def list_metrics(session: Session, actor: Actor, experiment_id: int, query: Paged) -> Reply:
    """The metrics of an experiment, each with its last, lowest, highest and best value"""
    rows, following = series.summaries(session, actor, experiment_id, limit=query.limit, cursor=query.cursor)
    return listed(Listed[Metric](items=[Metric.of(row) for row in rows], next=following))


@operation(
    blueprint,
    "GET",
    f"{ONE}/metrics/<path:metric>",
    permission=Permission.VIEW_EXPERIMENTS,
    query=SeriesQuery,
    answer=Series,
    table=PointRow,
)
def get_series(session: Session, actor: Actor, experiment_id: int, metric: str, query: SeriesQuery) -> Reply:
    """The points of a metric, all of them a page at a time or enough for a chart"""
    window, following = Window(query.from_step, query.to_step), None
    if query.points is not None:
        found = series.drawn(session, actor, experiment_id, metric, window, query.points)
    else:
        found, following = series.points(
            session, actor, experiment_id, metric, window, limit=query.limit, cursor=query.cursor
        )
    columns = columns_of(found)
    told = Series(experiment_id=experiment_id, metric=metric, points=columns, next=following)
    rows = None
    if wants_table():
        rows = [
            {"step": step, "value": value, "time": time}
            for step, value, time in zip(columns.step, columns.value, columns.time, strict=True)
        ]
    return Reply(told, {}, rows)


def columns_of(found: Points) -> Columns:
    """Points as JSON can say them."""
    values: list[Any] = found.values.tolist()
    for place in np.flatnonzero(~np.isfinite(found.values)).tolist():
        values[place] = special(values[place])
    times: list[Any] = found.times.tolist()
    for place in np.flatnonzero(~np.isfinite(found.times)).tolist():
        times[place] = None
    return Columns.model_construct(step=found.steps.tolist(), value=values, time=times)


@operation(
    blueprint,
    "POST",
    f"{ONE}/metrics",
    permission=Permission.RUN_EXPERIMENTS,
    body=Batch,
    answer=Stored,
    refusals=(409,),
    description="What is answered is stored. The same batch again stores nothing anew.",
)
def log_points(session: Session, actor: Actor, experiment_id: int, body: Batch, **_: Any) -> Stored:
    """Log points of an experiment"""
    stored = reporting.record(session, actor, experiment_id, _by_metric(body.points))
    return Stored(received=len(body.points), stored=stored)


def _by_metric(points: list[Point]) -> dict[str, Points]:
    found: dict[str, tuple[list[int], list[float], list[float]]] = {}
    for point in points:
        steps, values, times = found.setdefault(point.metric, ([], [], []))
        steps.append(point.step)
        values.append(float(point.value))
        times.append(np.nan if point.time is None else point.time)
    return {name: Points.of(*columns) for name, columns in found.items()}
