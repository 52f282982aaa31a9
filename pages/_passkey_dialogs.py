"""The dialogs that add, rename and remove a passkey; assets/passkeys.js talks to the authenticator."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.dialog import close_button, form_dialog
from components.feedback import confirm_dialog
from components.fields import text_field
from components.toasts import TOASTS_ID, toast
from database.engine import transaction
from pages._page import Page
from pages._presses import number_in, presses, store, store_of
from services.errors import Invalid
from services.second_factor import enrolment, passkeys
from web.identity import current_actor, current_session, visitor

OPEN, DIALOG, CLOSE, NAME = (f"passkey-{word}" for word in ("open", "dialog", "close", "name"))
RENAME, RENAMING, RENAME_CLOSE, NEW_NAME, SAVE = (
    f"passkey-{word}" for word in ("rename", "renaming", "rename-close", "new-name", "save")
)
REMOVE, REMOVING, WHICH = (f"passkey-{word}" for word in ("remove", "removing", "which"))


def dialogs() -> list[Component]:
    """All three, closed."""
    hint = "What you will know it by, such as “work laptop”."
    add = html.Button(
        "Add a passkey", type="button", className="btn btn-primary", **attributes({"data-passkey-add": NAME})
    )
    return [
        form_dialog(
            DIALOG,
            "Add a passkey",
            [
                text_field(NAME, "Name", autocomplete="off", maxlength=100, hint=hint, autofocus=True),
                html.P("Your browser then asks for the fingerprint, the face or the key.", className="form-hint"),
            ],
            actions=[close_button(CLOSE), add],
        ),
        form_dialog(
            RENAMING,
            "Rename a passkey",
            [text_field(NEW_NAME, "Name", autocomplete="off", maxlength=100, autofocus=True)],
            actions=[close_button(RENAME_CLOSE), dbc.Button("Save", id=SAVE, color="primary")],
        ),
        confirm_dialog(
            REMOVING,
            "Remove this passkey?",
            body="It no longer lets you in. Your other sessions end.",
            confirm_label="Remove",
            danger=True,
        ),
        dcc.Store(id=WHICH),
        store(RENAME),
        store(REMOVE),
    ]


def register(page: Page, changed: str) -> None:
    """Bind the dialogs; `changed` is the store that makes the page look again."""

    @page.callback(
        Output(DIALOG, "is_open"),
        Output(NAME, "value"),
        Output(f"{NAME}-error", "children"),
        Input(OPEN, "n_clicks"),
        Input(CLOSE, "n_clicks"),
        prevent_initial_call=True,
    )
    def open_dialog(clicks: Any, _close: Any) -> tuple[Any, Any, Any]:
        """Open or close."""
        if ctx.triggered_id == OPEN and not clicks:
            return (no_update,) * 3
        return ctx.triggered_id == OPEN, "", ""

    @page.callback(
        Output(RENAMING, "is_open"),
        Output(REMOVING, "is_open"),
        Output(WHICH, "data"),
        Output(NEW_NAME, "value"),
        presses(RENAME),
        presses(REMOVE),
        Input(RENAME_CLOSE, "n_clicks"),
        Input(f"{REMOVING}-cancel", "n_clicks"),
        Input(f"{REMOVING}-confirm", "n_clicks"),
        prevent_initial_call=True,
    )
    def ask(rename: Any, removal: Any, *_others: Any) -> tuple[Any, ...]:
        """Open one of the two for the passkey whose button was pressed."""
        if ctx.triggered_id not in (store_of(RENAME), store_of(REMOVE)):
            return False, False, no_update, no_update
        is_renaming = ctx.triggered_id == store_of(RENAME)
        number = number_in(rename if is_renaming else removal)
        return (no_update,) * 4 if number is None else (is_renaming, not is_renaming, number, "")

    @page.callback(
        Output(RENAMING, "is_open", allow_duplicate=True),
        Output(f"{NEW_NAME}-error", "children"),
        Output(changed, "data", allow_duplicate=True),
        Input(SAVE, "n_clicks"),
        Input(NEW_NAME, "n_submit"),
        State(NEW_NAME, "value"),
        State(WHICH, "data"),
        State(changed, "data"),
        prevent_initial_call=True,
    )
    def rename(clicks: Any, submitted: Any, name: Any, number: Any, times: Any) -> tuple[Any, Any, Any]:
        """Give it the new name."""
        if not (clicks or submitted) or type(number) is not int:
            return (no_update,) * 3
        try:
            with transaction() as session:
                passkeys.rename(session, current_actor(), number, name if isinstance(name, str) else "")
        except Invalid as error:
            return no_update, str(error), no_update
        return False, "", (times if type(times) is int else 0) + 1

    @page.callback(
        Output(changed, "data", allow_duplicate=True),
        Input(f"{REMOVING}-confirm", "n_clicks"),
        State(WHICH, "data"),
        State(changed, "data"),
        prevent_initial_call=True,
        sudo=True,
    )
    def remove(clicks: Any, number: Any, times: Any) -> Any:
        """Take it off the account."""
        if not clicks or type(number) is not int:
            return no_update
        with transaction() as session:
            name = enrolment.remove_passkey(session, current_session(), number, visitor())
        dash.set_props(TOASTS_ID, {"data": toast("success", f"“{name}” was removed. This is your only session now.")})
        return (times if type(times) is int else 0) + 1
