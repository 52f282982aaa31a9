"""What came to the metrics of an experiment since somebody looked last, for those who follow it while it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.metric_series import MetricKey, MetricSeries
from services import cursors
from services.actor import Actor
from services.curves.packing import Points
from services.curves.reading import read_all
from services.errors import Invalid
from services.experiments import access

MOST_SERIES = 200
MOST_POINTS = 2000  # of one series at a time; the rest comes with the next look


@dataclass(frozen=True, slots=True)
class News:
    """How far the experiment is, the new points of its series by name, and what is known now."""

    status: str
    epochs: int
    is_active: bool
    series: tuple[tuple[str, Points], ...]
    known: Mapping[int, int]
    is_all: bool  # whether nothing further waits at this moment


def place(experiment_id: int, known: Mapping[int, int]) -> str:
    """A word for what is known, with which somebody goes on later."""
    return cursors.write(["follow", experiment_id], [list(pair) for pair in known.items()])


def known_at(experiment_id: int, word: str) -> dict[int, int]:
    """The reverse of `place`."""
    try:
        return dict(cursors.read(word, ["follow", experiment_id]))
    except Invalid as error:
        raise Invalid("This id does not belong to this experiment.", field="Last-Event-ID") from error


def news(
    session: Session, actor: Actor, experiment_id: int, known: Mapping[int, int] | None, metrics: Sequence[str] = ()
) -> News:
    """What is new to somebody who knows so many points of each series; None: what comes from now on."""
    experiment = access.get(session, actor, experiment_id)
    query = (
        select(MetricSeries.id, MetricKey.name, MetricSeries.points)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(MetricSeries.experiment_id == experiment_id)
        .order_by(MetricSeries.id)
        .limit(MOST_SERIES)
    )
    if metrics:
        query = query.where(MetricKey.name.in_(metrics))
    rows = session.execute(query).all()
    if known is None:
        known = {row.id: row.points for row in rows}
    found, now_known, is_all = [], {}, True
    for row in rows:
        had = known.get(row.id, 0)
        points = read_all(session, [row.id], after=had)[row.id][:MOST_POINTS] if row.points > had else None
        if points is not None:
            found.append((row.name, points))
        now_known[row.id] = had + (0 if points is None else len(points))
        is_all = is_all and now_known[row.id] >= row.points
    return News(
        status=experiment.status.value,
        epochs=experiment.epochs_completed,
        is_active=experiment.is_active,
        series=tuple(found),
        known=now_known,
        is_all=is_all,
    )
