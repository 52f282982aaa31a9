"""`/api/2.0/mlflow/metrics`: the points of metrics."""

from flask import Blueprint, Response, request

from api.mlflow import wire
from database.engine import snapshot
from models.permissions import Permission
from services.tracking import history
from web.bearer import current_speaker, requires_key

blueprint = Blueprint("mlflow_metrics", __name__, url_prefix=f"{wire.PREFIX}/metrics")


@blueprint.get("/get-history")
@requires_key(Permission.VIEW_EXPERIMENTS)
def get_history() -> Response:
    """A page of the points of one metric."""
    with snapshot() as session:
        found, following = history.page(
            session,
            current_speaker().actor,
            wire.run_in_address(),
            wire.asked("metric_key"),
            wire.asked("max_results"),
            wire.asked("page_token"),
        )
    return wire.answer({"metrics": found} | ({"next_page_token": following} if following else {}))


@blueprint.get("/get-history-bulk")
@requires_key(Permission.VIEW_EXPERIMENTS)
def get_history_bulk() -> Response:
    """The points of one metric of several runs."""
    with snapshot() as session:
        found = history.bulk(
            session,
            current_speaker().actor,
            request.args.getlist("run_id"),
            wire.asked("metric_key"),
            wire.asked("max_results"),
        )
    return wire.answer({"metrics": found})


@blueprint.get("/get-history-bulk-interval")
@requires_key(Permission.VIEW_EXPERIMENTS)
def get_history_bulk_interval() -> Response:
    """As many of the points of several runs as a chart takes."""
    with snapshot() as session:
        found = history.interval(
            session,
            current_speaker().actor,
            request.args.getlist("run_ids"),
            wire.asked("metric_key"),
            wire.asked("start_step"),
            wire.asked("end_step"),
            wire.asked("max_results"),
        )
    return wire.answer({"metrics": found})
