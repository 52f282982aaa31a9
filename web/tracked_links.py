"""The addresses that tracking clients print, which name runs and groups in MLflow's way, lead to pages of ours.

A client prints `/#/experiments/1/runs/…`. What stands behind “#” never reaches a server, so that a script
(`assets/tracked-links.js`) reads it and asks here.
"""

from urllib.parse import urlencode

import orjson
from flask import Blueprint, redirect
from werkzeug.wrappers import Response as AnyResponse

from database.engine import snapshot
from models.permissions import Permission, require_permission
from services.experiments.groups import DEFAULT_ID
from services.tracking import groups, runs
from web.identity import current_actor

blueprint = Blueprint("tracked_links", __name__, url_prefix="/tracked")


@blueprint.get("/runs/<run_id>")
@require_permission(Permission.VIEW_EXPERIMENTS)
def run(run_id: str) -> AnyResponse:
    """The page of a run."""
    with snapshot() as session:
        return redirect(f"/experiments/{runs.number_of(session, current_actor(), run_id)}")


@blueprint.get("/groups/<group_id>")
@require_permission(Permission.VIEW_EXPERIMENTS)
def group(group_id: str) -> AnyResponse:
    """The list, of the experiments of a group alone."""
    with snapshot() as session:
        found = None if group_id == str(DEFAULT_ID) else groups.get(session, current_actor(), group_id)
    wanted = {"type": "blank"} if found is None else {"type": "equals", "filter": found.name}
    shown = orjson.dumps({"group": {"filterType": "text", **wanted}}).decode()
    return redirect(f"/experiments?{urlencode({'filter': shown})}")
