"""The parts of a comparison around its curves: the legend, the search that adds, the switch."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import status_badge
from services.compare import Compared

PREFIX = "compare"
GO, CHOSEN, STATE = "compare-go", "compare-chosen", "compare-search"
TABLE, TABLE_DATA = "compare-table", "compare-table-data"
DIFFERENCES, DIFFERENCES_ADDRESS = "compare-differences", "compare-diff"
SEARCH, RESULTS, ADD = "compare-find", "compare-found", "compare-add"
LEGEND, REMOVED = "compare-legend", "compare-removed"
COLOURS = 12
# Twelve colours stay apart; beyond them the next twelve experiments have another stroke.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def stroke(place: int) -> dict[str, Any]:
    """The stroke of an experiment in all panels."""
    return {"colour": place % COLOURS + 1, "dash": DASHES[place // COLOURS]}


def legend(found: Sequence[Compared]) -> Component:
    """Who is who in all panels, and a way to take one out; compare.js makes the entries."""
    entries = [{"id": item.id, "name": item.name, **stroke(place)} for place, item in enumerate(found)]
    given = {"aria-label": "Compared experiments", "data-entries": json.dumps(entries)}
    names = html.Ul(id=LEGEND, className="compare-legend", tabIndex=0, **attributes(given))
    return html.Div([names, dcc.Store(id=REMOVED)], className="legend-bar")


def add_box(*, focused: bool) -> Component:
    """Search for an experiment to add; compare.js lets the arrow keys and Enter choose."""
    return html.Div(
        [
            dbc.Label("Add an experiment", html_for=SEARCH, class_name="visually-hidden"),
            dbc.Input(
                id=SEARCH,
                type="search",
                placeholder="Add an experiment",
                debounce=250,
                maxlength=200,
                autocomplete="off",
                autofocus=focused,
            ),
            html.Div(id=RESULTS, className="add-results", **attributes({"aria-live": "polite"})),
        ],
        className="add-box",
    )


def results(words: str, hits: Sequence[dict[str, Any]]) -> Component:
    """What was found for some words, each a button that adds it."""
    given = attributes({"data-found-for": words})
    if not hits:
        return html.Div(html.P("Nothing else matches.", className="menu-note"), className="menu-items", **given)
    return html.Div(
        [
            html.Button(
                [html.Span(hit["name"], className="add-name"), status_badge(hit["status"])],
                id={"type": ADD, "id": hit["id"]},
                type="button",
                className="menu-item",
            )
            for hit in hits
        ],
        className="menu-items",
        **given,
    )


def differences_switch(only: bool) -> Component:
    """Whether rows that are the same everywhere are left out."""
    return html.Div(
        [dbc.Switch(id=DIFFERENCES, label="Only differences", value=only), dcc.Store(id=DIFFERENCES_ADDRESS)]
    )


def kept_of(search: Any, names: Sequence[str]) -> dict[str, str]:
    """The parameters of an address that a change of experiments keeps."""
    given = parse_qsl(search.lstrip("?")[:2000], max_num_fields=None) if isinstance(search, str) else []
    return {name: value for name, value in given if name in names}
