"""The drawer with all that one row of the system log says."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from components.values import copy_button, key_value_list, time_tag
from services.trail import Entry

OPEN, DRAWER, TITLE, BODY = "logs-open", "logs-drawer", "logs-drawer-title", "logs-drawer-body"
# What says on what something was done, the first that is there; the rest stands in the drawer.
SUBJECTS = ("user", "target", "key", "name", "tag", "job", "experiments")
MOST_SHOWN = 20  # of a list


def drawer() -> Component:
    """An empty drawer; its body is made when it opens."""
    made: Component = dbc.Offcanvas(
        html.Div(id=BODY),
        id=DRAWER,
        title=html.Span("Details", id=TITLE),
        labelledby=TITLE,
        is_open=False,
        placement="end",
        class_name="drawer",
    )
    return made


def subject_of(entry: Entry) -> str:
    """On what it was done, in a few words."""
    return next((_subject(name, entry.details[name]) for name in SUBJECTS if entry.details.get(name)), "–")


def _subject(name: str, value: Any) -> str:
    """What a bare number is of, and what was done."""
    if name == "experiments" and isinstance(value, list):
        return f"experiment{'' if len(value) == 1 else 's'} {_words(value)}"
    if name == "experiments" and type(value) is int:
        return f"{value:,} experiment{'' if value == 1 else 's'}"
    return f"job {value}" if name == "job" else _words(value)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        more = len(value) - MOST_SHOWN
        return ", ".join(map(str, value[:MOST_SHOWN])) + (f" and {more} more" if more > 0 else "")
    return (
        {True: "yes", False: "no", None: "–"}.get(value, str(value)) if isinstance(value, bool | None) else str(value)
    )


def body(entry: Entry) -> list[Component]:
    """Who, what, from where; what was before and after; the chain."""
    rest = {name: value for name, value in entry.details.items() if name not in {"by", "before", "after"}}
    return [
        key_value_list(
            [
                ("Row", f"{entry.id:,}"),
                ("Time", time_tag(entry.moment, "second")),
                ("Who", entry.user),
                ("Action", html.Code(entry.action)),
                ("Status", entry.status.capitalize()),
                *([("Reason", entry.error)] if entry.error else []),
                ("Address", entry.address),
                ("Request", None if entry.request_id is None else html.Code(entry.request_id)),
            ]
        ),
        *_changes(entry.details),
        *([html.H3("Details"), key_value_list([(_label(k), _shown(k, v)) for k, v in rest.items()])] if rest else []),
        html.H3("Chain"),
        key_value_list([("After", _hash(entry.previous_hash)), ("This row", _hash(entry.row_hash))]),
    ]


def _shown(name: str, value: Any) -> Component | str:
    """What was noted; numbers of experiments lead to them."""
    if name != "experiments" or not isinstance(value, list) or not all(type(item) is int for item in value):
        return _words(value)
    more = len(value) - MOST_SHOWN
    links: list[Component | str] = []
    for number in value[:MOST_SHOWN]:
        links += [dcc.Link(str(number), href=f"/experiments/{number}"), ", "]
    return html.Span(links[:-1] + ([f" and {more} more"] if more > 0 else []))


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _changes(details: dict[str, Any]) -> list[Component]:
    if not {"before", "after"} & set(details):
        return []
    sides = [
        html.Div([html.H4(label), html.Div(_words(details.get(name)), className="change-value")])
        for name, label in (("before", "Before"), ("after", "After"))
    ]
    return [html.H3("Change"), html.Div(sides, className="change-sides")]


def _hash(value: str | None) -> Component | str:
    if value is None:
        return "before the chain"
    return html.Span([html.Code(value, className="hash"), copy_button(value)], className="one-time-row")
