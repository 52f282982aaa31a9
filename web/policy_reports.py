"""Where browsers report what the content policy stopped: a line in the log, so that an attempt is noticed."""

import json
import logging
import re
import threading
import time
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from web.guard import public

logger = logging.getLogger(__name__)
blueprint = Blueprint("policy_reports", __name__)

PATH = "/csp-report"
LARGEST = 16_384  # bytes
LINES_A_MINUTE = 30  # of one process, as anybody may send reports and nobody should fill the log with them
_ODD = re.compile(r"[^A-Za-z0-9:/._-]")


def minute() -> int:
    """The number of the minute that runs."""
    return int(time.monotonic() // 60)


class _Ration:
    """So many lines in each minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute, self._lines = 0, 0

    def allows(self) -> bool:
        """Whether one more may be written now."""
        current = minute()
        with self._lock:
            if current != self._minute:
                self._minute, self._lines = current, 0
            self._lines += 1
            return self._lines <= LINES_A_MINUTE


ration = _Ration()


@blueprint.post(PATH)
@public
def receive() -> Response:
    """Note a report; whatever was sent, the answer is the same."""
    request.max_content_length = LARGEST
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        body = None
    report = body.get("csp-report") if isinstance(body, dict) else None
    if isinstance(report, dict) and ration.allows():
        logger.warning(
            "content policy stopped %s by %s on %s",
            _place(report.get("blocked-uri")),
            _plain(report.get("effective-directive") or report.get("violated-directive")),
            _page(report.get("document-uri")),
        )
    return Response(status=204)


def _plain(value: object) -> str:
    return _ODD.sub("?", value[:100]) if isinstance(value, str) else "-"


def _place(value: object) -> str:
    """A word such as “inline”, or the host of an address: what follows it may be secret."""
    parts = _split(value)
    return _plain(f"{parts[0]}://{parts[1]}" if parts and parts[1] else value if parts and not parts[0] else "-")


def _page(value: object) -> str:
    """The first part of the path: the second of a link is its token."""
    parts = _split(value)
    return _plain("/" + parts[2].lstrip("/").split("/", 1)[0]) if parts else "-"


def _split(value: object) -> tuple[str, str, str] | None:
    if not isinstance(value, str):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return parts.scheme, parts.netloc.rpartition("@")[2], parts.path
