"""`/api/2.0/mlflow/logged-models`: models that runs save."""

from flask import Blueprint, Response, request

from api.mlflow import wire
from database.engine import snapshot, transaction
from models.permissions import Permission
from services.tracking import model_search, models
from web.bearer import current_speaker, requires_key

blueprint = Blueprint("mlflow_models", __name__, url_prefix=f"{wire.PREFIX}/logged-models")


@blueprint.post("")
@requires_key(Permission.CREATE_EXPERIMENTS)
def create() -> Response:
    """A new model."""
    given = wire.body()
    with transaction() as session:
        model = models.create(session, current_speaker().actor, given)
        return wire.answer({"model": models.spoken(session, model)})


@blueprint.get("/<model_id>")
@requires_key(Permission.VIEW_EXPERIMENTS)
def get(model_id: str) -> Response:
    """A model."""
    deleted = request.args.get("allow_deleted") == "true"
    with snapshot() as session:
        model = models.get(session, current_speaker().actor, model_id, deleted=deleted)
        return wire.answer({"model": models.spoken(session, model)})


@blueprint.patch("/<model_id>")
@requires_key(Permission.RUN_EXPERIMENTS)
def finish(model_id: str) -> Response:
    """Say whether its files have come."""
    given = wire.body()
    with transaction() as session:
        model = models.finish(session, current_speaker().actor, model_id, given.get("status"))
        return wire.answer({"model": models.spoken(session, model)})


@blueprint.delete("/<model_id>")
@requires_key(Permission.DELETE_OWN_EXPERIMENTS)
def delete(model_id: str) -> Response:
    """Put a model aside."""
    with transaction() as session:
        models.delete(session, current_speaker().actor, model_id)
    return wire.answer({})


@blueprint.patch("/<model_id>/tags")
@requires_key(Permission.RUN_EXPERIMENTS)
def set_tags(model_id: str) -> Response:
    """Keys of a model."""
    given = wire.body()
    with transaction() as session:
        model = models.add_tags(session, current_speaker().actor, model_id, given.get("tags"))
        return wire.answer({"model": models.spoken(session, model)})


@blueprint.delete("/<model_id>/tags/<path:key>")
@requires_key(Permission.RUN_EXPERIMENTS)
def delete_tag(model_id: str, key: str) -> Response:
    """A key goes."""
    with transaction() as session:
        models.remove_tag(session, current_speaker().actor, model_id, key)
    return wire.answer({})


@blueprint.post("/<model_id>/params")
@requires_key(Permission.RUN_EXPERIMENTS)
def set_params(model_id: str) -> Response:
    """Parameters of a model."""
    given = wire.body()
    with transaction() as session:
        models.add_params(session, current_speaker().actor, model_id, given.get("params"))
    return wire.answer({})


@blueprint.post("/search")
@requires_key(Permission.VIEW_EXPERIMENTS)
def search() -> Response:
    """A page of the models of some groups."""
    given = wire.body()
    with snapshot() as session:
        found, following = model_search.find(session, current_speaker().actor, given)
        told = [models.spoken(session, model) for model in found]
    return wire.answer({"models": told} | ({"next_page_token": following} if following else {}))
