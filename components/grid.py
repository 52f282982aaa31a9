"""Tables: AG Grid that asks the server for the rows it shows, and the columns we use in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import dash_ag_grid as dag
from dash import html

from components.attributes import attributes
from components.icons import IconName

Column = dict[str, Any]
Filter = Literal["text", "number", "date", "none"]

_FILTERS: dict[Filter, Any] = {
    "text": "agTextColumnFilter",
    "number": "agNumberColumnFilter",
    "date": "agDateColumnFilter",
    "none": False,
}


@dataclass(frozen=True)
class RowAction:
    """An entry of a row's menu; `when` names the statuses that offer it, none means always."""

    key: str
    label: str
    icon: IconName = "chevron-right"
    danger: bool = False
    when: Sequence[str] = field(default_factory=tuple)


def data_grid(
    id: str | Mapping[str, str | int],
    columns: Sequence[Column],
    *,
    label: str,
    selectable: bool = False,
    height: str = "fill",
    page_size: int = 100,
    empty_text: str = "No rows match.",
    filters: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> html.Div:
    """A grid of the infinite row model: answer `getRowsRequest` with `getRowsResponse`; rows need a text `id`.

    Where it may be that there are none, `ask_rows` and `fill_rows` (grid-rows.js) stand between the two.
    """
    grid_options: dict[str, Any] = {
        **_common_options(empty_text),
        "cacheBlockSize": page_size,
        "maxBlocksInCache": 20,
        # A second request would take the answer of the first away from Dash, and its block would never fill.
        "maxConcurrentDatasourceRequests": 1,
        "blockLoadDebounceMillis": 60,
        "infiniteInitialRowCount": 1,
        **(_selection(selectable)),
        **(options or {}),
    }
    return _region(
        dag.AgGrid(
            id=id,
            columnDefs=list(columns),
            defaultColDef=_column_defaults(),
            rowModelType="infinite",
            filterModel=dict(filters or {}),
            getRowId="params.data.id",
            dashGridOptions=grid_options,
            className="grid-table",
            style={"height": None, "width": None},
        ),
        label,
        height,
    )


def static_grid(
    id: str | Mapping[str, str | int],
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    label: str,
    height: str = "auto",
    empty_text: str = "No rows.",
    options: Mapping[str, Any] | None = None,
) -> html.Div:
    """A grid of rows that are all here, such as the epochs of one experiment."""
    grid_options: dict[str, Any] = {**_common_options(empty_text), **(options or {})}
    if height == "auto":
        grid_options["domLayout"] = "autoHeight"
    return _region(
        dag.AgGrid(
            id=id,
            columnDefs=list(columns),
            defaultColDef=_column_defaults(),
            rowData=[dict(row) for row in rows],
            dashGridOptions=grid_options,
            className="grid-table",
            style={"height": None, "width": None},
        ),
        label,
        height,
    )


def _common_options(empty_text: str) -> dict[str, Any]:
    return {
        "theme": {"function": "pfdTheme(themeQuartz)"},
        "headerHeight": 36,
        "animateRows": False,
        "suppressCellFocus": False,
        "enableCellTextSelection": True,
        "suppressDragLeaveHidesColumns": True,
        "tooltipShowDelay": 500,
        # A template would be HTML, which dash-ag-grid refuses to evaluate; this is plain text.
        "localeText": {"noRowsToShow": empty_text, "noMatchingRows": empty_text},
    }


def _selection(selectable: bool) -> dict[str, Any]:
    if not selectable:
        return {}
    return {
        "rowSelection": {"mode": "multiRow", "checkboxes": True, "headerCheckbox": False, "enableClickSelection": False}
    }


def _column_defaults() -> Column:
    return {
        "sortable": True,
        "resizable": True,
        "filter": False,
        "minWidth": 80,
        "suppressHeaderMenuButton": False,
        "wrapHeaderText": True,
    }


def _region(grid: dag.AgGrid, label: str, height: str) -> html.Div:
    return html.Div(grid, className=f"grid grid-{height}", role="region", **attributes({"aria-label": label}))


def column(field: str, header: str, *, filter: Filter = "text", **more: Any) -> Column:
    """A column of text; `more` is AG Grid's own column definition."""
    definition: Column = {"field": field, "headerName": header, "tooltipField": field, **more}
    if "cellRenderer" not in more:
        definition["valueFormatter"] = {"function": "orDash(params)"}
    if filter != "none":
        definition["filter"] = _FILTERS[filter]
        definition["filterParams"] = {"maxNumConditions": 1, "buttons": ["reset"], "debounceMs": 300}
        if filter == "number":  # a measured number hardly ever equals what one types
            definition["filterParams"]["defaultOption"] = "greaterThanOrEqual"
    return definition


def link_column(
    field: str, header: str, *, href_field: str = "href", sub_field: str | None = None, **more: Any
) -> Column:
    """A name that opens its page, and under it what it is part of."""
    options = {"minWidth": 180, "flex": 2, **more}
    params = {"hrefField": href_field, "subField": sub_field}
    return column(field, header, cellRenderer="LinkCell", cellRendererParams=params, **options)


def status_column(field: str = "status", header: str = "Status", **more: Any) -> Column:
    """Status as icon and word."""
    return column(field, header, cellRenderer="StatusCell", tooltipField=None, **{"width": 132, "minWidth": 44, **more})


def tags_column(field: str = "tags", header: str = "Tags", **more: Any) -> Column:
    """A list of tags as chips."""
    options = {"minWidth": 140, "flex": 1, "sortable": False, **more}
    return column(field, header, cellRenderer="TagsCell", tooltipField=None, **options)


def time_column(field: str, header: str, *, format: str = "relative", **more: Any) -> Column:
    """An ISO time in UTC, shown in the viewer's zone."""
    options = {"width": 140, "filter": "date", "tooltipField": None, **more}
    return column(field, header, cellRenderer="TimeCell", cellRendererParams={"format": format}, **options)


def duration_column(field: str, header: str = "Duration", **more: Any) -> Column:
    """Seconds as a span of time."""
    options = {"width": 116, "filter": "number", "type": "rightAligned", "tooltipField": None, **more}
    return column(field, header, cellRenderer="DurationCell", **options)


def number_column(field: str, header: str, *, digits: int = 4, **more: Any) -> Column:
    """A number in tabular figures, right-aligned; None is a dash, NaN and infinity have names."""
    options = {"width": 116, "filter": "number", "type": "rightAligned", "tooltipField": None, **more}
    return column(field, header, cellRenderer="NumberCell", cellRendererParams={"digits": digits}, **options)


def sparkline_column(field: str, header: str, **more: Any) -> Column:
    """A list of values as a small curve."""
    options = {"width": 128, "sortable": False, "filter": "none", "tooltipField": None, **more}
    return column(field, header, cellRenderer="SparklineCell", **options)


def actions_column(actions: Sequence[RowAction], *, name_field: str = "name") -> Column:
    """A menu of row actions; the grid's `cellRendererData` gives `{"value": {"action": key, "id": …}, "rowId": …}`."""
    return {
        "colId": "actions",
        "headerName": "",
        "cellRenderer": "ActionsCell",
        "cellRendererParams": {
            "nameField": name_field,
            "actions": [
                {"key": a.key, "label": a.label, "icon": a.icon, "danger": a.danger, "when": list(a.when)}
                for a in actions
            ],
        },
        "width": 56,
        "minWidth": 40,
        "pinned": "right",
        "sortable": False,
        "resizable": False,
        "suppressHeaderMenuButton": True,
        "lockPosition": "right",
        "cellClass": "grid-actions",
        "headerTooltip": "Actions",
    }
