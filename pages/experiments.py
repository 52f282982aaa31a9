"""The experiment list: found, sorted and filtered in SQL, acted on one by one or many at once."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, html, no_update
from dash.development.base_component import Component

from components.grid import (
    Column,
    actions_column,
    column,
    data_grid,
    duration_column,
    link_column,
    number_column,
    status_column,
    tags_column,
    time_column,
)
from components.icons import icon
from components.shell import PAGE_VISIBLE_ID, page_header
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _experiment_actions as acts
from pages._experiment_query import (
    DEFAULT_COLUMNS,
    STATUS_CHOICES,
    columns_from,
    filters_from,
    query_from,
    sort_asked,
    sort_from,
)
from pages._page import register_page
from services.experiments import exporting, listing, options
from web.identity import current_actor

page = register_page(__name__, path="/experiments", title="Experiments", permission=Permission.VIEW_EXPERIMENTS)

GRID, SEARCH, STATUS, COLUMNS = "experiments-grid", "experiments-search", "experiments-status", "experiments-columns"
COUNT, TICK, VERSION, QUERY = "experiments-count", "experiments-tick", "experiments-version", "experiments-query"
EXPORT, DOWNLOAD = "experiments-export", "experiments-download"
CHOOSER, CHOOSE = "experiments-chooser", "experiments-choose"
KIND, NAME, ADD, CHOSEN = "experiments-kind", "experiments-column-name", "experiments-add", "experiments-chosen"
SORT, DEFAULTS, NOWHERE = "experiments-sort", "experiments-defaults", "experiments-nowhere"
POLL_MILLISECONDS = 5000

WORDS = {"max": "highest", "min": "lowest", "last": "last"}


@page.layout
def layout(
    q: str = "",
    status: str = "all",
    columns: str | None = None,
    sort: str | None = None,
    filter: str | None = None,  # the address's own word
    **_: str,
) -> Component:
    """Controls and an empty grid; the grid asks for its rows."""
    chosen = columns_from(columns)
    order = sort_from(sort, chosen)
    actor = current_actor()
    with snapshot() as session:
        version = options.version(session, actor)
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
                                    {"label": "All statuses" if word == "all" else word.capitalize(), "value": word}
                                    for word in STATUS_CHOICES
                                ],
                            ),
                        ]
                    ),
                    html.Div(acts.bulk_bar(actor), className="toolbar-end"),
                ],
                className="toolbar",
            ),
            data_grid(
                GRID,
                _column_definitions(chosen, may_edit, order),
                label="Experiments",
                selectable=True,
                filters=filters_from(filter, chosen),
                empty_text="Nothing here. Clear search and filters, or bring runs in with: pfd import",
                options={
                    "suppressFieldDotNotation": True,
                    "selectionColumnDef": {"pinned": "left", "width": 44},
                    "multiSortKey": None,
                    "alwaysMultiSort": False,
                },
            ),
            dcc.Store(id=COLUMNS, data=list(chosen)),
            dcc.Store(id=QUERY, data=_asked(q, status, chosen)),
            dcc.Store(id=VERSION, data=version),
            dcc.Store(id=SORT, data=order),
            dcc.Store(id=DEFAULTS, data=list(DEFAULT_COLUMNS)),
            dcc.Store(id=NOWHERE),
            dcc.Store(id=f"{GRID}-id", data=GRID),
            dcc.Interval(id=TICK, interval=POLL_MILLISECONDS),
            dcc.Download(id=DOWNLOAD),
            _chooser(),
            *acts.dialogs(),
        ],
        className="page-fill",
    )


def _header_actions(actor: Any) -> list[Component]:
    buttons: list[Component] = [
        html.Button([icon("columns-gap"), "Columns"], id=CHOOSE, type="button", className="btn btn-outline-secondary")
    ]
    if actor.may(Permission.EXPORT_RESULTS):
        buttons.append(
            html.Button([icon("download"), "CSV"], id=EXPORT, type="button", className="btn btn-outline-secondary")
        )
    return buttons


def _column_definitions(extra: tuple[str, ...], may_edit: bool, order: str) -> list[Column]:
    definitions = [
        link_column("name", "Name", filter="text", width=250, flex=None, pinned="left", lockPinned=True),
        status_column(filter="none", width=120),
        *[_extra_column(name) for name in extra],
        duration_column("duration", "Duration", width=106),
        column("group", "Group", width=130),
        tags_column(minWidth=150),
        number_column("epochs", "Epochs", digits=0, width=92),
        column("model", "Model", width=150),
        column("dataset", "Dataset", width=150),
        column("owner", "Owner", width=110),
        time_column("created", "Created", width=130),
        actions_column(acts.row_actions(may_edit)),
    ]
    for definition in definitions:
        if definition.get("field") == order.removeprefix("-"):
            definition["sort"] = "desc" if order.startswith("-") else "asc"
    return definitions


def _extra_column(name: str) -> Column:
    if name.startswith("metric:"):
        _, which, key = name.split(":", 2)
        return number_column(name, f"{which} {key}", width=148, headerTooltip=f"{WORDS[which]} {key}")
    return column(name, name.removeprefix("param:"), width=120, headerTooltip=name)


def _chooser() -> dbc.Modal:
    field = "form-field"
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Columns"), close_button=True),
            dbc.ModalBody(
                [
                    html.Div(
                        [
                            dbc.Label("Show", html_for=KIND),
                            dbc.Select(
                                id=KIND,
                                value="max",
                                options=[
                                    {"label": "Highest value of a metric", "value": "max"},
                                    {"label": "Lowest value of a metric", "value": "min"},
                                    {"label": "Last value of a metric", "value": "last"},
                                    {"label": "Hyper-parameter", "value": "param"},
                                ],
                            ),
                        ],
                        className=field,
                    ),
                    html.Div([dbc.Label("Name", html_for=NAME), dbc.Select(id=NAME, options=[])], className=field),
                    html.Button([icon("plus-lg"), "Add column"], id=ADD, type="button", className="btn btn-primary"),
                    html.Fieldset(
                        [
                            html.Legend("Shown", className="form-label"),
                            dbc.Checklist(id=CHOSEN, options=[], value=[]),
                        ],
                        className=field,
                    ),
                ],
                className="dialog-form",
            ),
        ],
        id=CHOOSER,
        is_open=False,
    )


@page.callback(
    Output(GRID, "getRowsResponse"),
    Output(SORT, "data"),
    Input(GRID, "getRowsRequest"),
    State(SEARCH, "value"),
    State(STATUS, "value"),
    State(COLUMNS, "data"),
    State(SORT, "data"),
    prevent_initial_call=True,
    failure=({"rowData": [], "rowCount": 0}, no_update),
)
def rows(request: Any, text: Any, status: Any, columns: Any, order: Any) -> Any:
    """One block of rows; how many there are in all is another question, asked once."""
    if not request:
        return no_update, no_update
    query = query_from(request, text, status, columns)
    with snapshot() as session:
        found = listing.list_rows(session, current_actor(), query)
    shown = [
        {**row, "href": f"/experiments/{row['id']}", "tags": [tag["name"] for tag in row["tags"]]} for row in found.rows
    ]
    response: dict[str, Any] = {"rowData": shown}
    if not found.has_more:
        response["rowCount"] = query.offset + len(shown)
    asked = sort_asked(request)
    return response, no_update if asked == order else asked


@page.callback(
    Output(COUNT, "children"),
    Output(QUERY, "data"),
    Input(SEARCH, "value"),
    Input(STATUS, "value"),
    Input(COLUMNS, "data"),
    Input(GRID, "filterModel"),
    Input(VERSION, "data"),
    Input(acts.DONE, "data"),
    State(QUERY, "data"),
)
def count(
    text: Any, status: Any, columns: Any, filter_model: Any, _version: Any, _done: Any, before: Any
) -> tuple[Any, Any]:
    """How many match; and what was asked, where it changed, since that empties the grid."""
    query = query_from(None, text, status, columns, filter_model if isinstance(filter_model, dict) else {})
    actor = current_actor()
    with snapshot() as session:
        number = listing.count(session, actor, query)
    word = "experiment" if number == 1 else "experiments"
    asked = _asked(text, status, columns)
    return f"{number:,} {word}", no_update if asked == before else asked


def _asked(text: Any, status: Any, columns: Any) -> list[Any]:
    return [
        text if isinstance(text, str) else "",
        status if status in STATUS_CHOICES else "all",
        [*columns_from(columns)],
    ]


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


@page.callback(Output(GRID, "columnDefs"), Input(COLUMNS, "data"), State(SORT, "data"), prevent_initial_call=True)
def set_columns(columns: Any, order: Any) -> list[Column]:
    """The grid's columns, sorted as they were."""
    chosen = columns_from(columns)
    may_edit = current_actor().may(Permission.CREATE_EXPERIMENTS)
    return _column_definitions(chosen, may_edit, sort_from(order, chosen))


