"""The plain forms for a forgotten password: ask for a link, and choose another password with it."""

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from database.engine import snapshot, transaction
from services import forgotten, known_devices, passwords, people
from services.errors import AppError, Invalid, TooManyAttempts
from web.errors import refusal
from web.forms import check_token, set_cookie
from web.guard import public
from web.identity import device_cookie_name, visitor

blueprint = Blueprint("forgotten", __name__)
blueprint.before_request(check_token)
ENDED = "This link has been used or has ended. Ask for a new one where you sign in."


@blueprint.get("/forgot")
@public
def form() -> AnyResponse:
    """Who are you?"""
    return make_response(render_template("forgot.html"))


@blueprint.post("/forgot")
@public
def ask() -> AnyResponse:
    """The answer is the same for everybody, whether or not they have an account here."""
    try:
        with transaction() as session:
            forgotten.ask(session, _readable(request.form.get("username", "")), visitor())
    except TooManyAttempts as error:
        page = render_template("forgot.html", message=str(error))
        answer = Response(page, status=error.status_code, mimetype="text/html")
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    return make_response(render_template("forgot.html", is_sent=True))


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:255]


@blueprint.get("/reset/<token>")
@public
def choose(token: str) -> AnyResponse:
    """The form, while the link is open; opening it changes nothing, as programs that look at mails do that too."""
    with snapshot() as session:
        user = forgotten.resetting(session, token)
    if user is None:
        return refusal(404, ENDED)
    return make_response(_page(username=user.username))


@blueprint.post("/reset/<token>")
@public
def reset(token: str) -> AnyResponse:
    """Store the new password; nobody is signed in by that, as a second factor may be missing."""
    with snapshot() as session:
        user = forgotten.resetting(session, token)
    if user is None:
        return refusal(404, ENDED)
    try:
        hashed = people.check_password(user, request.form.get("password", ""), request.form.get("again", ""))
        with transaction() as session:
            forgotten.complete(session, token, hashed, visitor())
            device = known_devices.mark(session, user.id)
    except Invalid as error:
        page = _page(username=user.username, errors={error.field: str(error)})
        return Response(page, status=422, mimetype="text/html")
    except AppError as error:
        return refusal(error.status_code, ENDED if error.status_code == 404 else str(error))
    answer = make_response(_page(is_done=True))
    # Strangers who guess must not keep out the owner, who has just shown that the mail is theirs.
    set_cookie(answer, device_cookie_name(), device, known_devices.KNOWN_FOR)
    return answer


def _page(username: str = "", errors: dict[str | None, str] | None = None, is_done: bool = False) -> str:
    return render_template(
        "reset.html", username=username, errors=errors or {}, is_done=is_done, shortest=passwords.SHORTEST
    )
