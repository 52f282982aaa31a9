"""`/api/v1/experiments`: listed, read, begun, changed, ended, deleted, restored."""

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint
from sqlalchemy.orm import Session

from api.v1._experiment_models import (
    Ending,
    Experiment,
    ExperimentChange,
    ExperimentColumns,
    ExperimentCount,
    ExperimentDeletion,
    ExperimentFilters,
    ExperimentQuery,
    ExperimentRow,
    NewExperiment,
)
from models.permissions import Permission
from services.actor import Actor
from services.errors import Invalid, NotFound
from services.experiments import access, changing, details, editing, lifecycle, listing, options, reporting, walking
from services.experiments.conditions import Filter
from services.experiments.listing import ListQuery
from web.rest.answers import Listed, Reply, listed
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_experiments", __name__, url_prefix=PREFIX)
ONE = "/experiments/<int:experiment_id>"


@operation(
    blueprint,
    "GET",
    "/experiments",
    permission=Permission.VIEW_EXPERIMENTS,
    query=ExperimentQuery,
    answer=Listed[ExperimentRow],
    table=ExperimentRow,
)
def list_experiments(session: Session, actor: Actor, query: ExperimentQuery) -> Reply:
    """The experiments that match, a page at a time"""
    asked = ListQuery(
        **_asked(query),
        sort=query.sort.removeprefix("-"),
        descending=query.sort.startswith("-"),
        limit=query.limit,
        metrics=tuple(name for name in query.column if name.startswith("metric:")),
        params=tuple(_param(name) for name in query.column if not name.startswith("metric:")),
    )
    rows, following = walking.page(session, actor, asked, query.cursor)
    return listed(Listed[ExperimentRow](items=[_row(row) for row in rows], next=following))


def _row(row: dict[str, Any]) -> ExperimentRow:
    own = {name: row[name] for name in ExperimentRow.model_fields if name not in {"id", "values"}}
    values = {name: value for name, value in row.items() if name.startswith(("metric:", "param:"))}
    return ExperimentRow(id=int(row["id"]), **own, values=values)


def _asked(asked: ExperimentFilters) -> dict[str, Any]:
    filters = [_filter(text, place) for place, text in enumerate(asked.filter)]
    if asked.status:
        filters.append(Filter("status", "in", list(asked.status)))
    filters += [Filter("tags", "equals", tag) for tag in asked.tag]
    if asked.name is not None:
        filters.append(Filter("name", "contains", asked.name))
    filters += [
        Filter(column, "equals", value)
        for column in ("group", "model", "dataset", "owner")
        if (value := getattr(asked, column)) is not None
    ]
    if asked.created_from is not None:
        filters.append(Filter("created", "greaterThanOrEqual", _moment(asked.created_from)))
    if asked.created_to is not None:
        filters.append(Filter("created", "lessThan", _moment(asked.created_to)))
    return {"filters": tuple(filters), "text": asked.text, "deleted": asked.deleted == "true"}


def _moment(when: datetime) -> str:
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).isoformat()


def _param(name: str) -> str:
    if not name.startswith("param:"):
        raise Invalid("A column is “metric:<last|min|max>:<name>” or “param:<name>”.", field="column")
    return name.removeprefix("param:")


def _filter(text: str, place: int) -> Filter:
    try:
        parts = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid("A filter is a JSON list.", field=f"filter[{place}]") from error
    if not isinstance(parts, list) or not 2 <= len(parts) <= 4 or not all(isinstance(part, str) for part in parts[:2]):
        raise Invalid("A filter is a list of column, operation, and up to two values.", field=f"filter[{place}]")
    return Filter(*parts)


@operation(blueprint, "GET", "/experiment-columns", permission=Permission.VIEW_EXPERIMENTS, answer=ExperimentColumns)
def list_experiment_columns(session: Session, actor: Actor, **_: Any) -> ExperimentColumns:
    """The metrics and hyper-parameters by which experiments can be listed, sorted and filtered"""
    return ExperimentColumns(
        metrics=options.metric_names(session, actor),
        params=options.param_names(session, actor),
        suggested=list(options.default_columns(session, actor)),
    )


@operation(
    blueprint,
    "GET",
    "/experiment-count",
    permission=Permission.VIEW_EXPERIMENTS,
    query=ExperimentFilters,
    answer=ExperimentCount,
)
def count_experiments(session: Session, actor: Actor, query: ExperimentFilters) -> ExperimentCount:
    """How many experiments match"""
    return ExperimentCount(experiments=listing.count(session, actor, ListQuery(**_asked(query))))


