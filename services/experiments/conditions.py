"""Filters of the experiment list as SQL: a closed list of columns, everything bound, nothing concatenated."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, func, not_, or_, select

from models.dataset import Dataset
from models.experiment import ACTIVE, Experiment, ExperimentStatus
from models.experiment_param import ExperimentParam
from models.metric_series import MetricKey, MetricSeries
from models.tag import ExperimentTag, Tag
from models.user import User
from services.errors import Invalid
from services.owners import shown_name

TEXT: dict[str, SQLColumnExpression[Any]] = {
    "name": Experiment.name,
    "model": Experiment.model_type,
    "group": Experiment.group_name,
}
NUMBER: dict[str, SQLColumnExpression[Any]] = {
    "epochs": Experiment.epochs_completed,
    "duration": Experiment.duration_seconds,
    "id": Experiment.id,
}
DATE: dict[str, SQLColumnExpression[Any]] = {
    "created": Experiment.created_at,
    "started": Experiment.started_at,
    "ended": Experiment.ended_at,
    "deleted": Experiment.deleted_at,
}
STATUSES = tuple(status.value for status in ExperimentStatus)
ACTIVE_STATUSES = tuple(status.value for status in ExperimentStatus if status in ACTIVE)
WHICH = {"last": MetricSeries.last_value, "min": MetricSeries.min_value, "max": MetricSeries.max_value}


# Aliases, because the list may itself be read from these tables when it is sorted by one of them; made once, and of
# tables instead of classes, because making them costs as much as the query.
_EXPERIMENTS = Experiment.__table__
_SERIES, _KEYS = MetricSeries.__table__.alias("filter_series"), MetricKey.__table__.alias("filter_keys")
_PARENTS = Experiment.__table__.alias("filter_parents")
_PARAMS = ExperimentParam.__table__.alias("filter_params")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: column (`name`, `metric:<last|min|max>:<key>`, `param:<name>` …), operation and operands."""

    column: str
    operation: str
    value: Any = None
    upper: Any = None
    zone: tzinfo = UTC  # whose days are meant


_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "equals": lambda column, value: column == value,
    "notEqual": lambda column, value: or_(column != value, column.is_(None)),
    "lessThan": lambda column, value: column < value,
    "lessThanOrEqual": lambda column, value: column <= value,
    "greaterThan": lambda column, value: column > value,
    "greaterThanOrEqual": lambda column, value: column >= value,
}


def condition(item: Filter) -> ColumnElement[bool]:
    """The SQL of one filter; an unknown column or operation is refused."""
    column = item.column
    if column in TEXT:
        return _text(TEXT[column], item)
    if column in NUMBER:
        return _number(NUMBER[column], item)
    if column in DATE:
        return _date(DATE[column], item)
    if column == "status":
        return Experiment.status.in_(_statuses(item))
    if column == "tags":
        return _tagged(item)
    if column == "dataset":
        return _related(Experiment.dataset_id, Dataset.id, Dataset.name, item)
    if column == "owner":
        return _related(Experiment.created_by, User.id, shown_name(), item)
    if column == "parent":
        return _related(
            Experiment.parent_id, _PARENTS.c.id, func.coalesce(_PARENTS.c.given_name, _PARENTS.c.name), item
        )
    if column.startswith("metric:"):
        which, key = metric_of(column)
        return exists(
            select(_SERIES.c.id)
            .join_from(_SERIES, _KEYS, _KEYS.c.id == _SERIES.c.key_id)
            .where(
                _SERIES.c.experiment_id == _EXPERIMENTS.c.id,
                _KEYS.c.name == key,
                _number(_SERIES.c[WHICH[which].key], item),
            )
        )
    if column.startswith("param:"):
        return _param(param_of(column), item)
    raise Invalid("There is no such column.", field=column[:60])


def epochs_told(done: int, planned: int | None) -> int | None:
    """The epochs to show: none for a run that counts steps instead, which is not the same as none so far."""
    return done if done or planned else None


def metric_of(column: str) -> tuple[str, str]:
    """`metric:max:val_accuracy` taken apart."""
    parts = column.split(":", 2)
    if len(parts) != 3 or parts[1] not in WHICH or not _is_a_name(parts[2]):
        raise Invalid("There is no such metric column.", field=column[:60])
    return parts[1], parts[2]


def param_of(column: str) -> str:
    """`param:lr` taken apart."""
    kind, _, name = column.partition(":")
    if kind != "param" or not _is_a_name(name):
        raise Invalid("There is no such hyper-parameter.", field=column[:60])
    return name


def _is_a_name(text: str) -> bool:
    # What a database cannot hold is no name; asking for it would be an error of the driver.
    return 0 < len(text) <= 250 and "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _statuses(item: Filter) -> list[ExperimentStatus]:
    if item.operation not in {"in", "equals"}:
        raise Invalid("There is no such comparison.", field="status")
    words = item.value if isinstance(item.value, list) else [item.value]
    if not all(isinstance(word, str) and word in STATUSES for word in words):
        raise Invalid(f"A status is one of: {', '.join(STATUSES)}.", field="status")
    return [ExperimentStatus(word) for word in words]


