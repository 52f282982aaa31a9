"""The plain form behind an invitation: its owner chooses a password and is signed in."""

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from database.engine import snapshot, transaction
from services import people, sessions
from services.errors import AppError, Invalid
from web.errors import refusal
from web.forms import check_token, former_session, with_session
from web.guard import public
from web.identity import visitor

blueprint = Blueprint("invitation", __name__)
blueprint.before_request(check_token)
ENDED = "This invitation has been used or has ended. Ask whoever sent it for a new one."


@blueprint.get("/invitation/<token>")
@public
def form(token: str) -> AnyResponse:
    """The form, while the invitation is open."""
    with snapshot() as session:
        user = people.invited(session, token)
    if user is None:
        return refusal(404, ENDED)
    return make_response(render_template("invitation.html", username=user.username, errors={}))


@blueprint.post("/invitation/<token>")
@public
def accept(token: str) -> AnyResponse:
    """Open the account and sign its owner in."""
    with snapshot() as session:
        user = people.invited(session, token)
    if user is None:
        return refusal(404, ENDED)
    try:
        hashed = people.check_password(user, request.form.get("password", ""), request.form.get("again", ""))
        former = former_session()
        with transaction() as session:
            if former is not None:
                sessions.end(session, former, "signed in again")
            accepted, who = people.accept(session, token, hashed), visitor()
            sessions.note(session, accepted.id, who, None, "invitation")
            cookie = sessions.open_session(session, accepted, who)
    except Invalid as error:
        page = render_template("invitation.html", username=user.username, errors={error.field: str(error)})
        return Response(page, status=422, mimetype="text/html")
    except AppError as error:
        return refusal(error.status_code, str(error))
    return with_session(redirect("/"), cookie)
