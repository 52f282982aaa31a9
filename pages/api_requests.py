"""The log of requests to the API: found by time, route, status, key, address and how long they took."""

from collections.abc import Sequence
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, html, no_update
from dash.development.base_component import Component

from components.grid import column, data_grid, number_column
from components.icons import icon
from components.shell import page_header
from components.toasts import TOASTS_ID, toast
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _request_drawer as drawer
from pages._api_range import LOG, METRICS, held, range_options, window_of
from pages._page import register_page
from services.api_metrics.windows import CUSTOM, DEFAULT, SPANS
from services.api_requests import exporting, log
from services.api_requests.log import Entry
from services.api_requests.routes import shown
from services.api_requests.wanted import CLASSES, FAILED, NO_KEY, Wanted, place_of, wanted, words_of
from services.errors import Invalid, NotFound
from web.identity import current_actor

page = register_page(__name__, path=LOG, title="Request log", permission=Permission.VIEW_API_METRICS)

GRID, ASKED, ANSWER, NOWHERE, WRONG, CSV, DOWNLOAD, AGAIN, OPEN, NAMES = (
    f"requests-{word}"
    for word in ("grid", "asked", "answer", "nowhere", "wrong", "csv", "download", "again", "open", "names")
)
# What the address holds, and the ids of the fields.
FILTERS = {
    name: f"requests-filter-{name}"
    for name in ("range", "from", "to", "endpoint", "method", "status", "key", "address", "slower")
}
IN_STORES = ("from", "to")
ALL_OF_THEM = "all"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


@page.layout
def layout(request: str = "", **given: str) -> Component:
    """The filters that the address asks for and an empty grid; the grid asks for its rows."""
    asked = {name: str(given.get(name) or "")[:300] for name in FILTERS}
    asked["range"] = asked["range"] if asked["range"] in {*SPANS, CUSTOM} else DEFAULT
    return html.Div(
        [
            page_header(
                "Request log",
                breadcrumbs=[("API metrics", METRICS)],
                actions=[_button(AGAIN, "Refresh", "arrow-clockwise"), _button(CSV, "CSV", "download")],
            ),
            _toolbar(asked),
            html.Div(id=WRONG, className="form-error", role="alert"),
            data_grid(
                GRID,
                _columns(),
                label="Requests",
                page_size=log.PAGE,
                empty_text="No request matches. Choose a longer range, or fewer filters.",
                options={"suppressFieldDotNotation": True},
            ),
            *(held(FILTERS[name], asked[name]) for name in IN_STORES),
            dcc.Store(id=ASKED),
            dcc.Store(id=ANSWER),
            dcc.Store(id=NOWHERE),
            dcc.Store(id=OPEN),
            dcc.Store(id=NAMES, data=list(FILTERS)),
            dcc.Store(id=f"{GRID}-id", data=GRID),
            dcc.Download(id=DOWNLOAD),
            drawer.drawer(_opened(request, asked)),
        ],
        className="page-fill",
    )


def _opened(request: str, asked: dict[str, str]) -> list[Component] | None:
    """What the drawer shows at once, where the address names a request that is still there."""
    if not (request.isascii() and request.isdigit() and len(request) < 16):
        return None
    try:
        with snapshot() as session:
            return drawer.body_of(log.one(session, current_actor(), int(request)), asked)
    except NotFound:
        return [html.P("This request is kept no longer.", className="muted")]


def _columns() -> list[dict[str, Any]]:
    plain: dict[str, Any] = {"sortable": False, "filter": "none"}
    return [
        column(
            "time", "Time", cellRenderer="OpenCell", cellRendererParams={"format": "second", "store": OPEN},
            tooltipField=None, width=168, pinned="left", **plain,
        ),
        column("status", "Status", cellRenderer="HttpStatusCell", tooltipField=None, width=76, **plain),
        column("route", "Route", minWidth=232, flex=3, **plain),
        number_column("milliseconds", "Took, ms", digits=1, width=96, **plain),
        column("key", "Key", minWidth=150, flex=1, **plain),
        column("address", "Address", minWidth=120, flex=1, **plain),
        number_column("received", "In, bytes", digits=0, width=84, **plain),
        number_column("sent", "Out, bytes", digits=0, width=92, **plain),
        column("sample", "Bodies", width=80, minWidth=72, **plain),
    ]  # fmt: skip


def _toolbar(asked: dict[str, str]) -> Component:
    with snapshot() as session:
        actor = current_actor()
        routes, statuses = log.routes(session, actor), log.statuses(session, actor)
        number = int(asked["key"]) if asked["key"].isdigit() and len(asked["key"]) < 10 else None
        keys = log.keys(session, actor, also=number)
    key_words = {NO_KEY: "Without a key"} | {str(number): f"{name} of {owner}" for number, name, owner in keys}
    words = {FAILED: "Failed"} | dict.fromkeys(CLASSES, "") | {str(status): "" for status in statuses}
    address = dbc.Input(
        id=FILTERS["address"], type="search", value=asked["address"], placeholder="Address", debounce=300, maxlength=60
    )
    slower = dbc.Input(
        id=FILTERS["slower"], type="text", inputmode="decimal", value=asked["slower"], placeholder="Slower than, ms",
        debounce=300, maxlength=12,
    )  # fmt: skip
    spans = dbc.Select(id=FILTERS["range"], value=asked["range"], options=range_options(asked["range"]))
    return html.Div(
        [
            _labelled("range", "Range", spans),
            _labelled("method", "Method", _choice("method", asked, "All methods", dict.fromkeys(METHODS, ""))),
            _labelled(
                "endpoint", "Route", _choice("endpoint", asked, "All routes", {route: shown(route) for route in routes})
            ),
            _labelled("status", "Status", _choice("status", asked, "All statuses", words)),
            _labelled("key", "Key", _choice("key", asked, "All keys", key_words)),
            _labelled("address", "Address", address),
            _labelled("slower", "Slower than so many milliseconds", slower),
        ],
        className="inline-controls toolbar-spaced request-filters",
    )


