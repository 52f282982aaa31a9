"""The experiment list: filtered, sorted and paged in SQL; the same few queries for 5 rows and for 100."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, exists, func, not_, null, select, type_coerce
from sqlalchemy.orm import Session

from database.among import among, gathered
from models.dataset import Dataset
from models.experiment import Experiment
from models.experiment_param import ExperimentParam
from models.metric_series import MetricKey, MetricSeries
from models.tag import ExperimentTag, Tag
from models.user import User
from services.actor import Actor
from services.errors import Invalid
from services.experiments.access import visibility
from services.experiments.conditions import WHICH, Filter, condition, epochs_told, metric_of, param_of
from services.owners import shown_name
from services.search import matching

LARGEST_PAGE = 200
MOST_COLUMNS = 30  # of metrics, and of params

# Lists are read as plain columns: building objects of a hundred rows would cost more than the query.
EXPERIMENTS, DATASETS, USERS = Experiment.__table__, Dataset.__table__, User.__table__
SERIES, KEYS, TAGS, TAGGED = MetricSeries.__table__, MetricKey.__table__, Tag.__table__, ExperimentTag.__table__
SORTABLE: dict[str, Any] = {
    "id": Experiment.id,
    "name": Experiment.name,
    "status": Experiment.status,
    "model": Experiment.model_type,
    "group": Experiment.group_name,
    "dataset": Experiment.dataset_id,
    "owner": Experiment.created_by,
    "epochs": Experiment.epochs_completed,
    "duration": Experiment.duration_seconds,
    "created": Experiment.created_at,
    "started": func.coalesce(Experiment.started_at, Experiment.created_at),  # what waits began when it was made
    "deleted": Experiment.deleted_at,
    "parent": Experiment.parent_id,
    "ended": Experiment.ended_at,
}

# What belongs to a row is looked up row by row: for a join PostgreSQL reads every experiment there is, and another
# statement is another journey.
_PARENTS = EXPERIMENTS.alias("parents")
_PARENT = (
    select(func.coalesce(_PARENTS.c.given_name, _PARENTS.c.name))
    .where(_PARENTS.c.id == EXPERIMENTS.c.parent_id, _PARENTS.c.deleted_at.is_(None))
    .correlate(EXPERIMENTS)
    .scalar_subquery()
    .label("parent")
)
_TAGS = (
    select(gathered(TAGS.c.name))
    .join_from(TAGGED, TAGS, TAGS.c.id == TAGGED.c.tag_id)
    .where(TAGGED.c.experiment_id == EXPERIMENTS.c.id)
    .correlate(EXPERIMENTS)
    .scalar_subquery()
    .label("tags")
)


def _time(column: ColumnElement[Any]) -> ColumnElement[str]:
    """A time as the database writes it: making an object of it only to write it again costs as much as reading it."""
    return cast(type_coerce(column, String), String)


@lru_cache(maxsize=256)
def _rows_with(metrics: tuple[str, ...]) -> Select[Any]:
    """The rows of a page with these metric columns; kept, as making it costs as much as running it."""
    return (
        select(
            EXPERIMENTS.c.id,
            EXPERIMENTS.c.name,
            EXPERIMENTS.c.given_name,
            EXPERIMENTS.c.group_name,
            type_coerce(EXPERIMENTS.c.status, String),
            EXPERIMENTS.c.model_type,
            EXPERIMENTS.c.epochs_completed,
            EXPERIMENTS.c.total_epochs,
            EXPERIMENTS.c.duration_seconds,
            _time(EXPERIMENTS.c.created_at),
            _time(EXPERIMENTS.c.ended_at),
            _time(EXPERIMENTS.c.started_at),
            _time(EXPERIMENTS.c.deleted_at),
            EXPERIMENTS.c.is_demo,
            _PARENT,
            DATASETS.c.name.label("dataset"),
            shown_name(USERS.c).label("owner"),
            _TAGS,
            *(value for column in metrics for value in _metric(column)),
        )
        .select_from(EXPERIMENTS)
        .outerjoin(DATASETS, DATASETS.c.id == EXPERIMENTS.c.dataset_id)
        .outerjoin(USERS, USERS.c.id == EXPERIMENTS.c.created_by)
        .where(among(EXPERIMENTS.c.id, "ids"))
    )


def _metric(column: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The value of a metric column, and what stands in its place where it is no number."""
    which, key = metric_of(column)
    key_id = select(KEYS.c.id).where(KEYS.c.name == key).scalar_subquery()

    def of_this_row(value: ColumnElement[Any]) -> ColumnElement[Any]:
        return (
            select(value)
            .where(SERIES.c.experiment_id == EXPERIMENTS.c.id, SERIES.c.key_id == key_id)
            .correlate(EXPERIMENTS)
            .scalar_subquery()
        )

    return of_this_row(SERIES.c[WHICH[which].key]), of_this_row(SERIES.c.last_special) if which == "last" else null()


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What the list shows; metric and param columns are shown whether or not they are sorted or filtered by."""

    filters: tuple[Filter, ...] = ()
    text: str = ""
    sort: str = "created"
    descending: bool = True
    offset: int = 0
    limit: int = 100
    metrics: tuple[str, ...] = ()  # such as "metric:max:val_accuracy"
    params: tuple[str, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and whether more follow."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    has_more: bool = False


def list_rows(session: Session, actor: Actor, query: ListQuery) -> Page:
    """One page of the list as plain values."""
    limit = max(1, min(query.limit, LARGEST_PAGE))
    offset = max(0, min(query.offset, 10_000_000))
    ids = _ids(session, conditions_of(session, actor, query), query, offset, limit + 1)
    return Page(rows_of(session, ids[:limit], query), has_more=len(ids) > limit)


def count(session: Session, actor: Actor, query: ListQuery) -> int:
    """How many experiments the filters let through."""
    conditions = conditions_of(session, actor, query)
    return session.scalar(select(func.count()).select_from(Experiment).where(*conditions)) or 0


def ids_of(session: Session, actor: Actor, query: ListQuery, most: int) -> list[int]:
    """The ids behind the list in its order, for “select all that match”; at most `most`."""
    return _ids(session, conditions_of(session, actor, query), query, 0, most)


def conditions_of(session: Session, actor: Actor, query: ListQuery) -> list[ColumnElement[bool]]:
    """What decides which experiments are in the list."""
    conditions = [*visibility(actor, deleted=query.deleted), *(condition(item) for item in query.filters[:30])]
    if query.text.strip():
        conditions.append(matching(session, query.text))
    return conditions


def _ids(
    session: Session, conditions: list[ColumnElement[bool]], query: ListQuery, offset: int, limit: int
) -> list[int]:
    if query.sort.startswith("metric:"):
        return _ids_by_metric(session, conditions, query, offset, limit)
    if query.sort.startswith("param:"):
        return _ids_by_param(session, conditions, query, offset, limit)
    if query.sort not in SORTABLE:
        raise Invalid("The list cannot be sorted by this column.", field=query.sort[:60])
    column = SORTABLE[query.sort]
    order = (column.desc(), Experiment.id.desc()) if query.descending else (column.asc(), Experiment.id.asc())
    query_ids = select(EXPERIMENTS.c.id).where(*conditions).order_by(*order).offset(offset).limit(limit)
    return list(session.scalars(query_ids))


def _ids_by_metric(
    session: Session, conditions: list[ColumnElement[bool]], query: ListQuery, offset: int, limit: int
) -> list[int]:
    which, key = metric_of(query.sort)
    key_id = select(KEYS.c.id).where(KEYS.c.name == key).scalar_subquery()
    value = SERIES.c[WHICH[which].key]
    experiment_id = SERIES.c.experiment_id
    order = (value.desc(), experiment_id.desc()) if query.descending else (value.asc(), experiment_id.asc())
    with_value = (
        select(experiment_id)
        .join_from(SERIES, EXPERIMENTS, EXPERIMENTS.c.id == experiment_id)
        .where(SERIES.c.key_id == key_id, value.is_not(None), *conditions)
    )

    def without() -> Select[int]:
        having = select(SERIES.c.id).where(
            experiment_id == EXPERIMENTS.c.id, SERIES.c.key_id == key_id, value.is_not(None)
        )
        return select(EXPERIMENTS.c.id).where(*conditions, not_(exists(having)))

    return _those_without_last(session, with_value, order, without, offset, limit)


def _ids_by_param(
    session: Session, conditions: list[ColumnElement[bool]], query: ListQuery, offset: int, limit: int
) -> list[int]:
    name = param_of(query.sort)
    number, text = ExperimentParam.value_number, ExperimentParam.value_text
    having = and_(ExperimentParam.experiment_id == Experiment.id, ExperimentParam.name == name)
    order: tuple[Any, ...] = (number.asc().nulls_last(), text.asc(), ExperimentParam.experiment_id.asc())
    if query.descending:
        order = (number.desc().nulls_last(), text.desc(), ExperimentParam.experiment_id.desc())
    with_value = (
        select(ExperimentParam.experiment_id)
        .join(Experiment, Experiment.id == ExperimentParam.experiment_id)
        .where(ExperimentParam.name == name, *conditions)
    )

    def without() -> Select[int]:
        return select(Experiment.id).where(*conditions, not_(exists(select(ExperimentParam.name).where(having))))

    return _those_without_last(session, with_value, order, without, offset, limit)


def _those_without_last(
    session: Session,
    with_value: Select[int],
    order: tuple[Any, ...],
    without: Callable[[], Select[int]],
    offset: int,
    limit: int,
) -> list[int]:
    """Rows that have the value come first, straight off its index; the rest follow whichever way it is sorted."""
    connection = session.connection()  # plain columns need nothing of the session
    ids = list(connection.scalars(with_value.order_by(*order).offset(offset).limit(limit)))
    if len(ids) == limit:
        return ids
    before = offset + len(ids)
    if not ids and offset:
        before = session.scalar(select(func.count()).select_from(with_value.subquery())) or 0
    rest = without().order_by(Experiment.id.desc()).offset(max(0, offset - before)).limit(limit - len(ids))
    return ids + list(session.scalars(rest))


def rows_of(session: Session, ids: list[int], query: ListQuery) -> list[dict[str, Any]]:
    """What the list shows of experiments that the actor was found to see, in this order."""
    if not ids:
        return []
    metrics = query.metrics[:MOST_COLUMNS]
    found = session.connection().execute(_rows_with(metrics), {"ids": ids})
    rows = {row[0]: _row(row, metrics) for row in found.all()}
    _add_params(session, rows, query.params[:MOST_COLUMNS])
    return [rows[experiment_id] for experiment_id in ids if experiment_id in rows]


def _row(values: Sequence[Any], metrics: tuple[str, ...]) -> dict[str, Any]:
    (
        number, name, given_name, group, status, model, epochs, total_epochs, duration, created, ended,
        started, deleted, is_demo, parent, dataset, owner, tags, *measured,
    ) = values  # fmt: skip
    row = {
        "id": str(number),
        "name": given_name or name,
        "unique_name": name,
        "group": group,
        "status": status,
        "model": model,
        "dataset": dataset,
        "owner": owner,
        "epochs": epochs_told(epochs, total_epochs),
        "total_epochs": total_epochs,
        "duration": duration,
        "created": _iso(created),
        "started": None if started is None else _iso(started),
        "ended": None if ended is None else _iso(ended),
        "deleted": None if deleted is None else _iso(deleted),
        "parent": parent,
        "demo": is_demo,
        "tags": sorted(tags),
    }
    for column, value, special in zip(metrics, measured[::2], measured[1::2], strict=True):
        row[column] = value if special is None else special
    return row


def _iso(moment: str) -> str:
    """A time in ISO 8601 and UTC: SQLite writes it without a zone, PostgreSQL in the session's, which is UTC."""
    if "+" not in moment:
        return f"{moment[:10]}T{moment[11:]}+00:00"
    if moment.endswith("+00"):
        return f"{moment[:10]}T{moment[11:]}:00"
    return datetime.fromisoformat(moment).astimezone(UTC).isoformat()


def _add_params(session: Session, rows: dict[int, dict[str, Any]], names: tuple[str, ...]) -> None:
    if not names:
        return
    found = session.execute(
        select(
            ExperimentParam.experiment_id,
            ExperimentParam.name,
            ExperimentParam.value_number,
            ExperimentParam.value_text,
        ).where(ExperimentParam.experiment_id.in_(rows), ExperimentParam.name.in_(names))
    )
    for row in found:
        value = row.value_number if row.value_number is not None else row.value_text
        rows[row.experiment_id][f"param:{row.name}"] = value