def _string(item: Filter) -> str:
    if not isinstance(item.value, str | int | float) or len(str(item.value)) > 500 or "\x00" in str(item.value):
        raise Invalid("A filter needs a short text.", field=item.column[:60])
    try:
        str(item.value).encode()
    except UnicodeEncodeError as error:
        raise Invalid("A filter needs valid Unicode.", field=item.column[:60]) from error
    return str(item.value)


def _text(column: SQLColumnExpression[Any], item: Filter) -> ColumnElement[bool]:
    match item.operation:
        case "blank":
            return or_(column.is_(None), column == "")
        case "notBlank":
            return and_(column.is_not(None), column != "")
    text = _string(item)
    match item.operation:
        case "contains":
            return column.icontains(text, autoescape=True)
        case "notContains":
            return or_(not_(column.icontains(text, autoescape=True)), column.is_(None))
        case "startsWith":
            return column.istartswith(text, autoescape=True)
        case "endsWith":
            return column.iendswith(text, autoescape=True)
        case "equals":
            return column == text
        case "notEqual":
            return or_(column != text, column.is_(None))
    raise Invalid("There is no such comparison.", field=item.column[:60])


def number(value: Any, field: str) -> float:
    """A finite number from a filter."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid("A filter needs a number.", field=field[:60]) from error
    if not math.isfinite(result) or abs(result) > 1e300:
        raise Invalid("A filter needs a finite number.", field=field[:60])
    return result


def _number(column: SQLColumnExpression[Any], item: Filter) -> ColumnElement[bool]:
    match item.operation:
        case "blank":
            return column.is_(None)
        case "notBlank":
            return column.is_not(None)
        case "inRange":
            return column.between(number(item.value, item.column), number(item.upper, item.column))
    if item.operation not in _COMPARE:
        raise Invalid("There is no such comparison.", field=item.column[:60])
    return _COMPARE[item.operation](column, number(item.value, item.column))


def _day(value: Any, item: Filter) -> tuple[datetime, datetime]:
    """When that day begins and when the next one does, by the clock of the one who asks: not always 24 hours."""
    try:
        moment = datetime.fromisoformat(str(value).strip().replace(" ", "T", 1))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=item.zone)
        return moment.astimezone(UTC), (moment + timedelta(days=1)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("A filter needs a date like 2026-11-21.", field=item.column[:60]) from error


def _date(column: SQLColumnExpression[Any], item: Filter) -> ColumnElement[bool]:
    match item.operation:
        case "blank":
            return column.is_(None)
        case "notBlank":
            return column.is_not(None)
    low, after = _day(item.value, item)
    match item.operation:
        case "equals":
            return and_(column >= low, column < after)
        case "notEqual":
            return or_(column < low, column >= after, column.is_(None))
        case "greaterThan":
            return column >= after
        case "inRange":
            return and_(column >= low, column < _day(item.upper, item)[1])
    if item.operation not in _COMPARE:
        raise Invalid("There is no such comparison.", field=item.column[:60])
    return _COMPARE[item.operation](column, low)


def _tagged(item: Filter) -> ColumnElement[bool]:
    tagged = select(ExperimentTag.id).where(ExperimentTag.experiment_id == Experiment.id)
    match item.operation:
        case "blank":
            return not_(exists(tagged))
        case "notBlank":
            return exists(tagged)
    words = [word.strip().casefold() for word in _string(item).split(",") if word.strip()]
    named = tagged.join(Tag, Tag.id == ExperimentTag.tag_id)
    if item.operation == "equals":
        return exists(named.where(Tag.name.in_(words)))
    return exists(named.where(or_(*(Tag.name.icontains(word, autoescape=True) for word in words))))


def _related(
    key: SQLColumnExpression[Any], other: SQLColumnExpression[Any], name: SQLColumnExpression[Any], item: Filter
) -> ColumnElement[bool]:
    if item.operation == "blank":
        return key.is_(None)
    if item.operation == "notBlank":
        return key.is_not(None)
    if item.operation in {"notContains", "notEqual"}:
        positive = Filter(item.column, "contains" if item.operation == "notContains" else "equals", item.value)
        return not_(exists(select(other).where(other == key, _text(name, positive))))
    return exists(select(other).where(other == key, _text(name, item)))


def _param(name: str, item: Filter) -> ColumnElement[bool]:
    param = _PARAMS.c
    mine = select(param.experiment_id).where(param.experiment_id == _EXPERIMENTS.c.id, param.name == name)
    if item.operation == "blank":
        return not_(exists(mine))
    if item.operation == "notBlank":
        return exists(mine)
    try:
        number(item.value, item.column)
    except Invalid:
        return exists(mine.where(_text(param.value_text, item)))
    if item.operation in _COMPARE or item.operation == "inRange":
        return exists(mine.where(_number(param.value_number, item)))
    return exists(mine.where(_text(param.value_text, item)))
