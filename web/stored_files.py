"""Files from the store as answers: streamed, in ranges where they are asked for, and always as a download."""

from flask import Response, request, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from services.storage.store import Opened

BLOCK = 262_144  # bytes


def answer(found: Opened, name: str) -> Response:
    """The file, under its name and never as something that a browser would run."""
    told = send_file(
        found.stream,
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=name,
        conditional=False,  # the size of what is no path is not known there
        etag=found.version,
        last_modified=found.changed_at,
    )
    told.content_length = found.size
    if request.range is not None or not _has_number(found):
        # What the server of the process puts around a file cannot seek, and would read all that comes before.
        told.response = FileWrapper(found.stream, BLOCK)
    try:
        told.make_conditional(request, accept_ranges=True, complete_length=found.size)
    except RequestedRangeNotSatisfiable:
        found.stream.close()
        raise
    return told


def _has_number(found: Opened) -> bool:
    """Whether the kernel could send it by itself."""
    try:
        found.stream.fileno()
    except OSError:
        return False
    return True
