"""Adding a passkey: what the browser asks for before and after its own dialog."""

from flask import Blueprint, Response, jsonify

from database.engine import transaction
from models.permissions import Permission, require_permission
from services import sudo
from services.second_factor import passkeys
from web.bodies import json_object
from web.guard import for_enrolment
from web.identity import current_session, visitor

blueprint = Blueprint("passkeys", __name__)


@blueprint.post("/account/passkeys/options")
@for_enrolment
@require_permission(Permission.MANAGE_OWN_ACCOUNT)
def offer() -> Response:
    """What the browser needs to make a passkey."""
    json_object()
    signed_in = current_session()
    sudo.require(signed_in)
    with transaction() as session:
        return Response(passkeys.offer_registration(session, signed_in), mimetype="application/json")


@blueprint.post("/account/passkeys")
@for_enrolment
@require_permission(Permission.MANAGE_OWN_ACCOUNT)
def register() -> Response:
    """Keep what the browser made."""
    body, signed_in = json_object(), current_session()
    sudo.require(signed_in)
    with transaction() as session:
        challenge = passkeys.take_challenge(session, signed_in.session_id)
    name = body.get("name")
    with transaction() as session:
        kept = passkeys.register(
            session, signed_in, challenge, name if isinstance(name, str) else "", body.get("credential"), visitor()
        )
    return jsonify(name=kept)
