"""`/api/2.0/mlflow/runs`: begun, read, searched, ended, deleted, restored."""

from flask import Blueprint, Response

from api.mlflow import wire
from database.engine import snapshot, transaction
from models.permissions import Permission
from services.tracking import reading, runs, tags
from services.tracking.search import search as find
from web.bearer import current_speaker, requires_key

blueprint = Blueprint("mlflow_runs", __name__, url_prefix=f"{wire.PREFIX}/runs")


@blueprint.post("/create")
@requires_key(Permission.CREATE_EXPERIMENTS)
def create() -> Response:
    """Begin a run."""
    given = wire.body()
    labels = tags.checked(given.get("tags"))
    with transaction() as session:
        number = runs.create(
            session,
            current_speaker().actor,
            group=given.get("experiment_id"),
            name=given.get("run_name"),
            start_time=given.get("start_time"),
            given_tags=labels,
        )
        told = reading.run(session, number)
    return wire.answer({"run": told})


@blueprint.get("/get")
@requires_key(Permission.VIEW_EXPERIMENTS)
def get() -> Response:
    """A run with its data."""
    with snapshot() as session:
        number = runs.number_of(session, current_speaker().actor, wire.run_in_address())
        return wire.answer({"run": reading.run(session, number)})


@blueprint.post("/update")
@requires_key(Permission.RUN_EXPERIMENTS)
def update() -> Response:
    """Change status, end and name."""
    given = wire.body()
    with transaction() as session:
        number = runs.update(
            session,
            current_speaker().actor,
            wire.run_id(given),
            status=given.get("status"),
            end_time=given.get("end_time"),
            name=given.get("run_name"),
        )
        told = reading.info(session, number)
    return wire.answer({"run_info": told})


@blueprint.post("/delete")
@requires_key(Permission.DELETE_OWN_EXPERIMENTS)
def delete() -> Response:
    """Put a run aside."""
    given = wire.body()
    with transaction() as session:
        runs.delete(session, current_speaker().actor, wire.run_id(given))
    return wire.answer({})


@blueprint.post("/restore")
@requires_key(Permission.DELETE_OWN_EXPERIMENTS)
def restore() -> Response:
    """Bring a run back."""
    given = wire.body()
    with transaction() as session:
        runs.restore(session, current_speaker().actor, wire.run_id(given))
    return wire.answer({})


@blueprint.post("/search")
@requires_key(Permission.VIEW_EXPERIMENTS)
def search() -> Response:
    """A page of runs."""
    given = wire.body()
    with snapshot() as session:
        found, following = find(
            session,
            current_speaker().actor,
            group_ids=given.get("experiment_ids"),
            text=given.get("filter"),
            view_type=given.get("run_view_type"),
            max_results=given.get("max_results"),
            order_by=given.get("order_by"),
            token=given.get("page_token"),
        )
    return wire.answer({"runs": found} | ({"next_page_token": following} if following else {}))
