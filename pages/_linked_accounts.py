"""Accounts of other houses with which one signs in: linked after a fresh factor, taken off again."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, ctx, html, no_update
from dash.development.base_component import Component
from flask import url_for
from flask_wtf.csrf import generate_csrf

from components.attributes import attributes
from components.dialog import close_button, form_dialog
from components.icons import icon
from components.toasts import TOASTS_ID, toast
from components.values import time_tag
from database.engine import snapshot, transaction
from pages._page import Page
from pages._presses import number_in, presses, store
from services import identities
from web import oidc
from web.identity import current_actor, current_session

LIST, ASK, DIALOG, CLOSE = (f"linked-{word}" for word in ("list", "ask", "dialog", "close"))
REMOVE = "linked-remove"


def part() -> Component | None:
    """The linked accounts and the way to one more; nothing where no provider is configured, or a factor comes first."""
    name = oidc.provider_name()
    if not name or current_session().must_enrol:
        return None
    go = html.Form(
        [
            dbc.Input(type="hidden", name="csrf_token", value=generate_csrf()),
            html.P(f"You sign in at {name} once; from then on that opens your account here as well."),
            html.Div(
                [close_button(CLOSE), html.Button(f"Go to {name}", type="submit", className="btn btn-primary")],
                className="form-actions",
            ),
        ],
        action=url_for("oidc.link"),
        method="POST",
        className="dialog-form",
    )
    return html.Div(
        [
            html.Div(_list(), id=LIST),
            store(REMOVE),
            html.Div(
                html.Button(f"Link an account of {name}", id=ASK, type="button", className="btn btn-outline-secondary"),
                className="form-actions",
            ),
            form_dialog(DIALOG, f"Link an account of {name}", [go], actions=[]),
        ]
    )


def _list() -> list[Component]:
    with snapshot() as session:
        own = identities.of(session, current_actor())
    if not own:
        return [html.P("None yet.", className="muted")]
    return [
        html.Div(
            [
                icon("link-45deg"),
                html.Div(
                    [
                        html.Div(one.email or one.subject, className="factor-name"),
                        html.Div(
                            ["Last used ", time_tag(one.last_used_at) if one.last_used_at else "never"],
                            className="factor-text",
                        ),
                    ],
                    className="factor-words",
                ),
                html.Div(
                    html.Button(
                        "Remove",
                        id={"type": REMOVE, "index": one.id},
                        type="button",
                        className="btn btn-sm btn-outline-secondary",
                        **attributes({"aria-label": f"Remove {one.email or one.subject}"}),
                    ),
                    className="row-buttons",
                ),
            ],
            className="factor",
        )
        for one in own
    ]


def register(page: Page) -> None:
    """Bind linking and removing to the page."""

    @page.callback(
        Output(DIALOG, "is_open"),
        Input(ASK, "n_clicks"),
        Input(CLOSE, "n_clicks"),
        sudo=True,
        for_enrolment=False,
        prevent_initial_call=True,
    )
    def ask(clicks: Any, _close: Any) -> Any:
        """Off to the provider only after a fresh factor, which is asked for here rather than on the way back."""
        return bool(clicks) and ctx.triggered_id == ASK

    @page.callback(
        Output(LIST, "children"),
        presses(REMOVE),
        sudo=True,
        for_enrolment=False,
        prevent_initial_call=True,
    )
    def remove(press: Any) -> Any:
        """Take one off."""
        number = number_in(press, "index")
        if number is None:
            return no_update
        with transaction() as session:
            identities.unlink(session, current_actor(), number)
        dash.set_props(TOASTS_ID, {"data": toast("success", "The account is no longer linked.")})
        return _list()
