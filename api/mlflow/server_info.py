"""`/api/3.0/mlflow/server-info`: what MLflow's client asks before it moves files in parts, which are not taken here."""

from flask import Blueprint, Response

from api.mlflow import wire
from web.bearer import requires_key

blueprint = Blueprint("mlflow_server_info", __name__, url_prefix="/api/3.0/mlflow")


@blueprint.get("/server-info")
@requires_key()
def server_info() -> Response:
    """Nothing of what is optional there."""
    return wire.answer(
        {"workspaces_enabled": False, "multipart_uploads_enabled": False, "multipart_downloads_enabled": False}
    )
