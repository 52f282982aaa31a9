"""What a person sees of an error in a callback: a sentence and the request's id."""

import logging
from typing import Any

import dash
from dash.exceptions import PreventUpdate
from flask import request

from components.toasts import TOASTS_ID, toast
from web import refusals
from web.errors import sentence_of
from web.tracing import request_id

logger = logging.getLogger(__name__)


def told(error: Exception) -> str:
    """The sentence for an error; what a bug says of itself goes to the log only."""
    refusals.mark(error)
    sentence = sentence_of(error)
    if sentence is None:
        logger.error("callback failed", exc_info=error)
        return "Something went wrong on our side. The request id helps to find out what."
    return sentence


def announce(error: Exception) -> None:
    """Show a toast for an error."""
    if isinstance(error, PreventUpdate):
        raise error
    dash.set_props(TOASTS_ID, {"data": toast("error", told(error), detail=f"Request {request_id()}")})


def on_error(error: Exception) -> Any:
    """Dash's handler for every callback that names none of its own; the outputs stay as they are."""
    announce(error)


def path_variables() -> dict[str, str]:
    """What the path of the wanted page says; Dash lets a query parameter of the same name win, which it must not."""
    for item in (request.get_json(silent=True) or {}).get("inputs", []):
        if isinstance(item, dict) and item.get("id") == "_pages_location" and item.get("property") == "pathname":
            _, variables = dash._pages._path_to_page(str(item.get("value")).strip("/"))  # type: ignore[no-untyped-call]
            return dict(variables or {})
    return {}
