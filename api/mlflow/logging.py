"""`/api/2.0/mlflow/runs/log-…`: what a run logs; answered when it is committed."""

from typing import Any

from flask import Blueprint, Response

from api.mlflow import wire
from database.engine import transaction
from database.together import Together
from models.permissions import Permission
from services.tracking import inputs, logging, models, params, runs, tags, values
from services.tracking.logging import Said
from web.bearer import current_speaker, requires_key

blueprint = Blueprint("mlflow_logging", __name__, url_prefix=f"{wire.PREFIX}/runs")
_together = Together(logging.log)


def _keep(given: dict[str, Any], **what: Any) -> None:
    """Commit what a request logs, with what others log at this moment."""
    _together.commit(Said(current_speaker().actor, wire.run_id(given), **what))


@blueprint.post("/log-metric")
@requires_key(Permission.RUN_EXPERIMENTS)
def log_metric() -> Response:
    """One point."""
    given = wire.body()
    points = logging.metrics([given])
    _keep(given, points=points)
    return wire.answer({})


@blueprint.post("/log-batch")
@requires_key(Permission.RUN_EXPERIMENTS)
def log_batch() -> Response:
    """Metrics, parameters and tags, all of them or none."""
    given = wire.body()
    points = logging.metrics(given.get("metrics"))
    said, labels = params.checked(given.get("params")), tags.checked(given.get("tags"))
    _keep(given, points=points, params=said, tags=labels)
    return wire.answer({})


@blueprint.post("/log-parameter")
@requires_key(Permission.RUN_EXPERIMENTS)
def log_parameter() -> Response:
    """One parameter."""
    given = wire.body()
    said = params.checked([given])
    _keep(given, params=said)
    return wire.answer({})


@blueprint.post("/set-tag")
@requires_key(Permission.RUN_EXPERIMENTS)
def set_tag() -> Response:
    """One tag."""
    given = wire.body()
    labels = tags.checked([given])
    _keep(given, tags=labels)
    return wire.answer({})


@blueprint.post("/delete-tag")
@requires_key(Permission.RUN_EXPERIMENTS)
def delete_tag() -> Response:
    """A tag goes."""
    given = wire.body()
    with transaction() as session:
        aim = runs.target(session, current_speaker().actor, wire.run_id(given))
        tags.remove(session, aim.id, aim.run_id, given.get("key"))
    return wire.answer({})


@blueprint.post("/log-inputs")
@requires_key(Permission.RUN_EXPERIMENTS)
def log_inputs() -> Response:
    """Datasets and models that went in."""
    given = wire.body()
    with transaction() as session:
        inputs.log(session, current_speaker().actor, wire.run_id(given), given.get("datasets"), given.get("models"))
    return wire.answer({})


@blueprint.post("/outputs")
@requires_key(Permission.RUN_EXPERIMENTS)
def log_outputs() -> Response:
    """Models that came out."""
    given = wire.body()
    with transaction() as session:
        models.put_out(session, current_speaker().actor, wire.run_id(given), given.get("models"))
    return wire.answer({})


@blueprint.post("/log-model")
@requires_key(Permission.RUN_EXPERIMENTS)
def log_model() -> Response:
    """What a saved model is, kept as MLflow keeps it: in a tag of the run."""
    given = wire.body()
    facts = values.text(given.get("model_json"), "model_json", longest=models.LONGEST_FACTS)
    with transaction() as session:
        models.note_in_run(session, current_speaker().actor, wire.run_id(given), facts)
    return wire.answer({})
