"""Under which names the dashboard answers: a page elsewhere whose name suddenly points here gets nothing."""

from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.wrappers import Response as AnyResponse

from config.settings import settings
from web.errors import refusal

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
_PROBED = {"health.healthz", "health.readyz"}  # a load balancer asks by address, and learns nothing but a word


def names() -> frozenset[str] | None:
    """The names to answer under; None where they cannot be known: open to a network without PFD_PUBLIC_URL."""
    chosen = settings()
    if chosen.public_url is None and (chosen.host in _EVERYWHERE or chosen.trusted_proxies):
        return None
    return _names(chosen.host, chosen.address)


@lru_cache(maxsize=8)
def _names(host: str, address: str) -> frozenset[str]:
    return _HERE | {host.casefold(), _name(urlsplit(address).netloc)}


@lru_cache(maxsize=64)
def _name(netloc: str) -> str:
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def register(server: Flask) -> None:
    """Ask before anything else does."""

    @server.before_request
    def _by_a_name_of_ours() -> AnyResponse | None:
        allowed = names()
        if allowed is None or request.endpoint in _PROBED or _name(request.environ.get("HTTP_HOST", "")) in allowed:
            return None
        return refusal(400, "The dashboard does not answer under this name. Its own stands in PFD_PUBLIC_URL.")
