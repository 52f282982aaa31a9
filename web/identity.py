"""Who is asking: the cookie, the session's row, `current_user`."""

import zlib
from typing import Any

from flask import Flask, Request, request
from flask_login import LoginManager, UserMixin, current_user

from config.settings import settings
from database.engine import glance, snapshot, transaction
from models.permissions import AuthenticationRequired, ask_for_the_user_with
from services import sessions
from services.actor import Actor
from services.second_factor import second_step
from services.second_factor.second_step import HalfSignedIn
from services.sessions import SignedIn, Visitor


class CurrentUser(UserMixin):  # type: ignore[misc]
    """The signed-in person, as Flask-Login hands them around."""

    def __init__(self, signed_in: SignedIn) -> None:
        self.signed_in = signed_in
        self.actor = signed_in.actor
        self.id = signed_in.actor.user_id
        self.role = signed_in.actor.role


def cookie_name() -> str:
    """`__Host-` binds the cookie to this host, but browsers take it over https only."""
    return "__Host-sid" if settings().is_https else f"pfd_sid_{installation()}"


def device_cookie_name() -> str:
    """The cookie by which a browser is known that somebody has signed in with before."""
    return "__Host-device" if settings().is_https else f"pfd_device_{installation()}"


def installation() -> str:
    """A word for this installation: browsers share cookies between all ports of a host."""
    return f"{zlib.crc32(str(settings().data_dir).encode()):08x}"


def visitor() -> Visitor:
    """Address and browser of the request."""
    return Visitor(
        address=request.remote_addr or "unknown",
        agent=_storable(request.user_agent.string),
        device=request.cookies.get(device_cookie_name(), ""),
    )


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:500]


def current_actor() -> Actor:
    """The actor of this request; raises when nobody is signed in."""
    actor: Actor | None = getattr(current_user, "actor", None)
    if actor is None:
        raise AuthenticationRequired("Please sign in.")
    return actor


def current_session() -> SignedIn:
    """The session of this request; raises when nobody is signed in."""
    signed_in: SignedIn | None = getattr(current_user, "signed_in", None)
    if signed_in is None:
        raise AuthenticationRequired("Please sign in.")
    return signed_in


def half_signed_in() -> HalfSignedIn | None:
    """Who has given their password and not yet their second factor; to everything else they are nobody."""
    token = _token(request)
    if token is None:
        return None
    with snapshot() as session:
        return second_step.find(session, token)


def _token(incoming: Request) -> str | None:
    token = incoming.cookies.get(cookie_name(), "")
    return token if 20 <= len(token) <= 200 else None


def touch_session() -> None:
    """Count this request as something that a person did; polling never calls this."""
    signed_in = getattr(current_user, "signed_in", None)
    if signed_in is not None and sessions.is_stale(signed_in):
        with transaction() as session:
            sessions.touch(session, signed_in.session_id)


def register(server: Flask) -> None:
    """Let Flask-Login find the user by our own cookie; it sets none itself."""
    manager = LoginManager()
    manager.init_app(server)

    @manager.request_loader  # type: ignore[untyped-decorator]
    def load(incoming: Request) -> CurrentUser | None:
        token = _token(incoming)
        if token is None:
            return None
        with glance() as connection:
            signed_in = sessions.resolve(connection, token)
        return None if signed_in is None else CurrentUser(signed_in)

    def who() -> Any:
        return current_user if getattr(current_user, "actor", None) is not None else None

    ask_for_the_user_with(who)
