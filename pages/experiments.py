"""The experiment list: found, sorted and filtered in SQL, acted on one by one or many at once."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.feedback import empty_state
from components.grid import data_grid
from components.icons import icon
from components.shell import PAGE_VISIBLE_ID, page_header
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _experiment_actions as acts
from pages import _experiment_columns as cols
from pages._experiment_query import (
    DEFAULT_COLUMNS,
    DEFAULT_FIELDS,
    STATUS_CHOICES,
    STATUS_LABELS,
    columns_from,
    fields_from,
    filters_from,
    query_from,
    sort_asked,
    sort_from,
)
from pages._page import register_page
from services.experiments import exporting, listing, options
from services.experiments.editing import MOST_AT_ONCE
from web.identity import current_actor

page = register_page(__name__, path="/experiments", title="Experiments", permission=Permission.VIEW_EXPERIMENTS)

GRID, SEARCH, STATUS = "experiments-grid", "experiments-search", "experiments-status"
COUNT, TICK, VERSION = "experiments-count", "experiments-tick", "experiments-version"
ASKED, ANSWER, ZONE = "experiments-asked", "experiments-answer", "experiments-zone"
EXPORT, DOWNLOAD = "experiments-export", "experiments-download"
DEFAULTS, NOWHERE, NOTHING, CLEAR = (f"experiments-{word}" for word in ("defaults", "nowhere", "nothing", "clear"))
POLL_MILLISECONDS = 5000


@page.layout
def layout(
    q: str = "",
    status: str = "all",
    columns: str | None = None,
    sort: str | None = None,
    filter: str | None = None,  # the address's own word
    fields: str | None = None,
    **_: str,
) -> Component:
    """Controls and an empty grid; the grid asks for its rows."""
    actor = current_actor()
    with snapshot() as session:
        version = options.version(session, actor)
        at_first = options.default_columns(session, actor) or DEFAULT_COLUMNS
    chosen = at_first if columns is None else columns_from(columns)
    order, shown = sort_from(sort, chosen), fields_from(fields)
    status = status if status in STATUS_CHOICES else "all"
    may_edit = actor.may(Permission.CREATE_EXPERIMENTS)
    return html.Div(
        [
            page_header("Experiments", subtitle=html.Span(id=COUNT, className="num"), actions=_header_actions(actor)),
            html.Div(
                [
                    html.Div(
                        [
                            dbc.Label("Search", html_for=SEARCH, class_name="visually-hidden"),
                            dbc.Input(
                                id=SEARCH,
                                type="search",
                                value=q[:200],
                                placeholder="Search names, models, notes",
                                debounce=300,
                                maxlength=200,
                            ),
                        ],
                        className="toolbar-search",
                    ),
                    html.Div(
                        [
                            dbc.Label("Status", html_for=STATUS, class_name="visually-hidden"),
                            dbc.Select(
                                id=STATUS,
                                value=status,
                                options=[
                                    {"label": STATUS_LABELS.get(word, word.capitalize()), "value": word}
                                    for word in STATUS_CHOICES
                                ],
                            ),
                        ]
                    ),
                    html.Div(acts.bulk_bar(actor), className="toolbar-end"),
                ],
                className="toolbar",
            ),
            html.Div(
                [
                    data_grid(
                        GRID,
                        cols.definitions(chosen, shown, order, may_edit=may_edit, deleted=status == "deleted"),
                        label="Experiments",
                        selectable=True,
                        filters=filters_from(filter, chosen),
                        options={
                            "suppressFieldDotNotation": True,
                            "selectionColumnDef": {"pinned": "left", "width": 44, "minWidth": 32},
                            "multiSortKey": None,
                            "alwaysMultiSort": False,
                            "suppressNoRowsOverlay": True,  # what is said instead has a button
                        },
                    ),
                    html.Div(id=NOTHING, className="grid-nothing"),
                ],
                className="grid-or-nothing",
            ),
            dcc.Store(id=cols.COLUMNS, data=list(chosen)),
            dcc.Store(id=cols.SHOWN, data=list(shown)),
            dcc.Store(id=VERSION, data=version),
            dcc.Store(id=cols.SORT, data=order),
            dcc.Store(id=DEFAULTS, data={"columns": list(at_first), "fields": list(DEFAULT_FIELDS)}),
            dcc.Store(id=ASKED),
            dcc.Store(id=ANSWER),
            dcc.Store(id=ZONE),
            dcc.Store(id=NOWHERE),
            dcc.Store(id=f"{GRID}-id", data=GRID),
            dcc.Interval(id=TICK, interval=POLL_MILLISECONDS),
            dcc.Download(id=DOWNLOAD),
            cols.chooser(shown),
            *acts.dialogs(),
        ],
        className="page-fill",
    )


def _header_actions(actor: Any) -> list[Component]:
    buttons: list[Component] = [
        html.Button(
            [icon("columns-gap"), "Columns"], id=cols.CHOOSE, type="button", className="btn btn-outline-secondary"
        )
    ]
    if actor.may(Permission.EXPORT_RESULTS):
        buttons.append(
            html.Button([icon("download"), "CSV"], id=EXPORT, type="button", className="btn btn-outline-secondary")
        )
    return buttons


@page.callback(
    Output(ANSWER, "data"),
    Output(cols.SORT, "data"),
    Input(ASKED, "data"),
    State(SEARCH, "value"),
    State(STATUS, "value"),
    State(cols.COLUMNS, "data"),
    State(cols.SORT, "data"),
    State(ZONE, "data"),
    prevent_initial_call=True,
    failure=({"rowData": [], "rowCount": 0}, no_update),
)
def rows(request: Any, text: Any, status: Any, columns: Any, order: Any, zone: Any) -> Any:
    """One block of rows; how many there are in all is another question, asked once."""
    if not request:
        return no_update, no_update
    query = query_from(request, text, status, columns, zone=zone)
    with snapshot() as session:
        found = listing.list_rows(session, current_actor(), query)
    for row in found.rows:
        row["href"] = f"/experiments/{row['id']}"
    number = request.get("asked") if isinstance(request, dict) else None
    response: dict[str, Any] = {"asked": number, "rowData": found.rows}
    if not found.has_more:
        response["rowCount"] = query.offset + len(found.rows)
    asked = sort_asked(request)
    return response, no_update if asked == order else asked


@page.callback(
    Output(COUNT, "children"),
    Output(NOTHING, "children"),
    Input(SEARCH, "value"),
    Input(STATUS, "value"),
    Input(cols.COLUMNS, "data"),
    Input(GRID, "filterModel"),
    Input(VERSION, "data"),
    Input(acts.DONE, "data"),
    Input(ZONE, "data"),
)
def count(
    text: Any, status: Any, columns: Any, filter_model: Any, _version: Any, _done: Any, zone: Any
) -> tuple[str, Component | None]:
    """How many match, and what to do where none does."""
    filters = filter_model if isinstance(filter_model, dict) else {}
    query = query_from(None, text, status, columns, filters, zone=zone)
    actor = current_actor()
    with snapshot() as session:
        number = listing.count(session, actor, query)
    word = "experiment" if number == 1 else "experiments"
    return f"{number:,} {word}", None if number else _nothing(query)


def _nothing(query: listing.ListQuery) -> Component:
    """Whether none matches or none is there yet; the one needs a button, the other a command."""
    asked = query.text.strip() or query.filters
    words = "Clear search and filters" if asked else "Show all experiments"
    clear = html.Button(words, id=CLEAR, type="button", className="btn btn-outline-secondary")
    if asked:
        return empty_state("No experiment matches", "Nothing fits the search and the filters.", action=clear)
    if query.deleted:
        return empty_state("Nothing is deleted", action=clear)
    return empty_state(
        "No experiments yet",
        "Bring in the runs that you have. With --help each command says what it reads.",
        action=html.Pre(
            html.Code("pfd import tensorboard runs/\npfd import mlflow mlruns/\npfd import csv metrics.csv")
        ),
    )


@page.callback(
    Output(SEARCH, "value"),
    Output(STATUS, "value"),
    Output(GRID, "filterModel"),
    Input(CLEAR, "n_clicks"),
    prevent_initial_call=True,
)
def clear(clicks: Any) -> tuple[Any, Any, Any]:
    """Show all experiments again."""
    return ("", "all", {}) if clicks else (no_update, no_update, no_update)


@page.callback(
    Output(acts.ALL, "data"),
    Input(acts.SELECT_ALL, "n_clicks"),
    Input(GRID, "selectedRows"),
    State(acts.ALL, "data"),
    State(GRID, "filterModel"),
    State(SEARCH, "value"),
    State(STATUS, "value"),
    State(cols.COLUMNS, "data"),
    State(cols.SORT, "data"),
    State(ZONE, "data"),
    prevent_initial_call=True,
)
def select_all(
    clicks: Any,
    selected: Any,
    before: Any,
    filter_model: Any,
    text: Any,
    status: Any,
    columns: Any,
    order: Any,
    zone: Any,
) -> Any:
    """All that match, until the selection changes; the grid itself knows only the rows that it has loaded."""
    rows = acts.ids_from(selected)
    if ctx.triggered_id != acts.SELECT_ALL or not clicks:
        return no_update if isinstance(before, dict) and before.get("rows") == rows else None
    filters = filter_model if isinstance(filter_model, dict) else {}
    query = query_from(None, text, status, columns, filters, order or "", zone=zone)
    with snapshot() as session:
        ids = listing.ids_of(session, current_actor(), query, MOST_AT_ONCE + 1)
    if len(ids) > MOST_AT_ONCE:
        acts.say("info", f"The first {MOST_AT_ONCE:,} that match are selected: no more can be changed at once.")
    return {"ids": ids[:MOST_AT_ONCE], "rows": rows}


@page.callback(
    Output(VERSION, "data"),
    Input(TICK, "n_intervals"),
    State(VERSION, "data"),
    State(PAGE_VISIBLE_ID, "data"),
    prevent_initial_call=True,
)
def look_for_news(_tick: Any, seen: Any, visible: Any) -> Any:
    """Whether the list would look different by now; the rows themselves are asked for by the grid."""
    if visible is False:
        return no_update
    with snapshot() as session:
        version = options.version(session, current_actor())
    return no_update if version == seen else version


@page.callback(
    Output(DOWNLOAD, "data"),
    Input(EXPORT, "n_clicks"),
    State(GRID, "filterModel"),
    State(SEARCH, "value"),
    State(STATUS, "value"),
    State(cols.COLUMNS, "data"),
    State(cols.SORT, "data"),
    State(ZONE, "data"),
    permission=Permission.EXPORT_RESULTS,
    prevent_initial_call=True,
    export=True,
)
def export(clicks: Any, filter_model: Any, text: Any, status: Any, columns: Any, order: Any, zone: Any) -> Any:
    """The filtered list as CSV, in the order in which it is shown."""
    if not clicks:
        return no_update
    filters = filter_model if isinstance(filter_model, dict) else {}
    query = query_from(None, text, status, columns, filters, order or "", zone=zone)
    with transaction() as session:
        content, number, cut = exporting.list_as_csv(session, current_actor(), query)
    if cut:
        acts.say("warning", f"The file holds the first {number:,} experiments; narrow the filter for the rest.")
    return {"content": content, "filename": "experiments.csv", "type": "text/csv"}


acts.register(page, GRID)
cols.register(page, GRID, STATUS)

clientside_callback(
    ClientsideFunction("pfd", "ask_rows"),
    Output(ASKED, "data"),
    Input(GRID, "getRowsRequest"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("pfd", "fill_rows"),
    Output(NOWHERE, "data", allow_duplicate=True),
    Input(ANSWER, "data"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("pfd", "refetch"),
    Output(NOWHERE, "data", allow_duplicate=True),
    Input(SEARCH, "value"),
    Input(STATUS, "value"),
    Input(cols.COLUMNS, "data"),
    State(f"{GRID}-id", "data"),
    prevent_initial_call=True,
)
for function, trigger in (("refresh_rows", VERSION), ("refresh_after", acts.DONE)):
    clientside_callback(
        ClientsideFunction("pfd", function),
        Output(NOWHERE, "data", allow_duplicate=True),
        Input(trigger, "data"),
        State(f"{GRID}-id", "data"),
        prevent_initial_call=True,
    )
clientside_callback(
    ClientsideFunction("pfd", "clear_selection"),
    Output(NOWHERE, "data", allow_duplicate=True),
    Input(acts.UNSELECT, "n_clicks"),
    State(f"{GRID}-id", "data"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("pfd", "fit_grid"),
    Output(NOWHERE, "data", allow_duplicate=True),
    Input(f"{GRID}-id", "data"),
    prevent_initial_call="initial_duplicate",
)
clientside_callback(ClientsideFunction("pfd", "viewer_zone"), Output(ZONE, "data"), Input(f"{GRID}-id", "data"))
clientside_callback(
    ClientsideFunction("pfd", "keep_address"),
    Output(NOWHERE, "data"),
    Input(SEARCH, "value"),
    Input(STATUS, "value"),
    Input(cols.COLUMNS, "data"),
    Input(cols.SHOWN, "data"),
    Input(GRID, "filterModel"),
    Input(cols.SORT, "data"),
    State(DEFAULTS, "data"),
    prevent_initial_call=True,
)
