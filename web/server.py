"""The Flask server under Dash: secrets, limits, and the checks in the order in which they run."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from config.settings import settings
from web import (
    advice,
    api_limits,
    api_paths,
    api_record,
    bundles,
    confirm_email,
    errors,
    forgotten,
    forms,
    guard,
    headers,
    health,
    hosts,
    identity,
    invitation,
    metrics,
    oidc,
    passkeys,
    refusals,
    search,
    second_step,
    sudo,
    tracing,
    tracked_links,
)

LARGEST_BODY = 1_048_576  # bytes


PATIENCE = 10.0  # seconds without a byte of a body


class _Impatient:
    """Give up on a client that promised a body and sends nothing, since its thread serves nobody else meanwhile."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        connection = environ.get("gunicorn.socket")
        if connection is not None:
            connection.settimeout(PATIENCE)
        return self._application(environ, start_response)


class _FormSession(SecureCookieSessionInterface):
    """Programs send no cookie, and so need nothing that verifies one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def create_server() -> Flask:
    """Flask with everything that stands in front of a page."""
    server = Flask("web", static_folder=None)
    server.config.update(
        SECRET_KEY=settings().key_for("flask-session"),
        SECRET_KEY_FALLBACKS=settings().keys_for("flask-session")[1:],
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=100_000,
        SESSION_COOKIE_NAME="__Host-form" if settings().is_https else f"pfd_form_{identity.installation()}",
        SESSION_COOKIE_SECURE=settings().is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        COMPRESS_MIMETYPES=["application/json", "text/html", "text/csv"],
        COMPRESS_ALGORITHM=["zstd", "br", "gzip"],
        COMPRESS_STREAMS=False,
        COMPRESS_MIN_SIZE=1400,
    )
    if settings().trusted_proxies:
        hops = settings().trusted_proxies
        server.wsgi_app = ProxyFix(server.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    server.wsgi_app = _Impatient(server.wsgi_app)  # type: ignore[method-assign]
    server.session_interface = _FormSession()
    api_record.register_first(server)
    tracing.register(server)
    headers.register(server)
    errors.register(server)
    refusals.register(server)
    hosts.register(server)
    api_limits.register(server)
    api_paths.register(server)
    identity.register(server)
    guard.register(server)
    forms.csrf.init_app(server)
    bundles.register(server)
    Compress(server)
    api_record.register_last(server)
    for part in (
        advice,
        forms,
        second_step,
        sudo,
        passkeys,
        invitation,
        metrics,
        oidc,
        forgotten,
        confirm_email,
        health,
        search,
        tracked_links,
    ):
        server.register_blueprint(part.blueprint)
    return server
