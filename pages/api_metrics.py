"""How the API is used: requests, errors and latency over time, by route and by key."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.graph import chart_panel, panel_area, panel_grid, visible_panels
from components.icons import icon
from components.shell import PAGE_VISIBLE_ID, page_header, section
from database.engine import snapshot
from database.types import now
from models.permissions import Permission
from pages import _api_metrics_parts as parts
from pages._alert_line import alert_line
from pages._api_range import METRICS, held, range_options, stamp, window_of
from pages._page import register_page
from pages._presses import presses, store, text_in
from services.api_alerts import rules
from services.api_metrics import reading, windows
from services.api_metrics.reading import Metrics
from services.api_metrics.windows import CUSTOM, DEFAULT, SPANS
from services.api_requests.routes import shown as shown_route
from services.errors import Invalid
from web.identity import current_actor

page = register_page(__name__, path=METRICS, title="API metrics", permission=Permission.VIEW_API_METRICS)

RANGE, FROM, TO, COMPARE, ROUTE, SORT, ZOOM, VISIBLE, TICK, CURSOR, NAMES, CHIP, ALL_ROUTES, WRONG, GRID, FIND = (
    f"api-metrics-{word}"
    for word in (
        "range", "from", "to", "compare", "route", "sort", "zoom", "visible", "tick", "cursor", "names", "chip",
        "all-routes", "wrong", "grid", "find",
    )
)  # fmt: skip
ALERTS_LINE, GUIDE, STATS, ROUTES, KEYS, STATUSES, SLOWEST, FAILED = (
    f"api-metrics-{word}" for word in ("alerts", "guide", "stats", "routes", "keys", "statuses", "slowest", "failed")
)
SHOWN = (ALERTS_LINE, GUIDE, STATS, ROUTES, KEYS, STATUSES, SLOWEST, FAILED)
# What the address holds, and the ids whose values it names.
HELD = {"range": RANGE, "from": FROM, "to": TO, "compare": COMPARE, "route": ROUTE, "sort": SORT, "find": FIND}
POLL_MILLISECONDS = 10_000
LONGEST_LABEL = 270
YES = "true"


@page.layout
def layout(**given: str) -> Component:
    """The window that the address asks for."""
    asked = [str(given.get(name) or "") for name in HELD]
    asked[0] = asked[0] or DEFAULT
    found, wrong = _read(asked)
    shown = _shown(found, asked)
    figures = parts.charts(found)
    panels: list[Component] = [
        chart_panel(f"api-metrics-{name}", title, figure=figures[name], unit=parts.UNITS[name], height=220, key=name)
        for name, title in parts.CHARTS.items()
    ]
    sorts = [{"value": word, "label": label} for word, label in parts.SORTS.items()]
    chosen = asked[5] if asked[5] in parts.SORTS else "requests"
    finding = dbc.Input(
        id=FIND, type="search", value=asked[6][:100], placeholder="Find routes", debounce=300, maxlength=100
    )
    sorting = dbc.Select(id=SORT, value=chosen, options=sorts)
    return html.Div(
        [
            page_header("API metrics"),
            _toolbar(asked),
            html.Div(wrong, id=WRONG, className="form-error", role="alert"),
            html.Div(shown[0], id=ALERTS_LINE),
            html.Div(shown[1], id=GUIDE, className="guide"),
            html.Div(_sections(shown[2:], panels, sorting, finding), className="guide-rest"),
            *(held(id, value) for id, value in zip((FROM, TO, ROUTE), (*asked[1:3], asked[4]), strict=True)),
            dcc.Store(id=CURSOR, data=[found.cursor, _choice(asked)]),
            dcc.Store(id=NAMES, data=list(HELD)),
            dcc.Store(id=ZOOM),
            store(parts.SORT_BY),
            store(parts.PICK),
            visible_panels(VISIBLE),
            dcc.Interval(id=TICK, interval=POLL_MILLISECONDS),
        ]
    )


def _sections(
    shown: Sequence[Component | None], panels: list[Component], sorting: Component, finding: Component
) -> list[Component]:
    stats, routes, keys, statuses, slowest, failed = shown
    return [
        html.Div(stats, id=STATS),
        section(
            "Over time",
            panel_area([panel_grid(panels, id=GRID)], visible_store=VISIBLE, zoom_store=ZOOM),
            hint="drag across a chart to choose that time",
        ),
        section(
            "Routes",
            html.Div(routes, id=ROUTES),
            hint="choose one to see it alone",
            actions=html.Div(
                [
                    dbc.Label("Find routes", html_for=FIND, class_name="visually-hidden"),
                    finding,
                    dbc.Label("Sort routes by", html_for=SORT, class_name="visually-hidden"),
                    sorting,
                ],
                className="inline-controls",
            ),
        ),
        section("Keys", html.Div(keys, id=KEYS), hint="of all routes"),
        section("Statuses", html.Div(statuses, id=STATUSES)),
        html.Div(
            [
                section("Slowest", html.Div(slowest, id=SLOWEST)),
                section("Failed last", html.Div(failed, id=FAILED)),
            ],
            className="section-columns",
        ),
    ]


def _toolbar(asked: Sequence[str]) -> Component:
    word, compare, route = asked[0], asked[3], asked[4]
    return html.Div(
        [
            html.Div(
                [
                    dbc.Label("Range", html_for=RANGE, class_name="visually-hidden"),
                    dbc.Select(id=RANGE, value=word if word in SPANS else CUSTOM, options=range_options(word)),
                ]
            ),
            dbc.Switch(id=COMPARE, label="Compare with the period before", value=compare == YES),
            html.Div(_chip(route), id=CHIP, className="toolbar-end"),
        ],
        className="inline-controls toolbar-spaced",
    )


def _chip(route: str | None) -> Component:
    """Which route is shown alone, as the button that ends it."""
    button: Component = html.Button(
        [html.Span(shown_route(route or ""), className="route-path"), icon("x-lg")],
        id=ALL_ROUTES,
        type="button",
        className="btn btn-outline-secondary route-chip",
        title="Show all routes again",
        style={} if route else {"display": "none"},
    )
    return button


def _read(asked: Sequence[Any]) -> tuple[Metrics, str]:
    """The metrics that are asked for; where the range is none, those of the last day and what is wrong."""
    wrong = ""
    try:
        window = window_of(*asked[:3])
    except Invalid as error:
        window, wrong = windows.of_span(DEFAULT, now()), str(error)
    route = str(asked[4])[:LONGEST_LABEL] if asked[4] else None
    with snapshot() as session:
        found = reading.read(session, current_actor(), window, route, compare=asked[3] in (True, YES))
    return found, wrong


def _choice(asked: Sequence[Any]) -> str:
    """What is chosen, in one form whether it comes from the address or from the fields."""
    word, begin, end, compare, route, sort, find = ("" if one is None else str(one) for one in asked)
    span, order = word if word in SPANS else CUSTOM, sort if sort in parts.SORTS else "requests"
    return repr((span, begin, end, compare in ("True", YES), route, order, find[:100]))


def _shown(found: Metrics, asked: Sequence[Any]) -> list[Component | None]:
    times = dict(zip(("range", "from", "to"), asked, strict=False))
    with snapshot() as session:
        raised = rules.raised(session, current_actor())
    return [
        alert_line(raised),
        parts.how_to_begin(found),
        parts.figures_row(found),
        parts.routes_table(found, str(asked[5]), times, str(asked[6] or "")),
        parts.keys_table(found.keys, times),
        parts.statuses(found.whole),
        parts.told_table(found, "slowest", times),
        parts.told_table(found, "failed_last", times),
    ]


clientside_callback(
    ClientsideFunction(namespace="pfd", function_name="keep_filters"),
    *(Input(id, "data" if id in {FROM, TO, ROUTE} else "value") for id in HELD.values()),
    State(NAMES, "data"),
    prevent_initial_call=True,
)


@page.callback(
    *(Output(id, "children") for id in SHOWN),
    *(Output(f"api-metrics-{name}", "figure") for name in parts.CHARTS),
    Output(CURSOR, "data"),
    Output(WRONG, "children"),
    *(Input(id, "data" if id in {FROM, TO, ROUTE} else "value") for id in HELD.values()),
    Input(TICK, "n_intervals"),
    State(CURSOR, "data"),
    State(PAGE_VISIBLE_ID, "data"),
    prevent_initial_call=True,
)
def show(*given: Any) -> tuple[Any, ...]:
    """The window that is chosen, and what has come since while somebody looks."""
    asked, seen, visible = given[: len(HELD)], given[-2], given[-1]
    nothing = (no_update,) * (len(SHOWN) + len(parts.CHARTS) + 2)
    if ctx.triggered_id == TICK:
        if visible is False:
            return nothing
        with snapshot() as session:
            # Of the choice, too: where one is made and this comes before its answer, Dash throws that answer away.
            if [reading.cursor(session, current_actor()), _choice(asked)] == seen:
                return nothing
    found, wrong = _read(asked)
    figures = parts.charts(found)
    told = [found.cursor, _choice(asked)]
    return *_shown(found, asked), *(figures[name] for name in parts.CHARTS), told, wrong


@page.callback(
    Output(RANGE, "options"),
    Output(RANGE, "value"),
    Output(FROM, "data"),
    Output(TO, "data"),
    Input(ZOOM, "data"),
    prevent_initial_call=True,
)
def choose_time(drawn: Any) -> tuple[Any, ...]:
    """Take the time that was drawn across in a chart as the range of the page."""
    low, high = (drawn.get(name) if isinstance(drawn, dict) else None for name in ("low", "high"))
    if not all(isinstance(value, int | float) for value in (low, high)):
        return (no_update,) * 4
    try:
        window = windows.between(*(datetime.fromtimestamp(float(value) / 1000, UTC) for value in (low, high)))  # type: ignore[arg-type]
    except (ValueError, OverflowError, OSError) as error:
        raise Invalid("The range must lie between an hour and a year.", field="range") from error
    return range_options(CUSTOM), CUSTOM, *(stamp(moment) for moment in (window.begin, window.end))


@page.callback(
    Output(SORT, "value"),
    presses(parts.SORT_BY),
    prevent_initial_call=True,
)
def sort_by(press: Any) -> Any:
    """Sort the routes by the header that was pressed."""
    word = text_in(press, "word")
    return word if word in parts.SORTS else no_update


@page.callback(
    Output(ROUTE, "data"),
    Output(CHIP, "children"),
    presses(parts.PICK),
    Input(ALL_ROUTES, "n_clicks"),
    State(ROUTE, "data"),
    prevent_initial_call=True,
)
def pick(press: Any, back: Any, picked: Any) -> tuple[Any, Any]:
    """Show one route alone, or all of them again."""
    if ctx.triggered_id == ALL_ROUTES:
        return (None, _chip(None)) if back else (no_update, no_update)
    label = text_in(press, "label", LONGEST_LABEL)
    if label is None:
        return no_update, no_update
    route = None if label == picked else label
    return route, _chip(route)
