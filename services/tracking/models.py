"""Models that runs save: their facts are rows, their files lie among the artifacts."""

import uuid
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.types import now
from models.experiment import Experiment
from models.logged_model import LoggedModel
from models.permissions import Permission
from models.run_tag import RunTag
from services.actor import Actor
from services.errors import Forbidden
from services.experiments.groups import DEFAULT_ID, ensure_default
from services.tracking import groups, ids, params, runs, tags, values
from services.tracking.errors import InvalidParameter, NotThere

PENDING = "LOGGED_MODEL_PENDING"
STATUSES = ("LOGGED_MODEL_UNSPECIFIED", PENDING, "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED")
LONGEST_NAME, LONGEST_FACTS, MOST_PARAMS, MOST_SHOWN = 500, 500_000, 5000, 1000
HISTORY, MOST_NOTED = "mlflow.log-model.history", 50


def create(session: Session, actor: Actor, asked: dict[str, Any]) -> LoggedModel:
    """A new model, whose files are still to come."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    group = asked.get("experiment_id")
    if ids.group_id(group) == DEFAULT_ID:
        ensure_default(session)
    found = groups.get(session, actor, group)
    if found.deleted_at is not None:
        raise groups.deleted(found)
    name = asked.get("name") or f"model-{uuid.uuid4().hex[:8]}"
    run_id, kind = asked.get("source_run_id"), asked.get("model_type")
    model = LoggedModel(
        model_id=f"m-{uuid.uuid4().hex}",
        group_id=found.id,
        experiment_id=runs.target(session, actor, run_id).id if run_id else None,
        name=values.text(name, "name", longest=LONGEST_NAME),
        model_type=None if kind is None else values.text(kind, "model_type", longest=LONGEST_NAME),
        status=PENDING,
        params=params.checked(asked.get("params")),
        tags=tags.checked(asked.get("tags")),
        created_by=actor.user_id,
    )
    session.add(model)
    session.flush()
    return model


def get(session: Session, actor: Actor, model_id: str, *, deleted: bool = False, lock: bool = False) -> LoggedModel:
    """A model that the actor sees."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    query = select(LoggedModel).where(LoggedModel.model_id == model_id[:100].replace("\x00", ""))
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None or (found.deleted_at is not None and not deleted):
        raise NotThere(f"Logged model with ID '{model_id[:100]}' not found.")
    return found


def writable(session: Session, actor: Actor, model_id: str, *, lock: bool = False) -> LoggedModel:
    """A model of one's own, or anybody's for those who manage all experiments."""
    actor.require(Permission.RUN_EXPERIMENTS)
    model = get(session, actor, model_id, lock=lock)
    if model.created_by != actor.user_id and not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        raise Forbidden("This model is another person's; only they and admins write to it.")
    return model


def finish(session: Session, actor: Actor, model_id: str, status: Any) -> LoggedModel:
    """Say whether its files have come."""
    if status not in STATUSES:
        raise InvalidParameter(f"Invalid value for parameter 'status' supplied: one of {', '.join(STATUSES)}.")
    model = writable(session, actor, model_id, lock=True)
    model.status = status
    session.flush()
    return model


def add_tags(session: Session, actor: Actor, model_id: str, given: Any) -> LoggedModel:
    """Put keys of a model to values."""
    model = writable(session, actor, model_id, lock=True)
    model.tags = {**model.tags, **tags.checked(given)}
    if len(model.tags) > tags.MOST:
        raise InvalidParameter(f"A model has at most {tags.MOST:,} tags.")
    session.flush()
    return model


def remove_tag(session: Session, actor: Actor, model_id: str, key: str) -> None:
    """Take a key off a model."""
    model = writable(session, actor, model_id, lock=True)
    if key not in model.tags:
        raise NotThere(f"No tag with key '{key[:250]}' found for model with ID '{model_id[:100]}'.")
    model.tags = {name: value for name, value in model.tags.items() if name != key}


def add_params(session: Session, actor: Actor, model_id: str, given: Any) -> None:
    """Parameters of a model, which do not change once they are set."""
    fresh = params.checked(given)
    model = writable(session, actor, model_id, lock=True)
    for name, value in fresh.items():
        if model.params.get(name, value) != value:
            raise InvalidParameter(f"Changing param values is not allowed. Param with key='{name}' was already logged.")
    model.params = {**model.params, **fresh}
    if len(model.params) > MOST_PARAMS:
        raise InvalidParameter(f"A model has at most {MOST_PARAMS:,} parameters.")


def delete(session: Session, actor: Actor, model_id: str) -> None:
    """Put a model aside."""
    actor.require(Permission.DELETE_OWN_EXPERIMENTS)
    model = get(session, actor, model_id)
    if model.created_by != actor.user_id and not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        raise Forbidden("This model is another person's; only they and admins delete it.")
    model.deleted_at = now()


def put_out(session: Session, actor: Actor, run_id: Any, given: Any) -> None:
    """Say which models a run gave, and at which step."""
    if not isinstance(given, list) or len(given) > MOST_SHOWN or not all(isinstance(one, dict) for one in given):
        raise InvalidParameter("Invalid value for parameter 'models' supplied: Value must be a list of objects.")
    aim = runs.target(session, actor, run_id)
    for one in given:
        model = writable(session, actor, values.text(one.get("model_id"), "models.model_id", longest=100))
        model.experiment_id, model.step = aim.id, values.step(one.get("step", 0))


def note_in_run(session: Session, actor: Actor, run_id: Any, facts: str) -> None:
    """Add to the history of models that MLflow keeps in a tag of the run."""
    try:
        found = orjson.loads(facts)
    except orjson.JSONDecodeError as error:
        raise InvalidParameter("Malformed model info: model_json is not a valid JSON.") from error
    missing = {"artifact_path", "flavors", "utc_time_created", "run_id"} - set(found if isinstance(found, dict) else ())
    if missing:
        raise InvalidParameter(f"Model json is missing mandatory fields: {sorted(missing)}")
    aim = runs.target(session, actor, run_id, lock=True)
    before = session.scalar(select(RunTag.value).where(RunTag.experiment_id == aim.id, RunTag.name == HISTORY))
    history = orjson.loads(before) if before else []
    history.append(found)
    tags.put(session, aim.id, {HISTORY: orjson.dumps(history[-MOST_NOTED:]).decode()})


def spoken(session: Session, model: LoggedModel) -> dict[str, Any]:
    """A model as MLflow writes it."""
    source = None
    if model.experiment_id is not None:
        row = session.execute(
            select(Experiment.source, Experiment.source_id, Experiment.id).where(Experiment.id == model.experiment_id)
        ).one()
        source = ids.run_id(*row)
    told = {
        "model_id": model.model_id,
        "experiment_id": str(model.group_id),
        "name": model.name,
        "creation_timestamp_ms": values.in_milliseconds(model.created_at),
        "last_updated_timestamp_ms": values.in_milliseconds(model.updated_at),
        "artifact_uri": f"mlflow-artifacts:/{model.group_id}/models/{model.model_id}/artifacts",
        "status": model.status,
        "model_type": model.model_type,
        "source_run_id": source,
        "tags": [{"key": key, "value": value} for key, value in model.tags.items()],
    }
    return {
        "info": {name: value for name, value in told.items() if value is not None},
        "data": {"params": [{"key": key, "value": value} for key, value in model.params.items()], "metrics": []},
    }
