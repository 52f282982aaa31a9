"""Where one is signed in, and ending it."""

from collections.abc import Sequence
from typing import Any

import dash
from dash import Input, Output, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import confirm_dialog
from components.icons import icon
from components.plain_table import plain_table
from components.shell import section
from components.toasts import TOASTS_ID, toast
from components.values import time_tag
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _account
from pages._page import register_page
from pages._presses import number_in, presses, store
from services import session_list
from services.session_list import OpenSession
from web.identity import current_session

page = register_page(__name__, path=_account.SESSIONS, title="Sessions", permission=Permission.MANAGE_OWN_ACCOUNT)

TABLE, END, OTHERS, DIALOG, TICK = (f"sessions-{word}" for word in ("table", "end", "others", "dialog", "tick"))
POLL_MILLISECONDS = 10_000

DRAWN = Output(TABLE, "children"), Output(OTHERS, "disabled"), Output(OTHERS, "title")
DRAWN_TOO = tuple(Output(item.component_id, item.component_property, allow_duplicate=True) for item in DRAWN)


@page.layout
def layout(**_: str) -> Component:
    """All live sessions."""
    table, is_alone, told = _drawn()
    others = html.Button(
        "End all others",
        id=OTHERS,
        type="button",
        className="btn btn-sm btn-outline-secondary",
        disabled=is_alone,
        title=told,
    )
    return html.Div(
        [
            *_account.header(_account.SESSIONS),
            section(
                "Where you are signed in",
                html.Div(table, id=TABLE),
                hint="A session that you end is refused at its next click.",
                actions=others,
            ),
            dcc.Interval(id=TICK, interval=POLL_MILLISECONDS),
            store(END),
            confirm_dialog(
                DIALOG,
                "End all other sessions?",
                body="Every other browser that is signed in to your account has to sign in again. This one stays.",
                confirm_label="End the others",
                danger=True,
            ),
        ]
    )


def _drawn() -> tuple[list[Component], bool, str]:
    """The table, and whether there is no other session to end, with what is said of it."""
    signed_in = current_session()
    with snapshot() as session:
        rows = session_list.open_sessions(session, signed_in.actor, signed_in.session_id)
    table = plain_table(
        ("Device", "Address", "Place", "First seen", "Last seen", ""),
        [_row(item) for item in rows],
        label="Open sessions",
    )
    is_alone = len(rows) < 2
    note = html.P("You are signed in nowhere else.", className="muted")
    return [table, *([note] if is_alone else [])], is_alone, "There is no other session to end." if is_alone else ""


def _row(item: OpenSession) -> Sequence[Component | str]:
    device: list[Component | str] = [item.device]
    if item.is_this:
        device.append(html.Span("this one", className="chip"))
    end = html.Button(
        [icon("box-arrow-right"), "End"],
        id={"type": END, "id": item.id},
        type="button",
        className="btn btn-sm btn-outline-secondary",
        title=f"End the session of {item.device}",
        **attributes({"aria-label": f"End the session of {item.device}"}),
    )
    return (
        html.Span(device, className="with-chip"),
        html.Span(item.address, className="num"),
        item.place,
        time_tag(item.first_seen),
        time_tag(item.last_seen),
        html.Span("sign out instead", className="muted") if item.is_this else end,
    )


@page.callback(
    *DRAWN,
    Input(TICK, "n_intervals"),
    prevent_initial_call=True,
)
def look_again(_tick: Any) -> Any:
    """What is open now."""
    return _drawn()


@page.callback(
    *DRAWN_TOO,
    presses(END),
    prevent_initial_call=True,
    sudo=True,
)
def end(press: Any) -> Any:
    """End the session whose button was pressed."""
    number, signed_in = number_in(press), current_session()
    if number is None:
        return (no_update,) * len(DRAWN)
    with transaction() as session:
        session_list.end_one(session, signed_in.actor, number, signed_in.session_id)
    dash.set_props(TOASTS_ID, {"data": toast("success", "The session was ended.")})
    return _drawn()


@page.callback(
    Output(DIALOG, "is_open"),
    Input(OTHERS, "n_clicks"),
    Input(f"{DIALOG}-cancel", "n_clicks"),
    Input(f"{DIALOG}-confirm", "n_clicks"),
    prevent_initial_call=True,
)
def ask(clicks: Any, _cancel: Any, _confirm: Any) -> bool:
    """Ask first."""
    return ctx.triggered_id == OTHERS and bool(clicks)


@page.callback(
    *DRAWN_TOO,
    Input(f"{DIALOG}-confirm", "n_clicks"),
    prevent_initial_call=True,
    sudo=True,
)
def end_others(clicks: Any) -> Any:
    """End all but this one."""
    if not clicks:
        return (no_update,) * len(DRAWN)
    signed_in = current_session()
    with transaction() as session:
        ended = session_list.end_others(session, signed_in.actor, signed_in.session_id)
    said = {0: "There was no other session.", 1: "One session was ended."}.get(ended, f"{ended} sessions were ended.")
    dash.set_props(TOASTS_ID, {"data": toast("success", said)})
    return _drawn()
