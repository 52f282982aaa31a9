"""Requests of programs: an API key instead of a session."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import g, request

from database.engine import glance, transaction
from models.permissions import Permission
from services.api_keys import speaking
from services.api_keys.speaking import SecondFactorMissing, Speaker
from services.errors import AppError
from web import api_limits, refusals
from web.guard import API_KEY

P = ParamSpec("P")
R = TypeVar("R")

IN_ADDRESS = ("api_key", "apikey", "key", "token", "access_token")


class KeyRefused(AppError):
    """No key, or none that works; which of the two is said, why it does not work is not."""

    status_code = 401
    code = "invalid_api_key"


class KeyInAddress(AppError):
    """A key in an address stands in every log on its way."""

    code = "api_key_in_address"


def requires_key(permission: Permission | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a route run for a key that works and may do this; None: for any key that works."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            who = let_in()
            if permission is not None:
                who.actor.require(permission)
            return function(*args, **kwargs)

        marked: Any = guarded
        marked.needs = API_KEY
        marked.permission = permission
        return guarded

    return decorate


def let_in() -> Speaker:
    """The key of this request, counted against its limit; raises when there is none that works."""
    try:
        who = _speaker()
    except (KeyRefused, KeyInAddress):
        api_limits.count_stranger()
        raise
    g.speaker = who  # whose limit was reached is recorded too
    api_limits.count(who)
    return who


def current_speaker() -> Speaker:
    """The key of this request, once `requires_key` has let it in."""
    found: Speaker = g.speaker
    return found


def _speaker() -> Speaker:
    if any(name in request.args for name in IN_ADDRESS):
        raise KeyInAddress("Send the key in the header “Authorization: Bearer …”, never in the address.")
    g.given_key = text = _given()
    if not text:
        raise KeyRefused("Send an API key in the header “Authorization: Bearer …”.")
    try:
        with glance() as connection:
            found = speaking.speaker(connection, text)
    except SecondFactorMissing as error:
        refusals.mark(error)
        raise
    if found is None:
        raise KeyRefused("This API key does not work.")
    if found.is_stale:
        with transaction() as session:
            speaking.note_use(session, found.key_id, request.remote_addr or "unknown")
    return found


def _given() -> str:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return credentials.strip()
    return request.headers.get("X-API-Key", "").strip()
