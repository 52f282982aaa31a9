"""What every answer carries: content policy, no sniffing, no framing, no caching of what belongs to a session."""

from functools import lru_cache

from flask import Flask, Response, request

from config.settings import settings
from web import policy_reports

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}
STATIC = ("/assets/", "/_dash-component-suites/", "/_favicon.ico", "/bundles/")


@lru_cache(maxsize=8)
def content_policy(script_hashes: tuple[str, ...]) -> str:
    """The policy: scripts of our own only, and Dash's few inline ones by their hashes; nothing from outside."""
    scripts = " ".join(["'self'", *script_hashes])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
        f"frame-ancestors 'none'; report-uri {policy_reports.PATH}"
    )


def register(server: Flask) -> None:
    """Put the headers on every answer, errors included, and take the reports that the policy asks for."""
    server.register_blueprint(policy_reports.blueprint)
    server.config.setdefault("SCRIPT_HASHES", ())

    @server.after_request
    def _protect(answer: Response) -> Response:
        for name, value in _ALWAYS.items():
            answer.headers.setdefault(name, value)
        answer.headers.setdefault("Content-Security-Policy", content_policy(server.config["SCRIPT_HASHES"]))
        if settings().is_https:
            answer.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if not request.path.startswith(STATIC) or answer.status_code not in {200, 304}:
            answer.headers["Cache-Control"] = "no-store"  # a file that is missing now may come with the next version
        elif answer.status_code == 200 and ("m" in request.args or ".v" in request.path):
            # Dash puts the file's time or the package's version into these addresses, so they never change.
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer
