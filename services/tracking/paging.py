"""Where the next page begins: a token that only we can make, good for the same question alone."""

import base64
import binascii
import hashlib
import hmac
from typing import Any

import orjson

from config.settings import settings
from services.tracking.errors import InvalidParameter

_PURPOSE = "tracking-page"
_DIGEST = 16


def _sealed(key: str, about: Any, body: bytes) -> bytes:
    question = orjson.dumps(about)
    return hmac.new(key.encode(), question + b"\x00" + body, hashlib.sha256).digest()[:_DIGEST]


def write(about: Any, place: list[Any]) -> str:
    """The token of a place in the answer to a question."""
    body = orjson.dumps(place)
    seal = _sealed(settings().key_for(_PURPOSE), about, body)
    return base64.urlsafe_b64encode(seal + body).decode().rstrip("=")


def read(token: Any, about: Any) -> list[Any]:
    """The place that a token of ours names; refused where it belongs to another question."""
    if isinstance(token, str) and token.isascii() and len(token) < 50_000:
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except binascii.Error:
            raw = b""
        seal, body = raw[:_DIGEST], raw[_DIGEST:]
        if any(hmac.compare_digest(seal, _sealed(key, about, body)) for key in settings().keys_for(_PURPOSE)):
            place: list[Any] = orjson.loads(body)
            return place
    raise InvalidParameter("Invalid page token: it was not made for this search.")
