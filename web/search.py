"""Experiments by name, for the command palette."""

from flask import Blueprint, Response, jsonify, request

from database.engine import snapshot
from models.permissions import Permission, require_permission
from services import search
from services.limits import quotas
from web.identity import current_actor

blueprint = Blueprint("search", __name__)


@blueprint.get("/search/experiments")
@require_permission(Permission.VIEW_EXPERIMENTS)
def experiments() -> Response:
    """The ten best hits for what is being typed."""
    quotas.count_of_person(current_actor().user_id, "searches")
    with snapshot() as session:
        results = search.find(session, current_actor(), request.args.get("q", "")[:500])
    return jsonify(results=results)