def _button(id: str, label: str, name: Any) -> Component:
    return html.Button([icon(name), label], id=id, type="button", className="btn btn-outline-secondary")


def _labelled(name: str, label: str, control: Component) -> Component:
    return html.Div([dbc.Label(label, html_for=FILTERS[name], class_name="visually-hidden"), control])


def _choice(name: str, asked: dict[str, str], label: str, words: dict[str, str]) -> Component:
    known = words if not asked[name] or asked[name] in words else {**words, asked[name]: ""}
    options = [{"value": value, "label": text or value} for value, text in known.items()]
    made: Component = dbc.Select(
        id=FILTERS[name], value=asked[name] or ALL_OF_THEM, options=[{"value": ALL_OF_THEM, "label": label}, *options]
    )
    return made


def _asked(given: Sequence[Any]) -> Wanted:
    """What the fields ask for, or what is wrong with one of them."""
    words = [value if isinstance(value, str) and value != ALL_OF_THEM else "" for value in given]
    asked = dict(zip(FILTERS, words, strict=True))
    window = window_of(asked.pop("range"), asked.pop("from"), asked.pop("to"))
    return wanted(since=window.begin, until=window.end, **asked)


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "time": entry.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "status": entry.status,
        "route": f"{entry.method} {shown(entry.endpoint)}",
        "milliseconds": entry.milliseconds,
        "key": f"{entry.key} of {entry.owner}" if entry.key else None,
        "address": entry.address,
        "received": entry.received,
        "sent": entry.sent,
        "sample": "kept" if entry.has_sample else None,
    }


_STATES = [State(id, "data" if name in IN_STORES else "value") for name, id in FILTERS.items()]


@page.callback(
    Output(ANSWER, "data"),
    Output(WRONG, "children"),
    Input(ASKED, "data"),
    *_STATES,
    prevent_initial_call=True,
    failure=({"rowData": [], "rowCount": 0}, no_update),
)
def rows(request: Any, *given: Any) -> Any:
    """One page of rows, and where the next begins."""
    if not isinstance(request, dict):
        return no_update, no_update
    number, first = request.get("asked"), request.get("startRow")
    first = first if type(first) is int and 0 <= first < 2**31 else 0
    after = request.get("after")
    place = place_of(*after) if isinstance(after, list) and len(after) == 2 else None
    try:
        asked = _asked(given)
    except Invalid as error:
        return {"asked": number, "rowData": [], "rowCount": 0}, str(error)
    with snapshot() as session:
        found, following = log.page(session, current_actor(), asked, after=place)
    answer: dict[str, Any] = {"asked": number, "rowData": [_shown(entry) for entry in found]}
    if following is None:
        return {**answer, "rowCount": first + len(found)}, ""
    return {**answer, "following": words_of(following), "upto": first + len(found)}, ""


@page.callback(
    Output(drawer.DRAWER, "is_open"),
    Output(drawer.BODY, "children"),
    Input(OPEN, "data"),
    *_STATES[:3],
    prevent_initial_call=True,
)
def open_drawer(pressed: Any, *times: Any) -> tuple[Any, Any]:
    """All that was kept of one request."""
    number = pressed.get("id") if isinstance(pressed, dict) else None
    if not (isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 16):
        return no_update, no_update
    with snapshot() as session:
        found = log.one(session, current_actor(), int(number))
    return True, drawer.body_of(found, dict(zip(FILTERS, times, strict=False)))


@page.callback(
    Output(DOWNLOAD, "data"),
    Input(CSV, "n_clicks"),
    *_STATES,
    prevent_initial_call=True,
    sudo=True,
    export=True,
)
def export(clicks: Any, *given: Any) -> Any:
    """The requests that match, as a file."""
    if not clicks:
        return no_update
    asked = _asked(given)
    with transaction() as session:
        content, count, cut = exporting.as_csv(session, current_actor(), asked)
    if cut:
        told = f"The file holds the newest {count:,} requests; narrow the filters for the rest."
        dash.set_props(TOASTS_ID, {"data": toast("warning", told)})
    return {"content": content, "filename": "requests.csv", "type": "text/csv"}


clientside_callback(
    ClientsideFunction("pfd", "ask_requests"),
    Output(ASKED, "data"),
    Input(GRID, "getRowsRequest"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("pfd", "fill_requests"),
    Output(NOWHERE, "data", allow_duplicate=True),
    Input(ANSWER, "data"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("pfd", "refetch_requests"),
    Output(NOWHERE, "data", allow_duplicate=True),
    *(Input(id, "data" if name in IN_STORES else "value") for name, id in FILTERS.items()),
    Input(AGAIN, "n_clicks"),
    State(f"{GRID}-id", "data"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("pfd", "keep_filters"),
    *(Input(id, "data" if name in IN_STORES else "value") for name, id in FILTERS.items()),
    State(NAMES, "data"),
    prevent_initial_call=True,
)
