"""A dialog with a form in it."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component


def form_dialog(
    id: str, title: str, body: Sequence[Component], *, actions: Sequence[Component], body_id: str | None = None
) -> Component:
    """Fields under a title, with the actions below; a page opens and closes it, and may fill `body_id` anew."""
    title_id = f"{id}-title"
    options: dict[str, Any] = {} if body_id is None else {"id": body_id}
    content = html.Div(list(body), className="dialog-body dialog-form", **options)
    made: Component = dbc.Modal(
        [
            html.Div(html.H2(title, id=title_id, className="dialog-title"), className="dialog-head"),
            content,
            html.Div(list(actions), className="dialog-foot"),
        ],
        id=id,
        is_open=False,
        centered=True,
        scrollable=True,
        labelledby=title_id,
        class_name="dialog",
    )
    return made


def close_button(id: str) -> Component:
    """The quiet way out of a dialog."""
    made: Component = dbc.Button("Close", id=id, color="secondary", outline=True)
    return made
