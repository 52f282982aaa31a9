"""Alerts on how the API answers: the rules, what exceeds its bound now, and what was raised and resolved lately."""

import zlib
from collections.abc import Sequence
from typing import Any

from dash import Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import empty_state
from components.icons import IconName, icon
from components.plain_table import plain_table
from components.shell import PAGE_VISIBLE_ID, page_header, section
from components.values import NOTHING, duration_text, time_tag
from database.engine import snapshot
from models.permissions import Permission
from pages import _alert_dialog as dialog
from pages._alert_line import ALERTS
from pages._api_range import METRICS
from pages._page import register_page
from services.api_alerts import events, rules
from services.api_alerts.events import Told
from services.api_alerts.rules import Rule
from web.identity import current_actor

page = register_page(__name__, path=ALERTS, title="API alerts", permission=Permission.VIEW_API_METRICS)

RULES, LATELY, TICK, CHANGED, SEEN = (f"alerts-{word}" for word in ("rules", "lately", "tick", "changed", "seen"))
POLL_MILLISECONDS = 10_000
HEADERS = ("State", "An alert is raised when", "Now", "Set by", "")
TOLD = ("Time", "Event", "What", "Lasted")


@page.layout
def layout(**_: str) -> Component:
    """The rules and what has come of them."""
    shown, lately, version = _read()
    new = html.Button(
        [icon("plus-lg"), "New rule"],
        id=dialog.OPEN,
        type="button",
        className="btn btn-primary",
        style={} if _may_change() else {"display": "none"},
    )
    return html.Div(
        [
            page_header("Alerts", breadcrumbs=[("API metrics", METRICS)], actions=new),
            html.Div(shown, id=RULES),
            section("Lately", html.Div(lately, id=LATELY)),
            dcc.Interval(id=TICK, interval=POLL_MILLISECONDS),
            dcc.Store(id=CHANGED),
            dcc.Store(id=SEEN, data=version),
            *dialog.dialogs(),
        ]
    )


def _may_change() -> bool:
    return current_actor().may(Permission.CONFIGURE_NOTIFICATIONS)


def _read() -> tuple[Component, Component, str]:
    """Both tables, and a word that changes when one of them would look different."""
    actor = current_actor()
    with snapshot() as session:
        known, lately = rules.listed(session, actor), events.lately(session, actor)
    return _rules(known), _lately(lately), f"{zlib.crc32(repr((known, lately)).encode()):08x}"


def _rules(known: Sequence[Rule]) -> Component:
    if not known:
        return empty_state(
            "No rules yet",
            "A rule raises an alert when too many requests fail, or when they take too long.",
            icon_name="bell",
        )
    return plain_table(HEADERS, [_row(rule) for rule in known], label="Rules")


def _row(rule: Rule) -> Sequence[Component | str]:
    buttons = [
        _button(dialog.CHANGE, rule, "Change", "pencil"),
        _button(dialog.REMOVE, rule, "Delete", "trash"),
    ]
    value = NOTHING if rule.value is None else events.amount(rule.measure, rule.value)
    of = "not looked at yet" if rule.requests is None else f"of {rule.requests:,} requests"
    return (
        _state(rule),
        html.Span(f"{rules.words_of(rule).removesuffix(' (off)')}", className="cell-wrapped"),
        html.Span([html.Span(value, className="num"), html.Span(of, className="cell-second")], className="cell-lines"),
        rule.owner or NOTHING,
        html.Span(buttons, className="inline-controls") if _may_change() else "",
    )


def _state(rule: Rule) -> Component:
    look: tuple[IconName, str, str] = ("check-circle", "Well", "completed")
    if not rule.is_active:
        look = ("ban", "Off", "cancelled")
    elif rule.raised is not None:
        look = ("exclamation-triangle", "Raised", "failed")
    elif rule.value is None:
        look = ("clock", "Too few requests" if rule.looked_at else "Waiting", "pending")
    shown = html.Span([icon(look[0]), look[1]], className=f"status status-{look[2]}")
    since = [html.Span(["since ", time_tag(rule.raised)], className="cell-second")] if rule.raised else []
    return html.Span([shown, *since], className="cell-lines")


def _button(kind: str, rule: Rule, label: str, name: IconName) -> Component:
    told = f"{label} the rule: {rules.words_of(rule)}"
    made: Component = html.Button(
        [icon(name), label],
        id={"type": kind, "id": rule.id},
        type="button",
        className="btn btn-sm btn-outline-secondary",
        title=told,
        **attributes({"aria-label": told}),
    )
    return made


def _lately(lately: Sequence[Told]) -> Component:
    if not lately:
        return html.P("No alert was raised yet.", className="muted")
    return plain_table(
        TOLD,
        [
            (
                time_tag(event.moment, "second"),
                _word(event),
                html.Span(event.sentence, className="cell-wrapped"),
                duration_text(event.lasted),
            )
            for event in lately
        ],
        label="Alerts raised and resolved lately",
        numeric=(3,),
    )


def _word(event: Told) -> Component:
    name: IconName = "exclamation-triangle" if event.is_raised else "check-circle"
    kind = "failed" if event.is_raised else "completed"
    return html.Span([icon(name), "Raised" if event.is_raised else "Resolved"], className=f"status status-{kind}")


@page.callback(
    Output(RULES, "children"),
    Output(LATELY, "children"),
    Output(SEEN, "data"),
    Input(TICK, "n_intervals"),
    Input(CHANGED, "data"),
    State(SEEN, "data"),
    State(PAGE_VISIBLE_ID, "data"),
    prevent_initial_call=True,
)
def refresh(_tick: Any, _changed: Any, seen: Any, visible: Any) -> tuple[Any, Any, Any]:
    """Draw both again, but only when something moved and somebody looks."""
    if visible is False:
        return (no_update,) * 3
    shown, lately, version = _read()
    return (no_update,) * 3 if version == seen else (shown, lately, version)


dialog.register(page, CHANGED)