@operation(
    blueprint,
    "POST",
    "/experiments",
    permission=Permission.CREATE_EXPERIMENTS,
    body=NewExperiment,
    answer=Experiment,
    status=201,
    tagged=True,
    refusals=(409,),
)
def create_experiment(session: Session, actor: Actor, body: NewExperiment, **_: Any) -> Reply:
    """Begin an experiment; it runs until its end is told"""
    given = body.model_dump()
    given["model_type"] = given.pop("model")
    begun = reporting.begin(session, actor, **given)
    return _told(session, actor, begun.id, {"Location": f"{PREFIX}/experiments/{begun.id}"})


@operation(blueprint, "GET", ONE, permission=Permission.VIEW_EXPERIMENTS, answer=Experiment, tagged=True)
def get_experiment(session: Session, actor: Actor, experiment_id: int, **_: Any) -> Reply:
    """One experiment"""
    return _told(session, actor, experiment_id)


@operation(
    blueprint,
    "PATCH",
    ONE,
    permission=Permission.CREATE_EXPERIMENTS,
    body=ExperimentChange,
    answer=Experiment,
    tagged=True,
    conditional=True,
    refusals=(409,),
    description=(
        "Anybody who may create experiments changes notes and tags; name and planned epochs are their author's. The "
        "ETag stands for what can be changed here, so an experiment that goes on measuring keeps it."
    ),
)
def change_experiment(
    session: Session, actor: Actor, experiment_id: int, body: ExperimentChange, expected: tuple[str, ...], **_: Any
) -> Reply:
    """Change what is given, if it still is as it was read"""
    given = body.model_dump(exclude_none=True)
    versions = None if expected == ("*",) else [word.strip('"') for word in expected]
    changing.change(session, actor, experiment_id, expected=versions, **given)
    return _told(session, actor, experiment_id)


@operation(
    blueprint,
    "POST",
    f"{ONE}/end",
    permission=Permission.RUN_EXPERIMENTS,
    body=Ending,
    answer=Experiment,
    tagged=True,
    refusals=(409,),
)
def end_experiment(session: Session, actor: Actor, experiment_id: int, body: Ending, **_: Any) -> Reply:
    """Say that an experiment that reports itself has ended"""
    changing.end(session, actor, experiment_id, body.status, body.failure)
    return _told(session, actor, experiment_id)


@operation(
    blueprint,
    "POST",
    f"{ONE}/cancel",
    permission=Permission.STOP_EXPERIMENTS,
    answer=Experiment,
    tagged=True,
    refusals=(409,),
)
def cancel_experiment(session: Session, actor: Actor, experiment_id: int, **_: Any) -> Reply:
    """Stop an experiment; one that is trained here ends with its present epoch"""
    lifecycle.cancel(session, actor, experiment_id)
    return _told(session, actor, experiment_id)


@operation(
    blueprint,
    "GET",
    f"{ONE}/deletion",
    permission=Permission.DELETE_OWN_EXPERIMENTS,
    answer=ExperimentDeletion,
)
def preview_experiment_deletion(session: Session, actor: Actor, experiment_id: int, **_: Any) -> ExperimentDeletion:
    """What would go with an experiment if it were deleted"""
    found = editing.preview_deletion(session, actor, [experiment_id])
    return ExperimentDeletion.from_row(found, active=found.active > 0)


@operation(blueprint, "DELETE", ONE, permission=Permission.DELETE_OWN_EXPERIMENTS, answer=None, status=204)
def delete_experiment(session: Session, actor: Actor, experiment_id: int, **_: Any) -> None:
    """Put an experiment aside; it can be restored until it is purged"""
    if access.get(session, actor, experiment_id).deleted_at is None:
        editing.delete_experiments(session, actor, [experiment_id])


@operation(
    blueprint,
    "POST",
    f"{ONE}/restore",
    permission=Permission.DELETE_OWN_EXPERIMENTS,
    answer=Experiment,
    tagged=True,
)
def restore_experiment(session: Session, actor: Actor, experiment_id: int, **_: Any) -> Reply:
    """Bring a deleted experiment back"""
    if access.get(session, actor, experiment_id).deleted_at is not None and not editing.restore_experiments(
        session, actor, [experiment_id]
    ):
        raise NotFound("experiment")
    return _told(session, actor, experiment_id)


def _told(session: Session, actor: Actor, experiment_id: int, headers: dict[str, str] | None = None) -> Reply:
    session.expire_all()  # what statements have changed is read as it is now
    found = access.get(session, actor, experiment_id)
    tag = {"ETag": f'"{changing.version(session, found)}"'}
    return Reply(Experiment.of(details.detail(session, actor, experiment_id)), tag | (headers or {}))
