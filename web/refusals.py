"""Each refusal of a request becomes a row of the system log, after its answer is made."""

import logging
from typing import Any

from flask import Flask, Response, g, request
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from database.engine import transaction
from models.permissions import PermissionDenied
from services import refusals
from services.actor import Actor
from services.api_keys import form
from services.api_keys.speaking import SecondFactorMissing
from services.errors import Forbidden, TooManyAttempts
from services.refusals import NOBODY, Kind, Refusal
from services.sudo import FactorNeeded

logger = logging.getLogger(__name__)

DISPATCH = "/_dash-update-component"
PAGES = {"/", "/<path:path>"}


def mark(error: Exception) -> None:
    """Remember that something was refused although the answer is a page or a toast, and its status 200."""
    if isinstance(error, Forbidden | PermissionDenied | SecondFactorMissing | TooManyAttempts):
        g.refused_by = error


def register(server: Flask) -> None:
    """Look at each answer; a log that cannot be written keeps nobody from getting theirs."""

    @server.after_request
    def _note(answer: Response) -> Response:
        found = _refusal(answer)
        if found is not None and refusals.is_news(found):
            try:
                with transaction() as session:
                    refusals.record(session, found)
            except SQLAlchemyError as error:
                logger.warning("a refusal could not be recorded", exc_info=error)
        return answer


def _refusal(answer: Response) -> Refusal | None:
    address = request.remote_addr or "unknown"
    status = answer.status_code
    refused_by = g.get("refused_by")
    if status == 429 or isinstance(refused_by, TooManyAttempts):
        reason = "Too many attempts; further ones have to wait."
        return Refusal(_actor() or NOBODY, address, "attempts", _target()[1] if refused_by else _rule(), reason)
    given = g.get("given_key", "")
    if given and (status == 401 or isinstance(refused_by, SecondFactorMissing)):
        parsed = form.parse(given)
        shown = None if parsed is None else parsed.prefix
        reason = str(refused_by or "This API key does not work.")
        return Refusal(NOBODY, address, "key", f"{request.method} {_rule()}", reason, shown)
    if isinstance(refused_by, FactorNeeded) or not (
        status == 403 or isinstance(refused_by, Forbidden | PermissionDenied)
    ):
        return None  # to be asked for a factor on the way is no refusal
    actor = _actor()
    if actor is None:
        return None  # nobody is signed in, so nobody's rights were asked for
    kind, target = _target()
    return Refusal(actor, address, kind, target, str(refused_by or "It is not allowed."))


def _actor() -> Actor | None:
    speaker = g.get("speaker")
    return getattr(current_user, "actor", None) if speaker is None else speaker.actor


def _rule() -> str:
    return request.path if request.url_rule is None else request.url_rule.rule


def _target() -> tuple[Kind, str]:
    if request.endpoint in PAGES:
        return "page", request.path
    if request.endpoint != DISPATCH:
        return "route", f"{request.method} {_rule()}"
    try:
        body: Any = request.get_json(silent=True)
    except RecursionError:  # one of another site, refused before anybody looked at it
        body = None
    if not isinstance(body, dict):
        return "route", f"{request.method} {_rule()}"
    for item in body.get("inputs") or []:
        if isinstance(item, dict) and item.get("id") == "_pages_location" and item.get("property") == "pathname":
            return "page", str(item.get("value"))
    return "callback", str(body.get("output"))
