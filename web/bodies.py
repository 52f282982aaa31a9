"""What a script of ours sends."""

from typing import Any

from flask import request


def json_object() -> dict[str, Any]:
    """The JSON body; a form of another site cannot send one, so anything else is refused with 415."""
    body = request.get_json()
    return body if isinstance(body, dict) else {}
