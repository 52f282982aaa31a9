"""Files of runs and models: `/api/2.0/mlflow-artifacts/artifacts/…`, and what a run has of them."""

from flask import Blueprint, Response, request

from api.mlflow import wire
from database.engine import snapshot, transaction
from models.permissions import Permission
from services.errors import NotFound
from services.tracking import artifacts, reading, runs
from services.tracking.artifacts import Place
from web import stored_files
from web.bearer import current_speaker, requires_key

blueprint = Blueprint("mlflow_artifacts", __name__, url_prefix="/api/2.0")
FILES = "/mlflow-artifacts/artifacts"


def _to_read(where: Place) -> Place:
    with snapshot() as session:
        artifacts.require_reading(session, current_speaker().actor, where)
    return where


def _to_write(where: Place) -> Place:
    with snapshot() as session:
        artifacts.require_writing(session, current_speaker().actor, where)
    return where


def _note(where: Place) -> None:
    """The store is asked outside of the transaction, and again after it: what changed meanwhile is told as well."""
    there = artifacts.is_there(where)
    for _ in range(3):
        with transaction() as session:
            artifacts.note(session, where, there)
        before, there = there, artifacts.is_there(where)
        if there == before:
            return


@blueprint.get(f"{FILES}/<path:path>")
@requires_key(Permission.VIEW_EXPERIMENTS)
def download(path: str) -> Response:
    """A file, always as a download and never as something that a browser would run."""
    where = _to_read(artifacts.place(path))
    return stored_files.answer(artifacts.opened(where), where.at.name)


@blueprint.put(f"{FILES}/<path:path>")
@requires_key(Permission.RUN_EXPERIMENTS)
def upload(path: str) -> Response:
    """A file, as it streams in; no transaction is open meanwhile."""
    where = _to_write(artifacts.place(path))
    request.max_content_length = artifacts.largest()
    artifacts.save(where, request.stream, request.content_length)
    with snapshot() as session:
        noted = artifacts.is_noted(session, where)
    if not noted:
        _note(where)
    return wire.answer({})


@blueprint.delete(f"{FILES}/<path:path>")
@requires_key(Permission.DELETE_OWN_EXPERIMENTS)
def delete(path: str) -> Response:
    """A file or a folder goes."""
    where = _to_write(artifacts.place(path))
    try:
        artifacts.remove(where)
    except NotFound:
        _note(where)  # the store may have gone away between a removal and its note, and this is the second try
        raise
    _note(where)
    return wire.answer({})


@blueprint.get(FILES)
@requires_key(Permission.VIEW_EXPERIMENTS)
def listed() -> Response:
    """What a folder holds, by the last part of each name."""
    where = _to_read(artifacts.place(wire.asked("path") or ""))
    return wire.answer({"files": artifacts.listed(where)})


@blueprint.get("/mlflow/artifacts/list")
@requires_key(Permission.VIEW_EXPERIMENTS)
def of_run() -> Response:
    """What a run has, by the names within it."""
    path = wire.asked("path") or ""
    with snapshot() as session:
        number = runs.number_of(session, current_speaker().actor, wire.run_in_address())
        info = reading.info(session, number)
    files = artifacts.listed(artifacts.of_run(info["run_id"], path))
    prefix = path.strip("/")
    told = [one | {"path": f"{prefix}/{one['path']}" if prefix else one["path"]} for one in files]
    return wire.answer({"root_uri": info["artifact_uri"], "files": told})
