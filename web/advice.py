"""Advice on a password while it is typed: it refuses nothing, keeps nothing and is not logged."""

from flask import Blueprint, Response, jsonify, request

from services import common_passwords
from services.errors import Invalid
from web.guard import public

LONGEST = 4096  # characters

blueprint = Blueprint("advice", __name__)


@blueprint.post("/password-advice")
@public
def advise() -> Response:
    """How good the password is; empty while too many ask at once. Only JSON is taken, which no foreign form sends."""
    try:
        body = request.get_json()
    except RecursionError:
        body = None
    password = body.get("password") if isinstance(body, dict) else None
    if not isinstance(password, str) or len(password) > LONGEST:
        raise Invalid("Send {“password”: …}.")
    told = common_passwords.advise(password)
    return jsonify({} if told is None else {"score": told.score, "words": told.words})
