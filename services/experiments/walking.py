"""The experiment list from one row to the next instead of by page numbers: what is added or deleted meanwhile neither
repeats a row nor skips one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, literal, or_, select
from sqlalchemy.orm import Session

from database.types import UTCDateTime
from models.experiment import Experiment
from models.experiment_param import ExperimentParam
from models.metric_series import MetricKey, MetricSeries
from services import cursors
from services.actor import Actor
from services.errors import Invalid
from services.experiments.conditions import WHICH, metric_of, param_of
from services.experiments.listing import EXPERIMENTS, SORTABLE, ListQuery, conditions_of, rows_of

_NEVER_EMPTY = {"id", "name", "status", "epochs", "created", "started"}
Value = ColumnElement[Any]


def page(
    session: Session, actor: Actor, query: ListQuery, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """The rows behind the cursor, and where the next page begins if there is one."""
    value = _value(query.sort)
    never_empty = query.sort in _NEVER_EMPTY
    about = ["experiments", query.text, query.sort, query.descending, query.deleted, _spoken(query)]
    conditions = conditions_of(session, actor, query)
    if cursor is not None:
        conditions.append(_behind(value, cursors.read(cursor, about), query.descending, never_empty))
    order: list[Any] = [] if never_empty else [value.is_(None)]
    order += [value.desc(), EXPERIMENTS.c.id.desc()] if query.descending else [value.asc(), EXPERIMENTS.c.id.asc()]
    wanted = select(EXPERIMENTS.c.id, value).where(*conditions).order_by(*order).limit(query.limit + 1)
    found = session.execute(wanted).all()
    here = found[: query.limit]
    following = None
    if len(found) > query.limit:
        number, last = here[-1]
        following = cursors.write(about, [last.isoformat() if isinstance(last, datetime) else last, number])
    return rows_of(session, [row[0] for row in here], query), following


def _spoken(query: ListQuery) -> list[list[Any]]:
    return [[item.column, item.operation, item.value, item.upper] for item in query.filters]


def _value(sort: str) -> Value:
    """What the list is sorted by."""
    if sort.startswith("metric:"):
        which, key = metric_of(sort)
        return (
            select(WHICH[which])
            .join(MetricKey, MetricKey.id == MetricSeries.key_id)
            .where(MetricSeries.experiment_id == EXPERIMENTS.c.id, MetricKey.name == key)
            .correlate(EXPERIMENTS)
            .scalar_subquery()
        )
    if sort.startswith("param:"):
        name = param_of(sort)
        return (
            select(ExperimentParam.value_number)
            .where(ExperimentParam.experiment_id == EXPERIMENTS.c.id, ExperimentParam.name == name)
            .correlate(EXPERIMENTS)
            .scalar_subquery()
        )
    if sort not in SORTABLE:
        raise Invalid("The list cannot be sorted by this.", field="sort")
    found: Value = SORTABLE[sort]
    return found


def _behind(value: Value, place: list[Any], descending: bool, never_empty: bool) -> ColumnElement[bool]:
    """The rows that follow a place; those without a value come last, whichever way it is sorted."""
    last, number = place
    tie = Experiment.id < number if descending else Experiment.id > number
    if last is None:
        return and_(value.is_(None), tie)
    mark = _bound(value, last)
    further = value < mark if descending else value > mark
    behind = or_(further, and_(value == mark, tie))
    return behind if never_empty else or_(behind, value.is_(None))


def _bound(value: Value, last: Any) -> Any:
    if isinstance(value.type, UTCDateTime):
        return literal(datetime.fromisoformat(last), UTCDateTime())
    return cast(last, value.type) if isinstance(last, float) else literal(last, value.type)
