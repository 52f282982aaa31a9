"""Script bundles compressed once, not at every request."""

import hashlib
import logging
import os
import secrets
from contextlib import suppress

import brotli
from flask import Flask, Response, request

from config.settings import settings
from web.headers import STATIC

logger = logging.getLogger(__name__)

SMALLEST = 2_000  # bytes; below that, compression saves nothing
QUALITY = 9


def register(server: Flask) -> None:
    """Answer scripts and styles with a compressed copy that is kept in the data folder."""
    memory: dict[str, bytes] = {}

    @server.after_request
    def _compress(answer: Response) -> Response:
        if (
            not request.path.startswith(STATIC)
            or answer.status_code != 200
            or answer.headers.get("Content-Encoding")
            or "br" not in request.headers.get("Accept-Encoding", "")
            or not (answer.mimetype or "").endswith(("css", "javascript", "json", "svg+xml"))
        ):
            return answer
        answer.direct_passthrough = False
        plain = answer.get_data()
        if len(plain) < SMALLEST:
            return answer
        digest = hashlib.sha256(plain).hexdigest()
        if digest not in memory:
            memory[digest] = _kept(digest, plain)
        answer.set_data(memory[digest])
        answer.headers["Content-Encoding"] = "br"
        answer.headers["ETag"] = f'"{digest[:32]}"'
        answer.vary.add("Accept-Encoding")
        answer.make_conditional(request)
        return answer


def _kept(digest: str, plain: bytes) -> bytes:
    path = settings().data_dir / "cache" / f"{digest}.br"
    with suppress(OSError):
        if kept := path.read_bytes():  # an empty one is what a crash left
            return kept
    packed: bytes = brotli.compress(plain, quality=QUALITY)
    # Forked siblings start with equal memory, so only the system tells their partial files apart.
    partial = path.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(packed)
        partial.replace(path)
    except OSError as error:
        logger.warning("a compressed script could not be kept: %s", error.strerror or error)
        with suppress(OSError):
            partial.unlink()
    return packed
