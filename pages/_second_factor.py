"""What a person has as a second factor, and changing it: app, passkeys, backup codes."""

from collections.abc import Sequence
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.dialog import close_button, form_dialog
from components.feedback import confirm_dialog, notice
from components.icons import IconName, icon
from components.plain_table import plain_table
from components.toasts import TOASTS_ID, toast
from components.values import time_tag
from database.engine import snapshot, transaction
from pages import _app_dialog as app
from pages import _passkey_dialogs as keys
from pages._page import Page
from services.second_factor import backup_codes, enrolment, passkeys
from services.second_factor.enrolment import Holdings
from services.second_factor.passkeys import PasskeyFacts
from web.identity import current_actor, current_session, visitor

FACTORS, CHANGED, APP_OFF, APP_OFF_ASK = (
    f"factors-{word}" for word in ("list", "changed", "app-off", "app-off-dialog")
)
RENEW, RENEW_ASK, CODES, CODES_BODY, CODES_CLOSE = (
    f"factors-{word}" for word in ("renew", "renew-dialog", "codes", "codes-body", "codes-close")
)
RENEW_WORDS = "Make new codes"


def part() -> Component:
    """The three of them, and the dialogs that change them."""
    return html.Div(
        [
            html.Div(_list(), id=FACTORS),
            dcc.Store(id=CHANGED),
            app.dialog(),
            *keys.dialogs(),
            confirm_dialog(
                APP_OFF_ASK,
                "Turn the app off?",
                body="Its codes no longer let you in. Your other sessions end.",
                confirm_label="Turn off",
                danger=True,
            ),
            confirm_dialog(
                RENEW_ASK,
                "Make new backup codes?",
                body="Ten are shown, this once. Those that you have kept before stop working.",
                confirm_label=RENEW_WORDS,
            ),
            form_dialog(CODES, "Backup codes", [], actions=[close_button(CODES_CLOSE)], body_id=CODES_BODY),
        ]
    )


def _list() -> list[Component]:
    actor = current_actor()
    with snapshot() as session:
        has = enrolment.holdings(session, actor)
        own = passkeys.of(session, actor)
    shown = [_app(has), _keys(own), _codes(has)]
    if has.is_required and not has.any:
        told = "Your role needs a second factor. Set one up, then everything else opens."
        shown.insert(0, notice(told, kind="warning"))
    return shown


def _row(name: IconName, title: str, state: Component | str, text: str, buttons: Sequence[Component]) -> Component:
    told = html.Div(
        [
            html.Div([html.Span(title, className="factor-name"), state], className="with-chip"),
            html.Div(text, className="factor-text"),
        ],
        className="factor-words",
    )
    return html.Div([icon(name), told, html.Div(list(buttons), className="row-buttons")], className="factor")


def _button(id: str, label: str, *, primary: bool = False, seen: bool = True) -> Component:
    look = "btn-primary" if primary else "btn-outline-secondary"
    style = {} if seen else {"display": "none"}  # hidden, not left out: a callback waits for it
    return html.Button(label, id=id, type="button", className=f"btn btn-sm {look}", style=style)


def _chip(on: bool, text: str = "on") -> Component:
    return html.Span(text if on else "off", className="chip chip-on" if on else "chip")


def _app(has: Holdings) -> Component:
    buttons = [
        _button(app.OPEN, "Replace" if has.app else "Set up", primary=not has.any),
        _button(APP_OFF, "Turn off", seen=has.app),
    ]
    text = "Six digits from an app on your phone, asked for after your password."
    return _row("shield-lock", "Authenticator app", _chip(has.app), text, buttons)


def _keys(own: Sequence[PasskeyFacts]) -> Component:
    possible = passkeys.are_possible()
    text = "Your fingerprint, your face, or a security key."
    if not possible:
        text += " Browsers keep passkeys only for a name with https, or for localhost; an admin sets PFD_PUBLIC_URL."
    row = _row(
        "key",
        "Passkeys",
        _chip(bool(own), f"{len(own):,}"),
        text,
        [_button(keys.OPEN, "Add a passkey", seen=possible)],
    )
    if not own:
        return row
    headers = ("Name", "Added", "Last used", "")
    table = plain_table(headers, [_key_row(item) for item in own], label="Passkeys")
    return html.Div([row, html.Div(table, className="factor-table")])