@page.callback(
    Output(CHOOSER, "is_open"),
    Output(NAME, "options"),
    Output(NAME, "value"),
    Output(CHOSEN, "options"),
    Output(CHOSEN, "value"),
    Input(CHOOSE, "n_clicks"),
    Input(KIND, "value"),
    State(COLUMNS, "data"),
    prevent_initial_call=True,
)
def choose(_clicks: Any, kind: Any, columns: Any) -> tuple[Any, ...]:
    """Offer the metrics or hyper-parameters that there are."""
    actor = current_actor()
    with snapshot() as session:
        names = options.param_names(session, actor) if kind == "param" else options.metric_names(session, actor)
    chosen = columns_from(columns)
    shown = [{"label": _label(name), "value": name} for name in chosen]
    return True, names, names[0] if names else None, shown, list(chosen)


def _label(name: str) -> str:
    if name.startswith("param:"):
        return f"{name.removeprefix('param:')} (hyper-parameter)"
    _, which, key = name.split(":", 2)
    return f"{key} ({WORDS[which]})"


@page.callback(
    Output(COLUMNS, "data"),
    Output(CHOSEN, "options", allow_duplicate=True),
    Output(CHOSEN, "value", allow_duplicate=True),
    Input(ADD, "n_clicks"),
    Input(CHOSEN, "value"),
    State(KIND, "value"),
    State(NAME, "value"),
    State(COLUMNS, "data"),
    prevent_initial_call=True,
)
def change_columns(_add: Any, kept: Any, kind: Any, name: Any, columns: Any) -> tuple[Any, ...]:
    """Add the named column, or take away those no longer ticked."""
    from dash import ctx

    before = columns_from(columns)
    if ctx.triggered_id == ADD:
        if not isinstance(name, str) or not name:
            return no_update, no_update, no_update
        wanted = f"param:{name}" if kind == "param" else f"metric:{kind}:{name}"
        after = columns_from([*before, wanted])
    else:
        after = tuple(item for item in before if isinstance(kept, list) and item in kept)
    if after == before:
        return no_update, no_update, no_update
    return list(after), [{"label": _label(item), "value": item} for item in after], list(after)


