"""The dialog that sets an authenticator app up: the password, then the QR code and a first code, then backup codes."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from components.codes import codes_to_keep
from components.dialog import close_button, form_dialog
from components.fields import text_field
from components.qr import qr_code
from components.toasts import TOASTS_ID, toast
from components.values import copy_button
from database.engine import snapshot, transaction
from pages._page import Page
from services import sudo
from services.errors import Invalid
from services.passwords import LONGEST
from services.second_factor import backup_codes, enrolment, totp
from web.factors import wrong_ones_noted
from web.identity import current_actor, current_session, visitor

OPEN, DIALOG, BODY, CLOSE, PASSWORD, GO_ON, CODE, CONFIRM = (
    f"app-{word}" for word in ("open", "dialog", "body", "close", "password", "go-on", "code", "confirm")
)
FILE_NAME = "pfd-backup-codes.txt"


def dialog() -> Component:
    """The dialog with its first question."""
    return form_dialog(DIALOG, "Authenticator app", _first(), actions=[], body_id=BODY)


def _first() -> list[Component]:
    return [
        html.P("You need an app that shows six-digit codes, such as Aegis, 1Password or Google Authenticator."),
        text_field(
            PASSWORD,
            "Your password",
            type="password",
            autocomplete="current-password",
            maxlength=LONGEST,
            autofocus=True,
        ),
        _actions(dbc.Button("Go on", id=GO_ON, color="primary")),
    ]


def _actions(*onward: Component) -> Component:
    """What each step ends in, in the order of every other dialog."""
    return html.Div([close_button(CLOSE), *onward], className="dialog-actions")


def _second(seed: str, username: str) -> list[Component]:
    groups = " ".join(seed[at : at + 4] for at in range(0, len(seed), 4))
    return [
        html.P("Scan this with the app, then type the code that it shows."),
        qr_code(totp.address_of(seed, username), alt="QR code for the authenticator app; the text below says the same"),
        html.Div(
            [
                html.Div("Or type it in", className="form-label"),
                html.Div([html.Code(groups, className="one-time-link"), copy_button(seed)], className="one-time-row"),
            ]
        ),
        text_field(CODE, "Code", inputmode="numeric", autocomplete="one-time-code", maxlength=12, autofocus=True),
        _actions(dbc.Button("Turn it on", id=CONFIRM, color="primary")),
    ]


def shown_once(codes: tuple[str, ...], told: str) -> list[Component]:
    """Backup codes, shown this once."""
    return [
        html.P([told, " Keep them where you find them without your phone. They are not shown again."]),
        codes_to_keep(codes, title="PFD backup codes, each works once", file_name=FILE_NAME),
    ]


def register(page: Page, changed: str) -> None:
    """Bind the dialog; `changed` is the store that makes the page look again."""

    @page.callback(
        Output(DIALOG, "is_open"),
        Output(BODY, "children"),
        Input(OPEN, "n_clicks"),
        Input(CLOSE, "n_clicks"),
        prevent_initial_call=True,
    )
    def open_dialog(clicks: Any, closed: Any) -> tuple[Any, Any]:
        """Open at the first question, or close; a seed or codes that were shown are gone either way."""
        if ctx.triggered_id == OPEN and clicks:
            return True, _first()
        # Also where the list behind it, with a new button to open it, comes before the answer to a press on “Close”:
        # Dash throws that answer away. The button to close it is another one after each answer.
        return (False, _first()) if closed else (no_update, no_update)

    @page.callback(
        Output(BODY, "children", allow_duplicate=True),
        Output(f"{PASSWORD}-error", "children"),
        Output(PASSWORD, "invalid"),
        Input(GO_ON, "n_clicks"),
        Input(PASSWORD, "n_submit"),
        State(PASSWORD, "value"),
        prevent_initial_call=True,
    )
    def offer(clicks: Any, submitted: Any, password: Any) -> tuple[Any, ...]:
        """Show the QR code once the password fits."""
        if not (clicks or submitted):
            return (no_update,) * 3
        signed_in = current_session()
        try:
            with transaction() as session:
                guess = sudo.begin_password(session, signed_in, visitor())
            with wrong_ones_noted():
                sudo.check_password(guess, password if isinstance(password, str) else "")
        except Invalid as error:
            return no_update, str(error), True
        with transaction() as session:
            sudo.accept_password(session, guess)
            sudo.confirm(session, signed_in, "password")
            seed = enrolment.offer_app(session, signed_in.actor)
        return _second(seed, signed_in.actor.username), no_update, no_update

    @page.callback(
        Output(BODY, "children", allow_duplicate=True),
        Output(DIALOG, "is_open", allow_duplicate=True),
        Output(changed, "data", allow_duplicate=True),
        Output(f"{CODE}-error", "children"),
        Output(CODE, "invalid"),
        Input(CONFIRM, "n_clicks"),
        Input(CODE, "n_submit"),
        State(CODE, "value"),
        State(changed, "data"),
        prevent_initial_call=True,
        sudo=True,
        running=[  # the backup codes that come with it take seconds to hash
            (Output(CONFIRM, "disabled"), True, False),
            (Output(CONFIRM, "children"), [dbc.Spinner(size="sm"), " Turning it on…"], "Turn it on"),
        ],
    )
    def confirm(clicks: Any, submitted: Any, code: Any, times: Any) -> tuple[Any, ...]:
        """Turn it on once the app shows the right code."""
        if not (clicks or submitted):
            return (no_update,) * 5
        typed, signed_in = code if isinstance(code, str) else "", current_session()
        try:
            with snapshot() as session:
                enrolment.check_app(session, current_actor(), typed)
                has_codes = enrolment.holdings(session, current_actor()).has_codes
            fresh = None if has_codes else backup_codes.make()
            with transaction() as session:
                codes = enrolment.confirm_app(session, signed_in, typed, fresh, visitor())
        except Invalid as error:
            return (*(no_update,) * 3, str(error), True)
        dash.set_props(TOASTS_ID, {"data": toast("success", "The app is on. This is your only session now.")})
        again = (times if type(times) is int else 0) + 1
        told = "If you lose your phone, these codes let you in."
        body = [*shown_once(codes, told), _actions()] if codes else _first()
        return body, bool(codes), again, no_update, no_update
