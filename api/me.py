"""`/api/v1/me`: what the key of a request is and may do."""

from flask import Blueprint, Response, jsonify

from web.bearer import current_speaker, requires_key

blueprint = Blueprint("api_me", __name__, url_prefix="/api/v1")


@blueprint.get("/me")
@requires_key()
def me() -> Response:
    """The owner of the key, and what the key may do at this moment."""
    speaker = current_speaker()
    return jsonify(
        user=speaker.actor.username,
        role=speaker.actor.role,
        scopes=sorted(permission.value for permission in speaker.actor.permissions),
    )