@page.callback(
    Output(DOWNLOAD, "data"),
    Input(EXPORT, "n_clicks"),
    State(GRID, "filterModel"),
    State(SEARCH, "value"),
    State(STATUS, "value"),
    State(COLUMNS, "data"),
    permission=Permission.EXPORT_RESULTS,
    prevent_initial_call=True,
)
def export(clicks: Any, filter_model: Any, text: Any, status: Any, columns: Any) -> Any:
    """The filtered list as CSV."""
    if not clicks:
        return no_update
    query = query_from(None, text, status, columns, filter_model if isinstance(filter_model, dict) else {})
    with transaction() as session:
        content, number, cut = exporting.list_as_csv(session, current_actor(), query)
    if cut:
        acts.say("warning", f"The file holds the first {number:,} experiments; narrow the filter for the rest.")
    return {"content": content, "filename": "experiments.csv", "type": "text/csv"}


acts.register(page, GRID)

for function, trigger in (("refetch", QUERY), ("refresh_rows", VERSION), ("refresh_after", acts.DONE)):
    clientside_callback(
        ClientsideFunction("pfd", function),
        Output(NOWHERE, "data", allow_duplicate=True),
        Input(trigger, "data"),
        State(f"{GRID}-id", "data"),
        prevent_initial_call=True,
    )
clientside_callback(
    ClientsideFunction("pfd", "fit_grid"),
    Output(NOWHERE, "data", allow_duplicate=True),
    Input(f"{GRID}-id", "data"),
    prevent_initial_call="initial_duplicate",
)
clientside_callback(
    ClientsideFunction("pfd", "keep_address"),
    Output(NOWHERE, "data"),
    Input(SEARCH, "value"),
    Input(STATUS, "value"),
    Input(COLUMNS, "data"),
    Input(GRID, "filterModel"),
    Input(SORT, "data"),
    State(DEFAULTS, "data"),
    prevent_initial_call=True,
)
