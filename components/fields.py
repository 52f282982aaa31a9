"""A labelled field of a form inside the app, with room for what is wrong with it."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from components.attributes import attributes


def text_field(id: str, label: str, *, hint: str | None = None, type: str = "text", **options: Any) -> html.Div:
    """A field `id`; a page puts a sentence into `<id>-error` and sets `invalid` on the field."""
    return field(id, label, dbc.Input(id=id, type=type, **options), hint=hint)


def field(id: str, label: str, control: Component, *, hint: str | None = None) -> html.Div:
    """Any control under its label."""
    return html.Div(
        [
            dbc.Label(label, html_for=id),
            control,
            html.Div(hint, className="form-hint") if hint else None,
            html.Div(id=f"{id}-error", className="form-error", role="alert", **attributes({"aria-live": "polite"})),
        ],
        className="form-field",
    )
