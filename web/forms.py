"""Plain forms: sign in, sign out, set up."""

import re
from datetime import timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.wrappers import Response as AnyResponse

from config.settings import settings
from database.engine import snapshot, transaction
from services import accounts, known_devices, passwords, sessions
from services.errors import AppError
from services.sessions import SECOND_STEP_LASTS
from web.errors import refusal
from web.guard import public
from web.identity import cookie_name, current_session, device_cookie_name, half_signed_in, visitor

blueprint = Blueprint("forms", __name__)
csrf = CSRFProtect()


@blueprint.before_request
def check_token() -> None:
    """A form that did not come from a page of ours changes nothing."""
    if request.method == "POST":
        csrf.protect()


_OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")


def safe_next(target: str | None) -> str:
    """A path of our own to go on to, whatever the link says."""
    return target if target and len(target) <= 2000 and _OWN_PATH.fullmatch(target) else "/"


@blueprint.get("/login")
@public
def login() -> AnyResponse:
    """The sign-in form; who is signed in already goes on."""
    target = safe_next(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target)
    if half_signed_in() is not None:
        return redirect(url_for("second_step.form", next=target))
    with snapshot() as session:
        is_set_up = accounts.anybody(session)
    return make_response(render_template("login.html", next=target, is_set_up=is_set_up))


@blueprint.post("/login")
@public
def sign_in() -> AnyResponse:
    """Check name and password; the answer never tells which of the two was wrong."""
    name, password = request.form.get("username", ""), request.form.get("password", "")
    target = safe_next(request.form.get("next"))
    if not _storable(name) or len(name) > 255 or len(password) > passwords.LONGEST or not _storable(password):
        return _login_again(name[:100] if _storable(name) else "", target, "That name and password do not fit.", 400)
    who = visitor()
    with transaction() as session:
        attempt = sessions.begin_sign_in(session, name, who)
    if attempt.wait:
        minutes = max(1, round(attempt.wait / 60))
        answer = _login_again(name, target, f"Too many attempts. Try again in about {minutes} min.", 429)
        answer.headers["Retry-After"] = str(attempt.wait)
        return answer
    verified, former = passwords.verify(attempt.password_hash, password), former_session()
    renewed = passwords.renewed(attempt.password_hash, password) if verified else None
    with transaction() as session:
        opened = sessions.complete_sign_in(session, attempt, verified, renewed, who)
        if opened is not None and former is not None:
            sessions.end(session, former, "signed in again")
        is_in = opened is not None and not opened.second_step and attempt.user_id is not None
        device = known_devices.remember(session, attempt.user_id or 0, who) if is_in else None
    if opened is None and verified and attempt.must_choose_anew:
        return _login_again(name, target, sessions.CHOOSE_ANEW, 403)
    if opened is None:
        return _login_again(name, target, "That name and password do not fit.", 401)
    if opened.second_step:
        return with_session(redirect(url_for("second_step.form", next=target)), opened.token, SECOND_STEP_LASTS)
    return with_device(with_session(redirect(target), opened.token), device)


def former_session() -> int | None:
    """The session that this browser holds the cookie of, also one that waits for its second factor."""
    half = half_signed_in()
    if half is not None:
        return half.session_id
    return current_session().session_id if current_user.is_authenticated else None


@blueprint.post("/logout")
@public
def logout() -> AnyResponse:
    """End the session's row, so that its cookie opens nothing any more, here or in another worker."""
    former = former_session()
    if former is not None:
        with transaction() as session:
            sessions.end(session, former, "signed out")
    answer = redirect("/login")
    answer.delete_cookie(cookie_name(), path="/", secure=settings().is_https, httponly=True, samesite="Lax")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@blueprint.get("/setup/<token>")
@public
def setup(token: str) -> AnyResponse:
    """The form behind the one-time link that the first start prints."""
    with snapshot() as session:
        is_open = accounts.setup_is_open(session, token)
    if not is_open:
        return refusal(404, "This set-up link has been used or has ended. The terminal shows the newest one.")
    return make_response(render_template("setup.html", token=token, errors={}, username="", email=""))


@blueprint.post("/setup/<token>")
@public
def complete_setup(token: str) -> AnyResponse:
    """Make the owner's account and sign them in."""
    with snapshot() as session:
        is_open = accounts.setup_is_open(session, token)
    if not is_open:
        return refusal(404, "This set-up link has been used or has ended.")
    form = request.form
    given = form.get("username", ""), form.get("email", ""), form.get("password", "")
    faults = accounts.faults_of_new_account(*given)
    if given[2] != form.get("again"):
        faults.setdefault("again", "The two passwords differ.")
    if faults:
        page = render_template("setup.html", token=token, errors=faults, username=given[0][:100], email=given[1][:255])
        return Response(page, status=422, mimetype="text/html")
    try:
        username, email = accounts.check_new_account(*given)
        hashed = passwords.hash_password(given[2])
        with transaction() as session:
            user = accounts.complete_setup(session, token, username=username, email=email, password_hash=hashed)
            sessions.note(session, user.id, visitor(), None, "setup")
            cookie = sessions.open_session(session, user, visitor())
    except AppError as error:
        return refusal(error.status_code, str(error))
    return with_session(redirect("/"), cookie)


@blueprint.app_errorhandler(CSRFError)
def csrf_failed(_error: CSRFError) -> AnyResponse:
    """The form was open too long, or did not come from us."""
    return refusal(400, "The form has expired. Go back, reload the page and send it again.")


def _storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _login_again(name: str, target: str, message: str, status: int) -> Response:
    page = render_template("login.html", next=target, username=name, message=message, is_set_up=True)
    return Response(page, status=status, mimetype="text/html")


def with_session(answer: AnyResponse, token: str, lasts: timedelta | None = None) -> AnyResponse:
    """The answer with the cookie of a new session."""
    set_cookie(answer, cookie_name(), token, int((lasts or settings().session_absolute).total_seconds()))
    return answer


def with_device(answer: AnyResponse, device: str | None) -> AnyResponse:
    """The answer with the cookie by which this browser is known from now on."""
    if device is not None:
        set_cookie(answer, device_cookie_name(), device, known_devices.KNOWN_FOR)
    return answer


def set_cookie(answer: AnyResponse, name: str, value: str, seconds: int) -> None:
    """A cookie that no script reads and no other site sends."""
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=settings().is_https,
        httponly=True,
        samesite="Lax",
    )
