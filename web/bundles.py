"""Script bundles compressed once, not at every request."""

import hashlib
from pathlib import Path

import brotli
from flask import Flask, Response, request

from config.settings import settings
from web.headers import STATIC

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
    folder = settings().data_dir / "cache"
    path = Path(folder / f"{digest}.br")
    if path.is_file():
        return path.read_bytes()
    packed: bytes = brotli.compress(plain, quality=QUALITY)
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{id(packed)}")
    partial.write_bytes(packed)
    partial.replace(path)
    return packed
