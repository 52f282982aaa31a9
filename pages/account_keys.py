"""One's own API keys: made and shown once, replaced, revoked."""

from collections.abc import Sequence
from typing import Any

import dash
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import confirm_dialog, empty_state
from components.icons import IconName, icon
from components.plain_table import plain_table
from components.shell import section
from components.toasts import TOASTS_ID, toast
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _account, _key_use
from pages import _key_dialog as making
from pages._page import register_page
from pages._permission_words import permission_words
from pages._presses import number_in, presses, store, store_of
from services.api_keys import keys as api_keys
from services.api_keys.keys import KeyFacts
from services.api_requests import usage
from services.api_requests.usage import Use
from web.identity import current_actor

page = register_page(__name__, path=_account.KEYS, title="API keys", permission=Permission.MANAGE_OWN_ACCOUNT)

TABLE, ROTATE, REVOKE, DIALOG, REPLACING, WHICH, SHOWN = (
    f"keys-{word}" for word in ("table", "rotate", "revoke", "dialog", "replacing", "which", "shown")
)
STATES: dict[str, tuple[IconName, str]] = {
    "active": ("check-circle", "completed"),
    "replaced": ("clock", "pending"),
    "expired": ("exclamation-circle", "paused"),
    "revoked": ("ban", "cancelled"),
}


@page.layout
def layout(**_: str) -> Component:
    """All keys, those that work first."""
    new = html.Button([icon("plus-lg"), "New key"], id=making.OPEN, type="button", className="btn btn-sm btn-primary")
    return html.Div(
        [
            *_account.header(_account.KEYS),
            section(
                "API keys",
                [html.Div(id=SHOWN, role="status"), html.Div(_table(), id=TABLE)],
                hint="A key lets a program act for you, never with more than your role allows.",
                actions=new,
            ),
            dcc.Store(id=WHICH),
            store(ROTATE),
            store(REVOKE),
            making.dialog(api_keys.scopes_for(current_actor()), api_keys.DAYS, *api_keys.rates()),
            confirm_dialog(DIALOG, "Revoke this key?", confirm_label="Revoke", danger=True),
            confirm_dialog(REPLACING, "Replace this key?", confirm_label="Make the new key"),
        ]
    )


def _table() -> Component:
    with snapshot() as session:
        found = api_keys.keys_of(session, current_actor())
        uses = usage.of_keys(session, [item.id for item in found])
    if not found:
        return empty_state(
            "No keys yet", "Make one for a training script or a notebook that reads from PFD.", icon_name="key"
        )
    headers = ("Key", "State", "May", "Limit", _key_use.HEADER, "Last used", "")
    return plain_table(headers, [_row(item, uses.get(item.id)) for item in found], label="API keys")


def _row(item: KeyFacts, use: Use | None) -> Sequence[Component | str]:
    words = [permission_words(scope) for scope in item.scopes]
    reason = [] if not item.reason else [_key_use.reason_line(item.reason)]
    return (
        html.Span([item.name, html.Code(f"{item.prefix}…", className="cell-second")], className="cell-lines"),
        _key_use.state_cell(STATES[item.state], item.state, item.expires, *reason),
        html.Span(words[0] if len(words) == 1 else f"{len(words)} permissions", title=", ".join(words)),
        _key_use.limit_cell(item.rate_limit),
        _key_use.use_cell(use, item.name),
        _key_use.last_used_cell(item.last_used, item.last_address),
        html.Span(_buttons(item), className="row-buttons"),
    )


def _buttons(item: KeyFacts) -> list[Component]:
    made = []
    if item.state == "active":
        made.append(_button(ROTATE, item, "Replace", "arrow-clockwise", f"Replace {item.name}"))
    if item.state in {"active", "replaced"}:
        made.append(_button(REVOKE, item, "Revoke", "x-circle", f"Revoke {item.name}"))
    return made


def _button(kind: str, item: KeyFacts, label: str, name: IconName, title: str) -> Component:
    return html.Button(
        [icon(name), label],
        id={"type": kind, "id": item.id},
        type="button",
        className="btn btn-sm btn-outline-secondary",
        title=title,
        **attributes({"aria-label": title}),
    )


making.register(page, TABLE, _table)


def _asked(press: Any, before: str, after: str) -> tuple[Any, Any, Any]:
    """An open dialog that says which key it is about: one that was replaced has the same name."""
    number = number_in(press)
    with snapshot() as session:
        key = next((item for item in api_keys.keys_of(session, current_actor()) if item.id == number), None)
    if key is None:
        return (no_update,) * 3
    return True, [before, html.Strong(key.name), " (", html.Code(f"{key.prefix}…"), f") {after}"], number


@page.callback(
    Output(REPLACING, "is_open"),
    Output(f"{REPLACING}-body", "children"),
    Output(WHICH, "data", allow_duplicate=True),
    presses(ROTATE),
    Input(f"{REPLACING}-cancel", "n_clicks"),
    Input(f"{REPLACING}-confirm", "n_clicks"),
    prevent_initial_call=True,
)
def ask_replacement(press: Any, _cancel: Any, _confirm: Any) -> tuple[Any, Any, Any]:
    """Ask first: the old key ends a day later, wherever it is in use."""
    if ctx.triggered_id != store_of(ROTATE):
        return False, no_update, no_update
    return _asked(press, "A new key is shown once. ", "goes on working for 24 hours and then ends.")


@page.callback(
    Output(SHOWN, "children"),
    Output(TABLE, "children", allow_duplicate=True),
    Input(f"{REPLACING}-confirm", "n_clicks"),
    State(WHICH, "data"),
    prevent_initial_call=True,
    sudo=True,
)
def rotate(clicks: Any, number: Any) -> tuple[Any, Any]:
    """Make the key that follows and show it once."""
    if not clicks or type(number) is not int:
        return no_update, no_update
    with transaction() as session:
        text = api_keys.rotate(session, current_actor(), number)
    told = "The new key. The old one goes on working for 24 hours, so that nothing stops meanwhile."
    return making.shown_once(text, told), _table()


@page.callback(
    Output(DIALOG, "is_open"),
    Output(f"{DIALOG}-body", "children"),
    Output(WHICH, "data"),
    presses(REVOKE),
    Input(f"{DIALOG}-cancel", "n_clicks"),
    Input(f"{DIALOG}-confirm", "n_clicks"),
    prevent_initial_call=True,
)
def ask(press: Any, _cancel: Any, _confirm: Any) -> tuple[Any, Any, Any]:
    """Ask first."""
    if ctx.triggered_id != store_of(REVOKE):
        return False, no_update, no_update
    return _asked(press, "Programs that use ", "are refused from their next request on. This cannot be undone.")


@page.callback(
    Output(TABLE, "children"),
    Input(f"{DIALOG}-confirm", "n_clicks"),
    State(WHICH, "data"),
    prevent_initial_call=True,
    sudo=True,
)
def revoke(clicks: Any, number: Any) -> Any:
    """End the key."""
    if not clicks or type(number) is not int:
        return no_update
    with transaction() as session:
        prefix = api_keys.revoke(session, current_actor(), number)
    dash.set_props(TOASTS_ID, {"data": toast("success", f"{prefix}… no longer works.")})
    return _table()
