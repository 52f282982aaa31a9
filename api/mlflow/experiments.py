"""`/api/2.0/mlflow/experiments`: MLflow's experiments, which are groups here."""

from typing import Any

from flask import Blueprint, Response, request

from api.mlflow import wire
from database.engine import snapshot, transaction
from models.permissions import Permission
from services.experiments.groups import DEFAULT_ID, DEFAULT_NAME, ensure_default, has_default
from services.tracking import group_search, groups, tags, values
from web.bearer import current_speaker, requires_key

blueprint = Blueprint("mlflow_experiments", __name__, url_prefix=f"{wire.PREFIX}/experiments")


def _make_default() -> None:
    """The default group is there for everybody who asks, before anything is in it."""
    with snapshot() as session:
        is_there = has_default(session)
    if not is_there:
        with transaction() as session:
            ensure_default(session)


@blueprint.post("/create")
@requires_key(Permission.CREATE_EXPERIMENTS)
def create() -> Response:
    """A new group."""
    given = wire.body()
    labels = tags.checked(given.get("tags"), longest=values.LONGEST_GROUP_TAG)
    with transaction() as session:
        number = groups.create(session, current_speaker().actor, given.get("name"), labels)
    return wire.answer({"experiment_id": str(number)})


@blueprint.get("/get")
@requires_key(Permission.VIEW_EXPERIMENTS)
def get() -> Response:
    """A group by its number."""
    number = wire.asked("experiment_id")
    if number == str(DEFAULT_ID):
        _make_default()
    with snapshot() as session:
        return wire.answer({"experiment": groups.spoken(groups.get(session, current_speaker().actor, number))})


@blueprint.get("/get-by-name")
@requires_key(Permission.VIEW_EXPERIMENTS)
def get_by_name() -> Response:
    """A group by its name."""
    name = wire.asked("experiment_name")
    if name == DEFAULT_NAME:
        _make_default()
    with snapshot() as session:
        return wire.answer({"experiment": groups.spoken(groups.by_name(session, current_speaker().actor, name))})


@blueprint.route("/search", methods=["GET", "POST"])
@requires_key(Permission.VIEW_EXPERIMENTS)
def search() -> Response:
    """A page of groups."""
    return _page(_asked())


@blueprint.get("/list")
@requires_key(Permission.VIEW_EXPERIMENTS)
def listed() -> Response:
    """The same for old clients."""
    return _page(_asked())


def _asked() -> dict[str, Any]:
    if request.method == "POST":
        return wire.body()
    names = ("filter", "view_type", "max_results", "page_token")
    return {name: wire.asked(name) for name in names} | {"order_by": request.args.getlist("order_by") or None}


def _page(given: dict[str, Any]) -> Response:
    _make_default()
    with snapshot() as session:
        found, following = group_search.find(
            session,
            current_speaker().actor,
            text=given.get("filter"),
            view_type=given.get("view_type"),
            max_results=given.get("max_results"),
            order_by=given.get("order_by"),
            token=given.get("page_token"),
        )
    return wire.answer({"experiments": found} | ({"next_page_token": following} if following else {}))


@blueprint.post("/update")
@requires_key(Permission.CREATE_EXPERIMENTS)
def update() -> Response:
    """Another name."""
    given = wire.body()
    with transaction() as session:
        groups.rename(session, current_speaker().actor, given.get("experiment_id"), given.get("new_name"))
    return wire.answer({})


@blueprint.post("/delete")
@requires_key(Permission.DELETE_OWN_EXPERIMENTS)
def delete() -> Response:
    """Put a group aside with its runs."""
    given = wire.body()
    with transaction() as session:
        groups.delete(session, current_speaker().actor, given.get("experiment_id"))
    return wire.answer({})


@blueprint.post("/restore")
@requires_key(Permission.DELETE_OWN_EXPERIMENTS)
def restore() -> Response:
    """Bring a group back with its runs."""
    given = wire.body()
    with transaction() as session:
        groups.restore(session, current_speaker().actor, given.get("experiment_id"))
    return wire.answer({})


@blueprint.post("/set-experiment-tag")
@requires_key(Permission.CREATE_EXPERIMENTS)
def set_tag() -> Response:
    """A key of a group."""
    given = wire.body()
    with transaction() as session:
        groups.set_tag(
            session, current_speaker().actor, given.get("experiment_id"), given.get("key"), given.get("value")
        )
    return wire.answer({})


@blueprint.post("/delete-experiment-tag")
@requires_key(Permission.CREATE_EXPERIMENTS)
def delete_tag() -> Response:
    """A key of a group goes."""
    given = wire.body()
    with transaction() as session:
        groups.delete_tag(session, current_speaker().actor, given.get("experiment_id"), given.get("key"))
    return wire.answer({})
