"""The second step of a sign-in: a code or a passkey, on a plain page."""

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from database.engine import transaction
from models.permissions import AuthenticationRequired
from services import known_devices
from services.errors import Invalid, TooManyAttempts
from services.second_factor import guesses, passkeys, second_step
from services.second_factor.second_step import HalfSignedIn
from web.bodies import json_object
from web.forms import check_token, safe_next, with_device, with_session
from web.guard import public
from web.identity import half_signed_in, visitor

blueprint = Blueprint("second_step", __name__)
LONGEST_CODE = 100
REFUSED = "This passkey was not accepted. Try again or type a code."


@blueprint.get("/login/second")
@public
def form() -> AnyResponse:
    """The form; who has not given a password begins there."""
    target = safe_next(request.args.get("next"))
    half = half_signed_in()
    if half is None:
        return redirect(url_for("forms.login", next=target))
    return make_response(_page(half, target, "", is_backup="backup" in request.args))


@blueprint.post("/login/second")
@public
def give_code() -> AnyResponse:
    """Check the code; a wrong one counts, whatever it was wrong by."""
    check_token()
    target, typed = safe_next(request.form.get("next")), request.form.get("code", "")[:LONGEST_CODE]
    is_backup = request.form.get("kind") == "backup"
    half, who = half_signed_in(), visitor()
    if half is None:
        return redirect(url_for("forms.login", next=target))
    with transaction() as session:
        guess = guesses.begin(session, half.user_id, typed, who)
    verdict = guesses.compare(guess)
    with transaction() as session:
        second_step.hold(session, half)
        verdict = guesses.use_up(session, guess, verdict, who)
        if verdict.right:
            token = second_step.complete(session, half, guess.method, who)
            device = known_devices.remember(session, half.user_id, who)
        else:
            second_step.fail(session, half, guess.method, verdict.reason, who)
    if guess.wait:
        page = _page(half, target, str(TooManyAttempts(guess.wait)), is_backup=is_backup)
        return Response(page, status=429, mimetype="text/html", headers={"Retry-After": str(guess.wait)})
    if not verdict.right:
        return Response(_page(half, target, verdict.sentence, is_backup=is_backup), status=401, mimetype="text/html")
    if token is None:
        return redirect(url_for("forms.login", next=target))
    return with_device(with_session(redirect(target), token), device)


def _page(half: HalfSignedIn, target: str, message: str, *, is_backup: bool) -> str:
    return render_template(
        "login_second.html",
        next=target,
        message=message,
        app=half.app,
        passkey=half.passkeys and passkeys.are_possible(),
        is_backup=is_backup or not half.app,
    )


@blueprint.post("/login/second/passkey/options")
@public
def ask_for_passkey() -> AnyResponse:
    """What the browser needs to ask for a passkey."""
    json_object()
    half = _half()
    with transaction() as session:
        return Response(passkeys.ask(session, half.user_id, half.session_id), mimetype="application/json")


@blueprint.post("/login/second/passkey")
@public
def give_passkey() -> AnyResponse:
    """Check what the passkey answered, and say where to go on."""
    body, half, who = json_object(), _half(), visitor()
    with transaction() as session:
        wait = passkeys.count_try(session, half.user_id, who)
        if wait:
            second_step.fail(session, half, "passkey", "too many attempts", who)
    if wait:
        raise TooManyAttempts(wait)
    with transaction() as session:
        challenge = passkeys.take_challenge(session, half.session_id)
    token = device = None
    with transaction() as session:
        second_step.hold(session, half)
        if passkeys.check(session, half.user_id, challenge, body.get("credential"), who):
            token = second_step.complete(session, half, "passkey", who)
            device = known_devices.remember(session, half.user_id, who)
        else:
            second_step.fail(session, half, "passkey", "passkey refused", who)
    if token is None:
        raise Invalid(REFUSED, field="passkey")
    target = body.get("next")
    answer = jsonify(next=safe_next(target if isinstance(target, str) else None))
    return with_device(with_session(answer, token), device)


def _half() -> HalfSignedIn:
    half = half_signed_in()
    if half is None:
        raise AuthenticationRequired("Please sign in.")
    return half
