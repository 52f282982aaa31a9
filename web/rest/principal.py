"""Who asks our own API: a key, or somebody who is signed in; a page of theirs that writes carries its token."""

from dataclasses import dataclass

from flask import request
from flask_login import current_user

from models.permissions import Permission
from services.actor import Actor
from services.errors import AppError
from services.sessions import SignedIn
from web import bearer
from web.forms import csrf
from web.identity import current_session, touch_session

READS = frozenset({"GET", "HEAD"})


class EnrolmentNeeded(AppError):
    """Signed in, but in a role that needs a second factor."""

    status_code = 403
    code = "second_factor_required"


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a request is made, and the session that it came with, if it did not come with a key."""

    actor: Actor
    signed_in: SignedIn | None = None


def of_request(permission: Permission | None, *, keys_only: bool = False) -> Principal:
    """The principal, counted and allowed to do this; raises otherwise."""
    if keys_only or _brings_a_key() or not current_user.is_authenticated:
        found = Principal(bearer.let_in().actor)
    else:
        found = _of_session(current_session())
    if permission is not None:
        found.actor.require(permission)
    return found


def _brings_a_key() -> bool:
    return "Authorization" in request.headers or "X-API-Key" in request.headers


def _of_session(signed_in: SignedIn) -> Principal:
    if signed_in.must_enrol:
        raise EnrolmentNeeded("Your role needs a second factor. Set one up first.")
    if request.method not in READS:
        csrf.protect()
    touch_session()
    return Principal(signed_in.actor, signed_in)
