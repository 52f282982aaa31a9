"""The plain form behind the link that confirms a new e-mail address."""

from flask import Blueprint, make_response, render_template
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from database.engine import snapshot, transaction
from services import own_email
from services.errors import AppError
from web.errors import refusal
from web.forms import check_token
from web.guard import public
from web.identity import current_session, visitor

blueprint = Blueprint("confirm_email", __name__)
blueprint.before_request(check_token)
ENDED = "This link has been used or has ended. Ask for a new one in your profile."


@blueprint.get("/confirm-email/<token>")
@public
def form(token: str) -> AnyResponse:
    """A button: opening the link changes nothing, as programs that look at mails do that too."""
    with snapshot() as session:
        found = own_email.confirming(session, token)
    if found is None:
        return refusal(404, ENDED)
    user, address = found
    return make_response(render_template("confirm_email.html", username=user.username, address=address))


@blueprint.post("/confirm-email/<token>")
@public
def confirm(token: str) -> AnyResponse:
    """Change the address; whoever is signed in here as its owner stays so."""
    this = current_session().session_id if current_user.is_authenticated else None  # only the owner's own are ended
    try:
        with transaction() as session:
            user = own_email.confirm(session, token, visitor(), this=this)
    except AppError as error:
        return refusal(error.status_code, ENDED if error.status_code == 404 else str(error))
    return make_response(render_template("confirm_email.html", is_done=True, address=user.email))
