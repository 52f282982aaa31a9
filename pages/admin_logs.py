"""The system log: who did what from where, what was refused, and whether the chain is whole."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import empty_state, notice
from components.icons import IconName, icon
from components.plain_table import plain_table
from components.shell import page_header
from components.values import time_tag
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _log_drawer as drawer
from pages._page import register_page
from pages._presses import number_in, presses, store
from pages._turning import style_of, turn_button
from services import trail
from services.errors import Invalid
from services.trail import Entry
from web.identity import current_actor

page = register_page(__name__, path="/admin/logs", title="System log", permission=Permission.VIEW_AUDIT_LOGS)

TABLE, WRONG, BEFORE, OLDER, NEWEST, CSV, JSON, DOWNLOAD, VERIFY, VERDICT, NAMES = (
    f"logs-{word}"
    for word in (
        "table",
        "wrong",
        "before",
        "older",
        "newest",
        "csv",
        "json",
        "download",
        "verify",
        "verdict",
        "names",
    )
)
# The filters as the address names them, and the ids of their fields.
FILTERS = {name: f"logs-filter-{name}" for name in ("action", "status", "user", "from", "to")}
ALL_OF_THEM = "all"
STATUSES: dict[str, tuple[IconName, str]] = {
    "success": ("check-circle", "completed"),
    "refused": ("ban", "paused"),
    "failed": ("exclamation-circle", "failed"),
}
HEADERS = ("Time", "Who", "Action", "On", "Status", "Address", "")


@page.layout
def layout(**given: str) -> Component:
    """The newest rows that the address asks for."""
    asked = tuple(str(given.get(name) or "") for name in FILTERS)
    with snapshot() as session:
        actions = trail.actions(session, current_actor())
    table, before, wrong = _table(asked, None)
    return html.Div(
        [
            page_header("System log", actions=[_button(VERIFY, "Verify chain", "shield-lock")]),
            html.Div(id=VERDICT, role="status", className="verdict"),
            _toolbar(asked, actions),
            html.Div(wrong, id=WRONG, className="form-error", role="alert"),
            html.Div(table, id=TABLE),
            html.Div(
                [
                    turn_button(NEWEST, "Newest", seen=False),
                    turn_button(OLDER, "Older", seen=before is not None),
                ],
                className="form-actions",
            ),
            dcc.Store(id=BEFORE, data=before),
            dcc.Store(id=NAMES, data=list(FILTERS)),
            store(drawer.OPEN),
            dcc.Download(id=DOWNLOAD),
            drawer.drawer(),
        ]
    )


def _button(id: str, label: str, name: IconName) -> Component:
    return html.Button([icon(name), label], id=id, type="button", className="btn btn-outline-secondary")


def _toolbar(asked: Sequence[str], actions: Sequence[str]) -> Component:
    action, status, user, since, until = asked
    known = [{"value": name, "label": name} for name in dict.fromkeys([*actions, *([action] if action else [])])]
    statuses = [{"value": word, "label": word.capitalize()} for word in trail.STATUSES]
    everybody = dbc.Input(
        id=FILTERS["user"], type="search", value=user, placeholder="Search people", debounce=300, maxlength=100
    )
    return html.Div(
        [
            html.Div(_labelled("user", "Who", everybody), className="toolbar-search"),
            _labelled("action", "Action", _choice("action", action, "All actions", known)),
            _labelled("status", "Status", _choice("status", status, "All results", statuses)),
            html.Div(
                [
                    html.Span("From", className="muted"),
                    _labelled("from", "From this day on, in UTC", _day("from", since)),
                    html.Span("to", className="muted"),
                    _labelled("to", "Up to this day, in UTC", _day("to", until)),
                ],
                className="inline-controls",
                title="Days begin and end in UTC",
            ),
            html.Div(
                [_button(CSV, "CSV", "download"), _button(JSON, "JSON", "download")],
                className="inline-controls toolbar-end",
            ),
        ],
        className="inline-controls toolbar-spaced",
    )


def _labelled(name: str, label: str, control: Component) -> Component:
    return html.Div([dbc.Label(label, html_for=FILTERS[name], class_name="visually-hidden"), control])


def _choice(name: str, value: str, label: str, options: list[dict[str, str]]) -> Component:
    made: Component = dbc.Select(
        id=FILTERS[name], value=value or ALL_OF_THEM, options=[{"value": ALL_OF_THEM, "label": label}, *options]
    )
    return made


def _day(name: str, value: str) -> Component:
    made: Component = dbc.Input(id=FILTERS[name], type="date", value=value, min="2000-01-01", max="2200-12-31")
    return made


def _asked(given: Sequence[Any]) -> trail.Wanted:
    """What the fields ask for; a choice that is none is no filter."""
    words = [value if isinstance(value, str) and value != ALL_OF_THEM else "" for value in given]
    return trail.wanted(*words)


def _table(given: Sequence[Any], before: int | None) -> tuple[Component, int | None, str]:
    """The rows, where the next page begins, and what is wrong with a filter."""
    try:
        asked = _asked(given)
    except Invalid as error:
        return html.Div(), None, str(error)
    with snapshot() as session:
        rows, following = trail.page(session, current_actor(), asked, before=before)
    if not rows:
        return empty_state("Nothing matches", "Clear the filters to see every row.", icon_name="list"), None, ""
    return plain_table(HEADERS, [_row(item) for item in rows], label="System log"), following, ""


def _row(item: Entry) -> Sequence[Component | str]:
    name, kind = STATUSES.get(item.status, ("info-circle", "unknown"))
    details = html.Button(
        [icon("eye"), "Details"],
        id={"type": drawer.OPEN, "id": item.id},
        type="button",
        className="btn btn-sm btn-outline-secondary",
        title=f"Details of row {item.id}",
        **attributes({"aria-label": f"Details of row {item.id}"}),
    )
    return (
        time_tag(item.moment, "second"),
        item.user,
        html.Code(item.action),
        html.Span(drawer.subject_of(item), className="cell-clipped", title=drawer.subject_of(item)),
        html.Span([icon(name), item.status.capitalize()], className=f"status status-{kind}"),
        html.Span(item.address or "–", className="num"),
        details,
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
    Output(WRONG, "children"),
    *(Input(id, "value") for id in FILTERS.values()),
    Input(OLDER, "n_clicks"),
    Input(NEWEST, "n_clicks"),
    State(BEFORE, "data"),
    prevent_initial_call=True,
)
def find(*given: Any) -> tuple[Any, ...]:
    """The rows that match, or those before them."""
    before = given[-1]
    older = ctx.triggered_id == OLDER and type(before) is int and 0 < before < 2**31
    table, following, wrong = _table(given[: len(FILTERS)], before if older else None)
    return table, following, style_of(following is not None), style_of(older), wrong


@page.callback(
    Output(drawer.DRAWER, "is_open"),
    Output(drawer.BODY, "children"),
    presses(drawer.OPEN),
    prevent_initial_call=True,
)
def open_drawer(press: Any) -> tuple[Any, Any]:
    """All that one row says."""
    number = number_in(press)
    if number is None:
        return no_update, no_update
    with snapshot() as session:
        found = trail.one(session, current_actor(), number)
    return True, drawer.body(found)


@page.callback(
    Output(DOWNLOAD, "data"),
    Input(CSV, "n_clicks"),
    Input(JSON, "n_clicks"),
    *(State(id, "value") for id in FILTERS.values()),
    prevent_initial_call=True,
    sudo=True,
    export=True,
)
def export(as_csv: Any, as_json: Any, *given: Any) -> Any:
    """The rows that match, as a file."""
    if not (as_csv or as_json):
        return no_update
    form = "json" if ctx.triggered_id == JSON else "csv"
    asked = _asked(given)
    with transaction() as session:
        write = trail.as_json if form == "json" else trail.as_csv
        content = write(session, current_actor(), asked)
    kind = "application/json" if form == "json" else "text/csv"
    return {"content": content, "filename": f"system-log.{form}", "type": kind}


@page.callback(Output(VERDICT, "children"), Input(VERIFY, "n_clicks"), prevent_initial_call=True)
def verify(clicks: Any) -> Any:
    """Walk along the chain and say whether it is whole."""
    if not clicks:
        return no_update
    actor = current_actor()
    with snapshot() as session:
        verdict = trail.verify(session, actor)
    with transaction() as session:
        trail.record_verdict(session, actor, verdict)
    return _told(verdict)


def _told(verdict: trail.Verdict) -> Component:
    early = f" {verdict.before_the_chain:,} older rows stand before the chain." if verdict.before_the_chain else ""
    count = f"{verdict.rows:,} {'row' if verdict.rows == 1 else 'rows'}"
    if verdict.broken is not None:
        broken = f"The chain is broken at row {verdict.broken:,}: {verdict.reason}. {count} before it are unchanged."
        return notice(broken + early, kind="error")
    if not verdict.rows:
        return notice("There is no row in the chain yet." + early)
    head = html.Code(verdict.head[:16], title=verdict.head)
    return notice(
        [f"The chain is whole: {count}, none changed or removed.{early} It ends in ", head, "."], kind="success"
    )
