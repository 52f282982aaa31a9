"""The one question that stands in front of acts that open doors: is it still you?"""

from typing import Any

from flask import Blueprint, Response, jsonify
from werkzeug.wrappers import Response as AnyResponse

from database.engine import snapshot, transaction
from models.permissions import Permission, require_permission
from services import identities, passwords, sudo
from services.errors import Invalid, TooManyAttempts
from services.second_factor import enrolment, guesses, passkeys
from services.sessions import SignedIn, Visitor
from services.sudo import WrongFactor
from web import oidc
from web.bodies import json_object
from web.factors import wrong_ones_noted
from web.forms import with_session
from web.guard import for_enrolment
from web.identity import current_session, visitor

blueprint = Blueprint("sudo", __name__)
LONGEST_CODE = 100


@blueprint.get("/sudo")
@for_enrolment
@require_permission(Permission.MANAGE_OWN_ACCOUNT)
def ways() -> Response:
    """With what this person may answer."""
    with snapshot() as session:
        actor = current_session().actor
        has = enrolment.holdings(session, actor)
        linked = bool(identities.of(session, actor))
    return jsonify(
        code=has.any,
        passkey=has.passkeys > 0 and passkeys.are_possible(),
        provider=oidc.provider_name() if linked else "",
    )


@blueprint.post("/sudo/passkey")
@for_enrolment
@require_permission(Permission.MANAGE_OWN_ACCOUNT)
def ask_for_passkey() -> Response:
    """What the browser needs to ask for a passkey."""
    json_object()
    signed_in = current_session()
    with transaction() as session:
        asked = passkeys.ask(session, signed_in.actor.user_id or 0, signed_in.session_id)
    return Response(asked, mimetype="application/json")


@blueprint.post("/sudo")
@for_enrolment
@require_permission(Permission.MANAGE_OWN_ACCOUNT)
def confirm() -> AnyResponse:
    """Check the answer; a right one renews the session's token."""
    body, signed_in, who = json_object(), current_session(), visitor()
    with wrong_ones_noted():
        if "credential" in body:
            token = _by_passkey(signed_in, who, body["credential"])
        elif "code" in body:
            token = _by_code(signed_in, who, _text(body["code"])[:LONGEST_CODE])
        else:
            token = _by_password(signed_in, who, _text(body.get("password")))
    return with_session(jsonify(confirmed=True), token)


def _by_password(signed_in: SignedIn, who: Visitor, password: str) -> str:
    if len(password) > passwords.LONGEST:
        raise Invalid("That is not your password.", field="password")
    with transaction() as session:
        guess = sudo.begin_password(session, signed_in, who)
    sudo.check_password(guess, password)
    with transaction() as session:
        sudo.accept_password(session, guess)
        sudo.confirm(session, signed_in, "password")
        return sudo.renew_token(session, signed_in)


def _by_code(signed_in: SignedIn, who: Visitor, typed: str) -> str:
    with transaction() as session:
        guess = guesses.begin(session, signed_in.actor.user_id or 0, typed, who)
    if guess.wait:
        raise TooManyAttempts(guess.wait)
    verdict = guesses.compare(guess)
    with transaction() as session:
        verdict = guesses.use_up(session, guess, verdict, who)
        if verdict.right:
            sudo.confirm(session, signed_in, guess.method)
            token = sudo.renew_token(session, signed_in)
    if not verdict.right:
        raise WrongFactor(verdict.sentence, "code", guess.method)
    return token


def _by_passkey(signed_in: SignedIn, who: Visitor, credential: Any) -> str:
    user_id = signed_in.actor.user_id or 0
    with transaction() as session:
        wait = passkeys.count_try(session, user_id, who)
    if wait:
        raise TooManyAttempts(wait)
    with transaction() as session:
        challenge = passkeys.take_challenge(session, signed_in.session_id)
    with transaction() as session:
        if not passkeys.check(session, user_id, challenge, credential, who):
            raise WrongFactor(passkeys.REFUSED, "passkey", "passkey")
        sudo.confirm(session, signed_in, "passkey")
        return sudo.renew_token(session, signed_in)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