def _key_row(item: PasskeyFacts) -> Sequence[Component | str]:
    buttons = [
        html.Button(
            label,
            id={"type": kind, "id": item.id},
            type="button",
            className="btn btn-sm btn-outline-secondary",
            title=f"{label} {item.name}",
            **attributes({"aria-label": f"{label} {item.name}"}),
        )
        for kind, label in ((keys.RENAME, "Rename"), (keys.REMOVE, "Remove"))
    ]
    return (
        item.name,
        time_tag(item.created, "date"),
        time_tag(item.last_used),
        html.Span(buttons, className="row-buttons"),
    )


def _codes(has: Holdings) -> Component:
    if not has.any:
        state, text = _chip(False), "They come with your first second factor, for the day you lose it."
    elif not has.has_codes:
        state, text = html.Span("none", className="chip"), "Make some now: without them a lost phone locks you out."
    else:
        state = html.Span(f"{has.codes_left} left", className="chip")
        text = "Each lets you in once when you have no phone at hand."
    label = "Make new codes" if has.has_codes else "Make codes"
    urgent = has.any and not has.codes_left
    return _row("list", "Backup codes", state, text, [_button(RENEW, label, primary=urgent, seen=has.any)])


def register(page: Page) -> None:
    """Bind everything to the page."""
    app.register(page, CHANGED)
    keys.register(page, CHANGED)

    @page.callback(Output(FACTORS, "children"), Input(CHANGED, "data"), prevent_initial_call=True)
    def look_again(_times: Any) -> list[Component]:
        """What there is now."""
        return _list()

    @page.callback(
        Output(APP_OFF_ASK, "is_open"),
        Input(APP_OFF, "n_clicks"),
        Input(f"{APP_OFF_ASK}-cancel", "n_clicks"),
        Input(f"{APP_OFF_ASK}-confirm", "n_clicks"),
        prevent_initial_call=True,
    )
    def ask_app_off(clicks: Any, _cancel: Any, _confirm: Any) -> bool:
        """Ask first."""
        return ctx.triggered_id == APP_OFF and bool(clicks)

    @page.callback(
        Output(FACTORS, "children", allow_duplicate=True),
        Input(f"{APP_OFF_ASK}-confirm", "n_clicks"),
        prevent_initial_call=True,
        sudo=True,
    )
    def app_off(clicks: Any) -> Any:
        """Take the app off the account."""
        if not clicks:
            return no_update
        with transaction() as session:
            enrolment.remove_app(session, current_session(), visitor())
        dash.set_props(TOASTS_ID, {"data": toast("success", "The app is off. This is your only session now.")})
        return _list()

    @page.callback(
        Output(RENEW_ASK, "is_open"),
        Input(RENEW, "n_clicks"),
        Input(f"{RENEW_ASK}-cancel", "n_clicks"),
        prevent_initial_call=True,
    )
    def ask_renewal(clicks: Any, _cancel: Any) -> bool:
        """Ask first."""
        return ctx.triggered_id == RENEW and bool(clicks)

    @page.callback(
        Output(CODES, "is_open"),
        Output(CODES_BODY, "children"),
        Output(FACTORS, "children", allow_duplicate=True),
        Output(RENEW_ASK, "is_open", allow_duplicate=True),
        Input(f"{RENEW_ASK}-confirm", "n_clicks"),
        prevent_initial_call=True,
        sudo=True,
        running=[  # ten codes take seconds to hash
            (Output(f"{RENEW_ASK}-confirm", "disabled"), True, False),
            (Output(f"{RENEW_ASK}-confirm", "children"), [dbc.Spinner(size="sm"), " Making them…"], RENEW_WORDS),
        ],
    )
    def renew(clicks: Any) -> tuple[Any, ...]:
        """Make ten and show them once."""
        if not clicks:
            return (no_update,) * 4
        fresh = backup_codes.make()
        with transaction() as session:
            codes = enrolment.renew_codes(session, current_session(), fresh, visitor())
        return True, app.shown_once(codes, "Your new codes."), _list(), False

    @page.callback(
        Output(CODES, "is_open", allow_duplicate=True),
        Output(CODES_BODY, "children", allow_duplicate=True),
        Input(CODES_CLOSE, "n_clicks"),
        prevent_initial_call=True,
    )
    def close(clicks: Any) -> tuple[Any, Any]:
        """Close; the codes are gone."""
        return (False, []) if clicks else (no_update, no_update)
