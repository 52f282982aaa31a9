"""Search for logged models: by what they are, the newest first or last."""

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.logged_model import LoggedModel
from models.permissions import Permission
from services.actor import Actor
from services.tracking import grammar, groups, ids, paging, patterns, search, values
from services.tracking.errors import InvalidParameter, NotOffered
from services.tracking.grammar import NUMERIC, TEXTUAL, Clause

MOST_RESULTS, USUAL_RESULTS = 100, 100
_TIMES = {
    "creation_timestamp": LoggedModel.created_at,
    "creation_time": LoggedModel.created_at,
    "last_updated_timestamp": LoggedModel.updated_at,
}
_TEXTS = {
    "name": LoggedModel.name,
    "model_id": LoggedModel.model_id,
    "model_type": LoggedModel.model_type,
    "status": LoggedModel.status,
}
ATTRIBUTES = {
    **dict.fromkeys(_TEXTS, TEXTUAL),
    **dict.fromkeys(_TIMES, NUMERIC),
    "source_run_id": frozenset({"="}),
}


def find(session: Session, actor: Actor, asked: dict[str, Any]) -> tuple[list[LoggedModel], str | None]:
    """A page of the models of some groups; what is not offered of the question is refused, not left out."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    if asked.get("datasets"):
        raise NotOffered("Logged models are not searched by dataset here.")
    clauses = grammar.filters(asked.get("filter"), ATTRIBUTES, ("attribute",))
    ascending = _ascending(asked.get("order_by"))
    most = search.size(asked.get("max_results"), USUAL_RESULTS, MOST_RESULTS)
    wanted = groups.named(session, asked.get("experiment_ids"))
    about = ["models", sorted(wanted), asked.get("filter") or "", ascending]
    query = select(LoggedModel).where(
        LoggedModel.group_id.in_(wanted),
        LoggedModel.deleted_at.is_(None),
        *(_condition(session, clause) for clause in clauses),
    )
    if token := asked.get("page_token"):
        (last,) = paging.read(token, about)
        query = query.where(LoggedModel.id > last if ascending else LoggedModel.id < last)
    query = query.order_by(LoggedModel.id.asc() if ascending else LoggedModel.id.desc())
    rows = list(session.scalars(query.limit(most + 1)))
    following = paging.write(about, [rows[most - 1].id]) if len(rows) > most else None
    return rows[:most], following


def _ascending(given: Any) -> bool:
    if not given:
        return False
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise InvalidParameter("Invalid value for parameter 'order_by' supplied: Value must be a list of objects.")
    if len(given) > 1 or given[0].get("field_name") not in ("creation_timestamp", "creation_time"):
        raise NotOffered("Logged models are sorted by creation_timestamp here.")
    return given[0].get("ascending") is not False


def _condition(session: Session, clause: Clause) -> ColumnElement[bool]:
    name, value = clause.field.key, clause.value
    if name == "source_run_id":
        return LoggedModel.experiment_id.in_(select(Experiment.id).where(ids.run_condition(value)))
    if name in _TIMES:
        return patterns.compare(session, _TIMES[name], clause.comparator, values.moment_of(value, name))
    return patterns.compare(session, _TEXTS[name], clause.comparator, value)
