"""Dialogs, and one with a form in it."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component


def modal(children: Sequence[Component], *, id: str, title_id: str, **options: Any) -> Component:
    """A dialog that a page opens and closes, named by the title in it.

    It does not fade: while a dialog fades it takes the keys of who types behind it already, and React's transitions
    wait forever for one that the end of a button's colour change, inside of it, was taken for.
    """
    made: Component = dbc.Modal(
        list(children),
        id=id,
        is_open=False,
        fade=False,
        labelledby=title_id,
        class_name="dialog",
        **({"centered": True, "scrollable": True} | options),
    )
    return made


def form_dialog(
    id: str, title: str, body: Sequence[Component], *, actions: Sequence[Component], body_id: str | None = None
) -> Component:
    """Fields under a title, with the actions below; a page opens and closes it, and may fill `body_id` anew."""
    title_id = f"{id}-title"
    options: dict[str, Any] = {} if body_id is None else {"id": body_id}
    content = html.Div(list(body), className="dialog-body dialog-form", **options)
    return modal(
        [
            html.Div(html.H2(title, id=title_id, className="dialog-title"), className="dialog-head"),
            content,
            html.Div(list(actions), className="dialog-foot"),
        ],
        id=id,
        title_id=title_id,
    )


def close_button(id: str) -> Component:
    """The quiet way out of a dialog."""
    made: Component = dbc.Button("Close", id=id, color="secondary", outline=True)
    return made
