"""The one place where charts are made; nobody else writes `dcc.Graph`."""

from collections.abc import Mapping
from typing import Any, cast

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import attributes
from components.figures import waiting_figure
from components.icons import IconName, icon

# plotly.js 4 offers to upload a chart to Plotly's cloud unless it is told not to.
GRAPH_CONFIG: dict[str, Any] = {
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "displaylogo": False,
    "displayModeBar": False,
    "responsive": True,
    "doubleClick": "reset",
    "showTips": False,
    "scrollZoom": False,
}

ComponentId = str | Mapping[str, str | int]


def chart(
    id: ComponentId,
    figure: Mapping[str, Any] | None = None,
    *,
    height: int = 260,
    label: str,
    linked: bool = False,
    file_name: str | None = None,
) -> html.Div:
    """A chart with an accessible name; `linked` charts of a page share one cursor."""
    graph = dcc.Graph(
        id=cast("Any", id),
        figure=cast("Any", waiting_figure() if figure is None else figure),
        config=cast("Any", GRAPH_CONFIG),
        className="chart-graph",
        style={"height": f"{height}px"},
        clear_on_unhover=True,
    )
    return html.Div(
        graph,
        className="chart",
        # The chart's own code comes later than the page; what is below must not jump when it does.
        style={"minHeight": f"{height}px"},
        role="group",
        **attributes(
            {
                "aria-label": label,
                "data-chart": "true",
                "data-linked": "true" if linked else "false",
                "data-file-name": file_name or label,
            }
        ),
    )


def chart_panel(
    id: ComponentId,
    title: str,
    *,
    figure: Mapping[str, Any] | None = None,
    subtitle: str | None = None,
    unit: str | None = None,
    key: str | None = None,
    height: int = 260,
    linked: bool = True,
    file_name: str | None = None,
    actions: Component | None = None,
    wide: bool = False,
    tall: bool = False,
) -> html.Section:
    """A chart under its title with a menu; `key` is what `visible_panels` reports when it comes on screen.

    Beside a `tall` one the other panels of its row are as high.
    """
    items: tuple[tuple[str, str, IconName], ...] = (
        ("png", "Save as PNG", "download"),
        ("svg", "Save as SVG", "download"),
        ("csv", "Save shown points as CSV", "download"),
        ("reset", "Reset zoom", "arrow-clockwise"),
    )
    menu = html.Details(
        [
            html.Summary(icon("three-dots"), className="icon-button", **attributes({"aria-label": f"Menu of {title}"})),
            html.Div(
                [
                    html.Button(
                        [icon(name), text],
                        type="button",
                        className="menu-item",
                        **attributes({"data-chart-do": action}),
                    )
                    for action, text, name in items
                ],
                className="menu-items",
            ),
        ],
        className="menu menu-right",
        **attributes({"data-menu": "true"}),
    )
    head = html.Div(
        [
            html.H3(title, className="panel-title", title=title),
            html.Span(unit, className="panel-unit") if unit else None,
            html.Span(className="panel-points num", **attributes({"data-chart-points": "true"})),
            html.Div(
                [
                    actions,
                    html.Button(
                        icon("arrows-angle-expand"),
                        type="button",
                        className="icon-button",
                        **attributes(
                            {"aria-label": f"Expand {title}", "aria-expanded": "false", "data-chart-do": "expand"}
                        ),
                    ),
                    menu,
                ],
                className="panel-tools",
            ),
        ],
        className="panel-head",
    )
    return html.Section(
        [
            head,
            html.Div(subtitle, className="panel-subtitle") if subtitle else None,
            chart(id, figure, height=height, label=title, linked=linked, file_name=file_name or title),
        ],
        className=f"panel{' panel-wide' if wide else ''}{' panel-tall' if tall else ''}",
        **attributes({"aria-label": title, "data-panel-key": title if key is None else key}),
    )


def panel_grid(
    panels: list[Component], *, id: str | None = None, visible_store: str | None = None, large: bool = False
) -> html.Div:
    """Panels side by side; `visible_store` as in `panel_area`."""
    options: dict[str, Any] = {} if id is None else {"id": id}
    return html.Div(
        panels,
        className="panel-grid panel-grid-large" if large else "panel-grid",
        **options,
        **attributes({} if visible_store is None else {"data-visible-panels": visible_store}),
    )


def panel_area(children: list[Component], *, visible_store: str, zoom_store: str) -> html.Div:
    """A part of a page with grids of panels in it; the keys of those on screen (24 at most) arrive in `visible_store`.

    Zooming one panel along x puts {"axis", "low", "high", "panel", "y"} into `zoom_store`, and null when it is reset.
    """
    names = {"data-visible-panels": visible_store, "data-zoom-store": zoom_store}
    return html.Div(children, className="panel-area", **attributes(names))


def visible_panels(id: str) -> dcc.Store:
    """The store that charts.js fills with the keys of the panels on screen: `Input(id, "data")` is a list of text."""
    return dcc.Store(id=id, data=[])
