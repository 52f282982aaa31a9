"""Toasts: what a callback sends to the message region with `dash.set_props(TOASTS_ID, {"data": toast(...)})`."""

import uuid
from typing import Literal, NotRequired, TypedDict

TOASTS_ID = "toasts"

ToastKind = Literal["info", "success", "warning", "error"]
SECONDS_TO_UNDO = 15  # long enough to read what has happened, to be startled, and to find the button
SECONDS: dict[ToastKind, int] = {"info": 5, "success": 5, "warning": 7, "error": 10}


class ToastAction(TypedDict):
    """A link (`href`), or data put into the store `store`, where a callback waits for it: Undo."""

    label: str
    href: NotRequired[str]
    store: NotRequired[str]
    data: NotRequired[object]


class Toast(TypedDict):
    """The payload that shell.js draws; the id makes two equal messages two messages."""

    id: str
    kind: ToastKind
    text: str
    detail: str | None
    seconds: int
    action: ToastAction | None


def toast(
    kind: ToastKind,
    text: str,
    *,
    detail: str | None = None,
    link: tuple[str, str] | None = None,
    undo: tuple[str, object] | None = None,
    seconds: int | None = None,
) -> Toast:
    """Build a toast; `link` is (label, href), `undo` is (store id, data that the Undo callback receives)."""
    action: ToastAction | None = None
    if undo is not None:
        action = {"label": "Undo", "store": undo[0], "data": undo[1]}
    elif link is not None:
        action = {"label": link[0], "href": link[1]}
    return {
        "id": uuid.uuid4().hex,
        "kind": kind,
        "text": text,
        "detail": detail,
        "seconds": seconds or (SECONDS[kind] if undo is None else SECONDS_TO_UNDO),
        "action": action,
    }
