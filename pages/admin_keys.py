"""All API keys of the installation: whose they are, what they may do, when they were used, and revoking them."""

from collections.abc import Sequence
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.dialog import close_button, form_dialog
from components.feedback import empty_state
from components.fields import text_field
from components.icons import IconName, icon
from components.plain_table import plain_table
from components.shell import page_header
from components.toasts import TOASTS_ID, toast
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _key_use
from pages._page import register_page
from pages._permission_words import permission_words
from pages._presses import number_in, presses, store, text_in
from pages._turning import style_of, turn_button
from services import key_list
from services.api_requests import usage
from services.api_requests.usage import Use
from services.errors import Invalid
from services.key_list import ListedKey
from web.identity import current_actor

page = register_page(__name__, path="/admin/keys", title="All API keys", permission=Permission.MANAGE_API_KEYS)

TABLE, SEARCH, STATE, BEFORE, OLDER, NEWEST, NAMES = (
    f"all-keys-{word}" for word in ("table", "search", "state", "before", "older", "newest", "names")
)
REVOKE, DIALOG, CLOSE, CONFIRM, REASON, WHICH, WHAT = (
    f"all-keys-{word}" for word in ("revoke", "dialog", "close", "confirm", "reason", "which", "what")
)
FILTERS = {"q": SEARCH, "state": STATE}
ALL_STATES = "all"
STATES: dict[str, tuple[IconName, str]] = {
    "active": ("check-circle", "completed"),
    "replaced": ("clock", "pending"),
    "expired": ("exclamation-circle", "paused"),
    "revoked": ("ban", "cancelled"),
}
HEADERS = ("Owner", "Key", "State", "May", "Limit", _key_use.HEADER, "Last used", "")
MOST_NAMED = 12  # scopes of a key in its hint


@page.layout
def layout(**given: str) -> Component:
    """The newest keys that the address asks for."""
    text, state = str(given.get("q") or "")[:100], _state(given.get("state"))
    table, before = _table(text, state, None)
    options = [{"value": ALL_STATES, "label": "All states"}]
    options += [{"value": word, "label": word.capitalize()} for word in key_list.STATES]
    search = dbc.Input(
        id=SEARCH, type="search", value=text, placeholder="Search owners and keys", debounce=300, maxlength=100
    )
    choice = dbc.Select(id=STATE, value=state or ALL_STATES, options=options)
    return html.Div(
        [
            page_header("All API keys"),
            html.Div(
                [
                    html.Div(
                        [dbc.Label("Search", html_for=SEARCH, class_name="visually-hidden"), search],
                        className="toolbar-search",
                    ),
                    html.Div([dbc.Label("State", html_for=STATE, class_name="visually-hidden"), choice]),
                ],
                className="inline-controls toolbar-spaced",
            ),
            html.Div(table, id=TABLE),
            html.Div(
                [turn_button(NEWEST, "Newest", seen=False), turn_button(OLDER, "Older", seen=before is not None)],
                className="form-actions",
            ),
            dcc.Store(id=BEFORE, data=before),
            dcc.Store(id=NAMES, data=list(FILTERS)),
            dcc.Store(id=WHICH),
            store(REVOKE),
            _dialog(),
        ]
    )


def _dialog() -> Component:
    reason = text_field(
        REASON, "Reason", maxlength=255, autocomplete="off", hint="The owner is told by mail, and it stays on the key."
    )
    return form_dialog(
        DIALOG,
        "Revoke this key?",
        [html.P(id=WHAT), reason],
        actions=[close_button(CLOSE), dbc.Button("Revoke", id=CONFIRM, color="danger")],
    )


def _state(value: Any) -> str | None:
    return next((word for word in key_list.STATES if word == value), None)


def _table(text: str, state: str | None, before: int | None) -> tuple[Component, int | None]:
    with snapshot() as session:
        rows, following = key_list.page(session, current_actor(), text=text, state=state, before=before)
        uses = usage.of_keys(session, [item.id for item in rows])
    if not rows:
        told = "Clear the search to see every key." if text or state else "Keys that people make are listed here."
        return empty_state("No key matches" if text or state else "No keys yet", told, icon_name="key"), None
    return plain_table(HEADERS, [_row(item, uses.get(item.id)) for item in rows], label="All API keys"), following


