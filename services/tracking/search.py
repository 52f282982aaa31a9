"""Search for runs: MLflow's filters and orders as SQL, a page at a time by the last row of the page before."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal, not_, or_, select
from sqlalchemy.orm import Session

from models.experiment import Experiment, ExperimentStatus
from models.experiment_param import ExperimentParam
from models.metric_series import MetricKey, MetricSeries
from models.permissions import Permission
from models.run_input import RunInput
from models.run_tag import RunTag
from models.user import User
from services.actor import Actor
from services.experiments.access import visibility
from services.tracking import grammar, groups, ids, inputs, paging, patterns, reading, runs, tags, values
from services.tracking.errors import InvalidParameter
from services.tracking.grammar import LISTED, NUMERIC, TEXTUAL, Clause, Field

MOST_RESULTS, USUAL_RESULTS = 1000, 1000
ATTRIBUTES = {
    "run_id": LISTED,
    "run_name": TEXTUAL,
    "status": LISTED,
    "user_id": TEXTUAL,
    "artifact_uri": TEXTUAL,
    "start_time": NUMERIC,
    "end_time": NUMERIC,
}
KINDS = ("metric", "param", "tag", "attribute", "dataset")
SORTED_KINDS = ("metric", "param", "tag", "attribute")
VIEWS = {1: "ACTIVE_ONLY", 2: "DELETED_ONLY", 3: "ALL"}
_NAME = func.coalesce(Experiment.given_name, Experiment.name)
_START = func.coalesce(Experiment.started_at, Experiment.created_at)
_OWNER = select(User.username).where(User.id == Experiment.created_by).scalar_subquery()


def view(given: Any) -> str:
    """Which of living and deleted ones are wanted."""
    if given in (None, ""):
        return "ACTIVE_ONLY"
    word = VIEWS.get(given) if isinstance(given, int) and not isinstance(given, bool) else given
    if word not in VIEWS.values():
        raise InvalidParameter(f"Invalid value for parameter 'run_view_type': one of {', '.join(VIEWS.values())}.")
    return str(word)


def size(given: Any, usual: int, most: int) -> int:
    """How many rows a page has."""
    if given in (None, ""):
        return usual
    number = values.whole(given, "max_results")
    if not 1 <= number <= 50_000:
        raise InvalidParameter(
            f"Invalid value {number} for parameter 'max_results' supplied: It must be between 1 and 50000."
        )
    return min(number, most)


def search(
    session: Session,
    actor: Actor,
    *,
    group_ids: Any,
    text: Any,
    view_type: Any,
    max_results: Any,
    order_by: Any,
    token: Any,
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of runs, and where the next one begins."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    clauses = grammar.filters(text, ATTRIBUTES, KINDS)
    orders = grammar.orders(order_by, ATTRIBUTES, SORTED_KINDS)
    shown, most = view(view_type), size(max_results, USUAL_RESULTS, MOST_RESULTS)
    wanted = groups.named(session, group_ids)
    about = ["runs", sorted(wanted), text or "", shown, order_by or []]
    columns = _sort_columns(session, orders)
    conditions = [_visible(actor, shown), groups.holds(wanted) if wanted else false()]
    conditions += [_condition(session, clause) for clause in clauses]
    if token:
        conditions.append(after(columns, [unpacked(value) for value in paging.read(token, about)]))
    query = select(*(column for column, _ in columns)).where(*conditions)
    query = query.order_by(*(column.asc() if ascending else column.desc() for column, ascending in columns))
    rows = session.execute(query.limit(most + 1)).all()
    numbers = reading.fitting(session, [row[-1] for row in rows[:most]])
    following = None
    if len(numbers) < len(rows):
        following = paging.write(about, [packed(value) for value in rows[len(numbers) - 1]])
    return reading.page(session, numbers), following


def _visible(actor: Actor, shown: str) -> ColumnElement[bool]:
    living, deleted = and_(*visibility(actor)), and_(*visibility(actor, deleted=True))
    return {"ACTIVE_ONLY": living, "DELETED_ONLY": deleted}.get(shown, or_(living, deleted))


def _sort_columns(session: Session, orders: Sequence[tuple[Field, bool]]) -> list[tuple[ColumnElement[Any], bool]]:
    """What to sort by: of each field first whether it is there, as MLflow puts what is missing last."""
    columns: list[tuple[ColumnElement[Any], bool]] = []
    for field, ascending in orders:
        value, is_special = _sortable(session, field)
        columns += [(case((value.is_not(None), 0), (is_special, 1), else_=2), True), (value, ascending)]
    if all(field != Field("attribute", "start_time") for field, _ in orders):
        columns.append((_START, False))
    columns.append((Experiment.id.expression, False))
    return columns


def _sortable(session: Session, field: Field) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    if field.kind == "metric":
        series = _series(session, field.key)
        value = select(MetricSeries.last_value).where(series).scalar_subquery()
        special = exists().where(series, MetricSeries.last_special.is_not(None))
        return value, special
    if field.kind == "param":
        mine = (ExperimentParam.experiment_id == Experiment.id) & (ExperimentParam.name == field.key)
        return select(ExperimentParam.value_text).where(mine).scalar_subquery(), false()
    if field.kind == "tag":
        return _tag_value(field.key), false()
    return _attribute(field.key), false()


def _series(session: Session, key: str) -> ColumnElement[bool]:
    number = session.scalar(select(MetricKey.id).where(MetricKey.name == key))
    return and_(MetricSeries.experiment_id == Experiment.id, MetricSeries.key_id == (number or 0))


def _tag_value(key: str) -> ColumnElement[Any]:
    if key == tags.NAME:
        return _NAME
    if key == tags.NOTE:
        return Experiment.notes.expression
    said = select(RunTag.value).where(RunTag.experiment_id == Experiment.id, RunTag.name == key).scalar_subquery()
    return func.coalesce(said, _OWNER) if key == tags.USER else said


def _attribute(key: str) -> ColumnElement[Any]:
    found: dict[str, ColumnElement[Any]] = {
        "run_name": _NAME,
        "user_id": _OWNER,
        "start_time": _START,
        "end_time": Experiment.ended_at.expression,
        "status": _spoken_status(),
        "run_id": _spoken_id(),
        "artifact_uri": _spoken_id(),
    }
    return found[key]


def _spoken_status() -> ColumnElement[Any]:
    return case(*((Experiment.status == ours, literal(word)) for ours, word in runs.SPOKEN.items()), else_="RUNNING")


def _spoken_id() -> ColumnElement[Any]:
    return func.coalesce(Experiment.source_id, "")


def _condition(session: Session, clause: Clause) -> ColumnElement[bool]:
    field, comparator, value = clause.field, clause.comparator, clause.value
    if field.kind == "metric":
        return _measured(session, field.key, comparator, value)
    if field.kind == "param":
        mine = (ExperimentParam.experiment_id == Experiment.id) & (ExperimentParam.name == field.key)
        if comparator.startswith("IS"):
            return not_(exists().where(mine)) if comparator == "IS NULL" else exists().where(mine)
        return exists().where(mine, patterns.compare(session, ExperimentParam.value_text, comparator, value[:250]))
    if field.kind == "tag":
        column = _tag_value(field.key)
        if comparator.startswith("IS"):
            return column.is_(None) if comparator == "IS NULL" else column.is_not(None)
        return patterns.compare(session, column, comparator, value)
    if field.kind == "dataset":
        return _fed(session, field.key, comparator, value)
    return _is(session, field.key, comparator, value)


def _measured(session: Session, key: str, comparator: str, value: float) -> ColumnElement[bool]:
    series = _series(session, key)
    holds = patterns.compare(session, MetricSeries.last_value, comparator, value)
    # The last point may be none of the numbers: infinity is more than each of them, NaN is only unequal to all.
    beyond = {">": ["inf"], ">=": ["inf"], "<": ["-inf"], "<=": ["-inf"], "!=": ["inf", "-inf", "nan"]}
    if comparator in beyond:
        holds = or_(holds, MetricSeries.last_special.in_(beyond[comparator]))
    return exists().where(series, holds)


def _fed(session: Session, key: str, comparator: str, value: Any) -> ColumnElement[bool]:
    if key == "context":
        raise InvalidParameter("Runs are not searched by the context of a dataset here; use its name or digest.")
    column = RunInput.name if key == "name" else RunInput.digest
    mine = (RunInput.experiment_id == Experiment.id) & (RunInput.kind == inputs.DATASET)
    return exists().where(mine, patterns.compare(session, column, comparator, value))


def _is(session: Session, key: str, comparator: str, value: Any) -> ColumnElement[bool]:
    if key in ("start_time", "end_time"):
        return patterns.compare(session, _attribute(key), comparator, values.moment_of(value, key))
    if key == "run_id":
        return _is_run(comparator, value)
    if key == "artifact_uri":
        raise InvalidParameter("Runs are not searched by artifact_uri here; it is made of the run's id.")
    return patterns.compare(session, _attribute(key), comparator, value)


def _is_run(comparator: str, value: Any) -> ColumnElement[bool]:
    if comparator in ("LIKE", "ILIKE"):
        raise InvalidParameter("Invalid comparator for run_id: use =, !=, IN or NOT IN.")
    wanted = [value] if isinstance(value, str) else list(value)
    known = [ids.run_condition(one) for one in wanted if ids.is_run_id(one)]
    found = or_(false(), *known)
    return not_(func.coalesce(found, False)) if comparator in ("!=", "NOT IN") else found


def after(columns: Sequence[tuple[ColumnElement[Any], bool]], place: Sequence[Any]) -> ColumnElement[bool]:
    """What comes behind a row in this order; what is missing compares with nothing, as its rank comes before it."""
    steps: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for (column, ascending), value in zip(columns, place, strict=True):
        if value is None:
            same.append(column.is_(None))
            continue
        steps.append(and_(*same, column > value if ascending else column < value))
        same.append(column == value)
    return or_(*steps)


def packed(value: Any) -> Any:
    """A value of a row as a token carries it."""
    if isinstance(value, datetime):
        return {"at": value.astimezone(UTC).isoformat()}
    return value.value if isinstance(value, ExperimentStatus) else value


def unpacked(value: Any) -> Any:
    """The reverse of `packed`."""
    return datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value
