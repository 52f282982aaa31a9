"""The dialog that makes an API key, and the one place where a key is shown."""

from collections.abc import Callable, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component
from flask import request

from components.dialog import close_button, form_dialog
from components.fields import field, text_field
from components.values import copy_button
from database.engine import transaction
from models.permissions import ROLE_PERMISSIONS, Permission, Role
from pages._page import Page
from pages._permission_words import permission_label
from services.api_keys import keys as api_keys
from services.errors import Invalid
from web.identity import current_actor

OPEN, DIALOG, CLOSE, MAKE, LINK = (f"key-{word}" for word in ("open", "dialog", "close", "make", "made"))
NAME, SCOPES, DAYS, RATE = "key-name", "key-scopes", "key-days", "key-rate"
FIELDS = {"name": NAME, "scopes": SCOPES, "days": DAYS, "rate_limit": RATE}
LIFETIMES = (7, 30, 90, 365)
READING = ("view_", "export_")


def dialog(scopes: Sequence[Permission], days: int, usual_rate: int, logging_rate: int, most: int) -> Component:
    """Name, scopes, expiry and limit; afterwards the key."""
    choices = [{"value": scope.value, "label": permission_label(scope.value)} for scope in scopes]
    # Who looks after an installation may read more; a key for a script begins without that.
    usual = ROLE_PERMISSIONS[Role.OPERATOR]
    reading = [scope.value for scope in scopes if scope.value.startswith(READING) and scope in usual]
    rights = html.Fieldset(
        [
            html.Legend("It may", className="form-label"),
            dbc.Checklist(id=SCOPES, options=choices, value=reading, className="scope-choices"),
            html.Div(id=f"{SCOPES}-error", className="form-error", role="alert"),
        ]
    )
    lifetimes = [{"value": str(count), "label": f"{count} days"} for count in LIFETIMES]
    lasts = field(DAYS, "Expires in", dbc.Select(id=DAYS, value=str(days), options=lifetimes))
    limit = text_field(
        RATE,
        "Requests an hour",
        type="number",
        value=usual_rate,
        min=1,
        max=most,
        step=1,
        hint=f"{logging_rate:,} suit a script that logs runs. Used up at once or evenly, they come back over the hour; "
        f"at most {most:,}.",
    )
    name = text_field(
        NAME, "Name", autocomplete="off", maxlength=100, hint="What it is for, such as a script.", autofocus=True
    )
    return form_dialog(
        DIALOG,
        "New API key",
        [html.Div(id=LINK, role="status"), name, rights, html.Div([lasts, limit], className="field-pair")],
        actions=[close_button(CLOSE), dbc.Button("Make the key", id=MAKE, color="primary")],
    )


def shown_once(text: str, told: str, line: str = "", purpose: str = "To try it:") -> Component:
    """A key, with a button that copies it and a line that does something with it; else one that tries it."""
    line = line or f'curl -H "Authorization: Bearer {text}" {request.url_root}api/v1/me'
    return html.Div(
        [
            html.P([told, " Copy it now: it is not shown again."]),
            html.Div([html.Code(text, className="one-time-link"), copy_button(text)], className="one-time-row"),
            html.P(purpose, className="one-time-next"),
            html.Div(
                [html.Code(line, className="one-time-link"), copy_button(line, label="Copy the line")],
                className="one-time-row",
            ),
        ],
        className="one-time",
    )


def register(page: Page, table: str, draw: Callable[[], Component]) -> None:
    """Bind the dialog; `table` is the element that `draw` fills anew."""

    @page.callback(
        Output(DIALOG, "is_open"),
        Output(LINK, "children", allow_duplicate=True),
        Output(MAKE, "class_name", allow_duplicate=True),
        Input(OPEN, "n_clicks"),
        Input(CLOSE, "n_clicks"),
        prevent_initial_call=True,
    )
    def open_dialog(clicks: Any, _close: Any) -> tuple[bool, None, str]:
        """Open or close; a key that was shown is gone either way."""
        return ctx.triggered_id == OPEN and bool(clicks), None, ""

    @page.callback(Output(RATE, "value"), Input(SCOPES, "value"), State(RATE, "value"), prevent_initial_call=True)
    def fit_limit(scopes: Any, rate: Any) -> Any:
        """The usual limit of such a key, unless another one was chosen."""
        if rate not in api_keys.rates()[:2] or not isinstance(scopes, list):
            return no_update
        return api_keys.usual_rate([scope for scope in scopes if isinstance(scope, str)])

    @page.callback(
        *(Output(f"{name}-error", "children") for name in FIELDS.values()),
        Output(NAME, "invalid"),
        Output(RATE, "invalid"),
        Output(NAME, "value"),
        Output(LINK, "children"),
        Output(MAKE, "class_name"),
        Output(table, "children", allow_duplicate=True),
        Input(MAKE, "n_clicks"),
        Input(NAME, "n_submit"),
        State(NAME, "value"),
        State(SCOPES, "value"),
        State(DAYS, "value"),
        State(RATE, "value"),
        prevent_initial_call=True,
        sudo=True,
    )
    def make(clicks: Any, submitted: Any, name: Any, scopes: Any, days: Any, rate: Any) -> tuple[Any, ...]:
        """Make the key and show it, or say at the field what is wrong."""
        if not (clicks or submitted):
            return (no_update,) * 10
        wanted = [scope for scope in scopes if isinstance(scope, str)] if isinstance(scopes, list) else []
        try:
            with transaction() as session:
                text = api_keys.create(
                    session,
                    current_actor(),
                    name=name if isinstance(name, str) else "",
                    scopes=wanted,
                    days=_whole(days),
                    rate_limit=_whole(rate),
                )
        except Invalid as error:
            wrong = FIELDS.get(error.field or "name", NAME)
            told = (str(error) if place == wrong else "" for place in FIELDS.values())
            return (*told, wrong == NAME, wrong == RATE, *(no_update,) * 4)
        return (*("",) * 4, False, False, "", shown_once(text, "Your new key."), "d-none", draw())


def _whole(value: Any) -> int:
    """A whole number from a field, 0 where it is none, which every field refuses."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0
