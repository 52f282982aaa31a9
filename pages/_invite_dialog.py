"""The dialog that makes an account for somebody and shows the link to send them."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.dialog import close_button, form_dialog
from components.fields import field, text_field
from components.values import copy_button
from database.engine import transaction
from models.permissions import Role
from pages._page import Page
from services import people
from services.errors import Conflict, Invalid
from services.mail import sending
from web.identity import current_actor

OPEN, DIALOG, CLOSE, SEND, LINK = (f"invite-{word}" for word in ("open", "dialog", "close", "send", "link"))
NAME, EMAIL, ROLE = "invite-name", "invite-email", "invite-role"
FIELDS = {"username": NAME, "email": EMAIL, "role": ROLE}


def dialog(roles: Sequence[dict[str, str]]) -> Component:
    """Name, address and role; afterwards the link."""
    return form_dialog(
        DIALOG,
        "Invite somebody",
        [
            text_field(
                NAME, "User name", autocomplete="off", maxlength=100, hint="Letters, digits, . _ and -", autofocus=True
            ),
            text_field(EMAIL, "E-mail", type="email", autocomplete="off", maxlength=255),
            field(ROLE, "Role", dbc.Select(id=ROLE, value=Role.VIEWER.value, options=list(roles))),
            html.Div(id=LINK, role="status"),
        ],
        actions=[close_button(CLOSE), dbc.Button("Make the link", id=SEND, color="primary")],
    )


def link_shown(username: str, link: str) -> Component:
    """The link with a button that copies it; it is shown this once."""
    told = (
        f"A mail with this link is on its way to {username}, or send it yourself. "
        if sending.reaches_people()
        else f"No mail server is set up, so send {username} this link yourself. "
    )
    return html.Div(
        [
            html.P(told + "It works once, for seven days, and is not shown again."),
            html.Div([html.Code(link, className="one-time-link"), copy_button(link)], className="one-time-row"),
        ],
        className="one-time",
    )


def register(page: Page, changed: str) -> None:
    """Bind the button; `changed` is the store that makes the page read its table again."""

    @page.callback(
        *(Output(f"{name}-error", "children") for name in FIELDS.values()),
        *(Output(name, "invalid") for name in FIELDS.values()),
        Output(NAME, "value"),
        Output(EMAIL, "value"),
        Output(LINK, "children"),
        Output(changed, "data", allow_duplicate=True),
        Input(SEND, "n_clicks"),
        Input(NAME, "n_submit"),
        Input(EMAIL, "n_submit"),
        State(NAME, "value"),
        State(EMAIL, "value"),
        State(ROLE, "value"),
        State(changed, "data"),
        prevent_initial_call=True,
        sudo=True,
    )
    def invite(*given: Any) -> tuple[Any, ...]:
        """Make the account and show its link, or say at the field what is wrong."""
        if not any(given[:3]):
            return (no_update,) * 10
        name, email, role = (value if isinstance(value, str) else "" for value in given[3:6])
        try:
            with transaction() as session:
                link = people.invite(session, current_actor(), username=name, email=email, role=role)
        except (Invalid, Conflict) as error:
            wrong = FIELDS.get(getattr(error, "field", None) or "username", NAME)
            told = tuple(str(error) if field == wrong else "" for field in FIELDS.values())
            return (*told, *(bool(text) for text in told), *(no_update,) * 4)
        times = given[6] if type(given[6]) is int else 0
        return (*("",) * 3, *(False,) * 3, "", "", link_shown(name, link), times + 1)