def _row(item: ListedKey, use: Use | None) -> Sequence[Component | str]:
    words = [permission_words(scope) for scope in item.scopes]
    more = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    reason = [] if not item.reason else [_key_use.reason_line(item.reason)]
    revoke = html.Button(
        [icon("x-circle"), "Revoke"],
        id={"type": REVOKE, "id": item.id, "name": f"{item.name} ({item.prefix}…) of {item.owner}"},
        type="button",
        className="btn btn-sm btn-outline-secondary",
        title=f"Revoke {item.name} of {item.owner}",
        **attributes({"aria-label": f"Revoke {item.name} of {item.owner}"}),
    )
    may = words[0] if len(words) == 1 else f"{len(words)} permissions"
    return (
        item.owner,
        html.Span([item.name, html.Code(f"{item.prefix}…", className="cell-second")], className="cell-lines"),
        _key_use.state_cell(STATES[item.state], item.state, item.expires, *reason),
        html.Span(may, title=", ".join(words[:MOST_NAMED]) + more),
        _key_use.limit_cell(item.rate_limit),
        _key_use.use_cell(use, item.name),
        _key_use.last_used_cell(item.last_used, item.last_address),
        revoke if item.may_revoke else "",
    )


clientside_callback(
    ClientsideFunction(namespace="pfd", function_name="keep_filters"),
    *(Input(id, "value") for id in FILTERS.values()),
    State(NAMES, "data"),
    prevent_initial_call=True,
)


@page.callback(
    Output(TABLE, "children"),
    Output(BEFORE, "data"),
    Output(OLDER, "style"),
    Output(NEWEST, "style"),
    Input(SEARCH, "value"),
    Input(STATE, "value"),
    Input(OLDER, "n_clicks"),
    Input(NEWEST, "n_clicks"),
    State(BEFORE, "data"),
    prevent_initial_call=True,
)
def find(text: Any, state: Any, _older: Any, _newest: Any, before: Any) -> tuple[Any, ...]:
    """The keys that match, or those before them."""
    older = ctx.triggered_id == OLDER and type(before) is int and 0 < before < 2**31
    table, following = _table(text if isinstance(text, str) else "", _state(state), before if older else None)
    return table, following, style_of(following is not None), style_of(older)


@page.callback(
    Output(DIALOG, "is_open"),
    Output(WHAT, "children"),
    Output(REASON, "value"),
    Output(f"{REASON}-error", "children"),
    Output(WHICH, "data"),
    presses(REVOKE),
    Input(CLOSE, "n_clicks"),
    prevent_initial_call=True,
)
def ask(press: Any, _close: Any) -> tuple[Any, ...]:
    """Ask for the reason."""
    if ctx.triggered_id == CLOSE:
        return False, *(no_update,) * 4
    number, name = number_in(press), text_in(press, "name")
    if number is None:
        return (no_update,) * 5
    return True, f"Programs that use {name} are refused from their next request on.", "", "", number


@page.callback(
    Output(DIALOG, "is_open", allow_duplicate=True),
    Output(f"{REASON}-error", "children", allow_duplicate=True),
    Output(TABLE, "children", allow_duplicate=True),
    Output(BEFORE, "data", allow_duplicate=True),
    Input(CONFIRM, "n_clicks"),
    Input(REASON, "n_submit"),
    State(REASON, "value"),
    State(WHICH, "data"),
    State(SEARCH, "value"),
    State(STATE, "value"),
    prevent_initial_call=True,
    sudo=True,
)
def revoke(clicks: Any, submitted: Any, reason: Any, number: Any, text: Any, state: Any) -> tuple[Any, ...]:
    """End the key, or say at the field what is missing."""
    if not (clicks or submitted) or type(number) is not int:
        return (no_update,) * 4
    try:
        with transaction() as session:
            prefix = key_list.revoke(session, current_actor(), number, reason if isinstance(reason, str) else "")
    except Invalid as error:
        return no_update, str(error), no_update, no_update
    dash.set_props(TOASTS_ID, {"data": toast("success", f"{prefix}… no longer works.")})
    table, following = _table(text if isinstance(text, str) else "", _state(state), None)
    return False, "", table, following
