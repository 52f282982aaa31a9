"""One's own password and second factor."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.fields import text_field
from components.shell import section
from components.toasts import TOASTS_ID, toast
from models.permissions import Permission
from pages import _account, _linked_accounts, _second_factor
from pages._page import register_page
from services.errors import Invalid
from services.passwords import SHORTEST
from web import credentials

page = register_page(
    __name__,
    path=_account.SECURITY,
    title="Security",
    permission=Permission.MANAGE_OWN_ACCOUNT,
    for_enrolment=True,
)

CURRENT, NEW, AGAIN, SAVE = (f"security-{word}" for word in ("current", "new", "again", "save"))
FIELDS = {"current": CURRENT, "password": NEW, "again": AGAIN}


@page.layout
def layout(**_: str) -> Component:
    """The second factor, then the password."""
    form = html.Div(
        [
            text_field(CURRENT, "Current password", type="password", autocomplete="current-password", maxlength=4096),
            text_field(
                NEW,
                "New password",
                type="password",
                autocomplete="new-password",
                maxlength=4096,
                hint=f"At least {SHORTEST} characters; a short sentence is good.",
            ),
            text_field(AGAIN, "New password again", type="password", autocomplete="new-password", maxlength=4096),
            html.Div(dbc.Button("Change password", id=SAVE, color="primary"), className="form-actions"),
        ],
        className="form-column",
    )
    linked = _linked_accounts.part()
    return html.Div(
        [
            *_account.header(_account.SECURITY),
            section(
                "Two-factor sign-in",
                _second_factor.part(),
                hint="Your password alone is then not enough to sign in.",
            ),
            section("Password", form, hint="Changing it signs you out everywhere else."),
            *([] if linked is None else [section("Linked accounts", linked, hint="They open this account as well.")]),
        ]
    )


@page.callback(
    *(Output(f"{field}-error", "children") for field in FIELDS.values()),
    *(Output(field, "invalid") for field in FIELDS.values()),
    *(Output(field, "value") for field in FIELDS.values()),
    Input(SAVE, "n_clicks"),
    Input(CURRENT, "n_submit"),
    Input(NEW, "n_submit"),
    Input(AGAIN, "n_submit"),
    State(CURRENT, "value"),
    State(NEW, "value"),
    State(AGAIN, "value"),
    prevent_initial_call=True,
)
def change_password(*given: Any) -> tuple[Any, ...]:
    """Change it, or say at the field what is wrong."""
    clicks, typed = given[:4], [value if isinstance(value, str) else "" for value in given[4:]]
    if not any(clicks):
        return (no_update,) * 9
    try:
        ended = credentials.change_password(*typed)
    except Invalid as error:
        wrong = FIELDS.get(error.field or "", NEW)
        said = tuple(str(error) if field == wrong else "" for field in FIELDS.values())
        return (*said, *(bool(text) for text in said), *(no_update,) * 3)
    others = {0: "", 1: " One other session was ended."}.get(ended, f" {ended} other sessions were ended.")
    dash.set_props(TOASTS_ID, {"data": toast("success", f"Your password was changed.{others}")})
    return ("",) * 3 + (False,) * 3 + ("",) * 3


_second_factor.register(page)
_linked_accounts.register(page)
