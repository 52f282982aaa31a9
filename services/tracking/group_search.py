"""Search for groups: MLflow's filters and orders on names, times and tags."""

from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from models.experiment_group import ExperimentGroup
from models.permissions import Permission
from services.actor import Actor
from services.tracking import grammar, groups, paging, patterns, search, values
from services.tracking.grammar import LISTED, NUMERIC, TEXTUAL, Clause
from services.tracking.search import after, packed, unpacked

MOST_RESULTS, USUAL_RESULTS = 1000, 1000
ATTRIBUTES = {
    "name": TEXTUAL,
    "experiment_id": LISTED,
    "creation_time": NUMERIC,
    "last_update_time": NUMERIC,
}
_COLUMNS: dict[str, ColumnElement[Any]] = {
    "name": ExperimentGroup.name.expression,
    "experiment_id": ExperimentGroup.id.expression,
    "creation_time": ExperimentGroup.created_at.expression,
    "last_update_time": ExperimentGroup.updated_at.expression,
}


def find(
    session: Session, actor: Actor, *, text: Any, view_type: Any, max_results: Any, order_by: Any, token: Any
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of groups, and where the next one begins."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    clauses = grammar.filters(text, ATTRIBUTES, ("attribute", "tag"))
    orders = grammar.orders(order_by, ATTRIBUTES, ("attribute",))
    shown, most = search.view(view_type), search.size(max_results, USUAL_RESULTS, MOST_RESULTS)
    about = ["groups", text or "", shown, order_by or []]
    columns = [(_COLUMNS[field.key], ascending) for field, ascending in orders]
    if not columns:
        columns.append((_COLUMNS["creation_time"], False))
    columns.append((ExperimentGroup.id.expression, False))
    living = ExperimentGroup.deleted_at.is_(None)
    conditions: list[ColumnElement[bool]] = [{"ACTIVE_ONLY": living, "DELETED_ONLY": ~living}.get(shown, true())]
    conditions += [_condition(session, clause) for clause in clauses]
    if token:
        conditions.append(after(columns, [unpacked(value) for value in paging.read(token, about)]))
    query = select(ExperimentGroup).where(*conditions)
    query = query.order_by(*(column.asc() if ascending else column.desc() for column, ascending in columns))
    rows = session.scalars(query.limit(most + 1)).all()
    following = None
    if len(rows) > most:
        last = rows[most - 1]
        place = [getattr(last, column.key or "") for column, _ in columns]
        following = paging.write(about, [packed(value) for value in place])
    return [groups.spoken(group) for group in rows[:most]], following


def _condition(session: Session, clause: Clause) -> ColumnElement[bool]:
    field, comparator, value = clause.field, clause.comparator, clause.value
    if field.kind == "tag":
        column: ColumnElement[Any] = ExperimentGroup.tags[field.key].as_string()
        if comparator.startswith("IS"):
            return column.is_(None) if comparator == "IS NULL" else column.is_not(None)
        return patterns.compare(session, column, comparator, value)
    column = _COLUMNS[field.key]
    if field.key == "experiment_id":
        wanted = [value] if isinstance(value, str) else list(value)
        numbers = [int(one) for one in wanted if one.isdecimal() and one.isascii() and len(one) < 10]
        listed = column.in_(numbers)
        return ~listed if comparator in ("!=", "NOT IN") else listed
    if field.key in ("creation_time", "last_update_time"):
        value = values.moment_of(value, field.key)
    return patterns.compare(session, column, comparator, value)
