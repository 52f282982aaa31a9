"""The callbacks of curve panels: only those on screen are drawn, and only when they would look different."""

from collections.abc import Callable, Sequence
from typing import Any

import dash
from dash import ClientsideFunction, Input, Output, State, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.feedback import empty_state
from components.graph import panel_area, panel_grid, visible_panels
from database.engine import snapshot
from pages import _curve_figures as drawing
from pages import _curve_groups as groups
from pages._curve_controls import Choices, choices_from, page_of, pager, pager_state, toolbar
from pages._page import Page
from pages._presses import store
from services.curves.panels import Panel

Source = Callable[[Any, Any], tuple[list[Panel], drawing.Naming]]  # the session and the page's ids


def panels_part(
    session: Any,
    prefix: str,
    ids: Sequence[int],
    source: Source,
    choices: Choices,
    labels: bool,
    legend: Component | None = None,
) -> Any:
    """Toolbar and panels as they are in the page at first: those on top come drawn, the rest waits to be seen.

    A `legend` of all panels stays in sight with the toolbar.
    """
    panels, naming = source(session, list(ids))
    standing, waiting = groups.parted(panels, choices.text)
    shown, number, found = page_of(standing, choices.text, 0)
    first = drawing.first_of(shown)
    drawn = drawing.figures(session, first, choices, naming, labels=labels)
    said, style = pager_state(number, found, len(standing))
    return html.Div(
        [
            toolbar(prefix, choices)
            if legend is None
            else html.Div([toolbar(prefix, choices), legend], className="curve-bar"),
            panel_area(
                [
                    panel_grid(_grid(prefix, shown, drawn, panels, choices.text, labels), id=f"{prefix}-grid"),
                    pager(prefix, said, style),
                    html.Div(groups.views(prefix, waiting), id=f"{prefix}-groups", className="panel-groups"),
                ],
                visible_store=f"{prefix}-visible",
                zoom_store=f"{prefix}-zoom",
            ),
            visible_panels(f"{prefix}-visible"),
            dcc.Store(id=f"{prefix}-ids", data=list(ids)),
            dcc.Store(id=f"{prefix}-drawn", data=drawing.state_of(first, choices)),
            dcc.Store(id=f"{prefix}-shown", data=[panel.key for panel in shown]),
            dcc.Store(id=f"{prefix}-opened", data=[]),
            store(f"{prefix}-group"),
            dcc.Store(id=f"{prefix}-again"),
            dcc.Store(id=f"{prefix}-turned"),
            dcc.Store(id=f"{prefix}-address"),
        ],
        className="curves",
    )


def _grid(
    prefix: str, shown: Sequence[Panel], drawn: dict[str, Any], every: Sequence[Panel], text: str, labels: bool
) -> list[Component]:
    if shown:
        return drawing.views(prefix, shown, drawn, labels)
    if every and not text:
        return []  # all of them wait in groups
    if every:
        return [empty_state("No panel matches", "Clear the filter to see all of them.", icon_name="search")]
    return [empty_state("No curves yet", "Metrics appear here as soon as the first value is logged.")]


def register(page: Page, prefix: str, source: Source, *, labels: bool) -> None:
    """Bind toolbar and panels of a page; its store `<prefix>-search` gets the query part of the address."""

    @page.callback(
        Output(f"{prefix}-grid", "children"),
        Output(f"{prefix}-drawn", "data", allow_duplicate=True),
        Output(f"{prefix}-page", "data"),
        Output(f"{prefix}-range", "children"),
        Output(f"{prefix}-pager", "style"),
        Output(f"{prefix}-shown", "data"),
        Output(f"{prefix}-groups", "children"),
        Output(f"{prefix}-opened", "data"),
        Input(f"{prefix}-filter", "value"),
        Input(f"{prefix}-previous", "n_clicks"),
        Input(f"{prefix}-next", "n_clicks"),
        State(f"{prefix}-page", "data"),
        State(f"{prefix}-ids", "data"),
        prevent_initial_call=True,
    )
    def turn_page(text: Any, _previous: Any, _next: Any, number: Any, ids: Any) -> tuple[Any, ...]:
        """Put up other panels; they are drawn when they are seen."""
        wanted = number if type(number) is int else 0
        turned = {f"{prefix}-previous": -1, f"{prefix}-next": 1}.get(str(ctx.triggered_id), 0)
        words = choices_from(text=text).text
        with snapshot() as session:
            panels, _ = source(session, ids)
        standing, waiting = groups.parted(panels, words)
        shown, at, found = page_of(standing, words, wanted + turned if turned else 0)
        said, style = pager_state(at, found, len(standing))
        grid, keys = _grid(prefix, shown, {}, panels, words, labels), [panel.key for panel in shown]
        below = (no_update, no_update) if turned else (groups.views(prefix, waiting), [])
        return grid, {}, at, said, style, keys, *below

    @page.callback(
        Output(f"{prefix}-drawn", "data"),
        Output(f"{prefix}-address", "data"),
        Input(f"{prefix}-visible", "data"),
        Input(f"{prefix}-smoothing", "value"),
        Input(f"{prefix}-axis", "value"),
        Input(f"{prefix}-flags", "value"),
        Input(f"{prefix}-zoom", "data"),
        Input(f"{prefix}-shown", "data"),
        Input(f"{prefix}-again", "data"),
        State(f"{prefix}-filter", "value"),
        State(f"{prefix}-drawn", "data"),
        State(f"{prefix}-ids", "data"),
        State(f"{prefix}-opened", "data"),
        prevent_initial_call=True,
    )
    def draw_visible(
        on_screen: Any, smoothing: Any, axis: Any, flags: Any, zoom: Any, shown: Any, _again: Any,
        text: Any, drawn: Any, ids: Any, opened: Any,
    ) -> tuple[Any, Any]:  # fmt: skip
        """Draw the panels on screen that look different by now."""
        choices = choices_from(axis, smoothing, flags, text, zoom)
        here = {*drawing.visible(shown), *groups.keys_of(opened)}
        # After a page was turned, what was seen a moment ago is not there any more.
        seen = [key for key in drawing.visible(on_screen) if key in here]
        said = {name: choices.query.get(name, "") for name in ("x", "smoothing", "show", "panels", "low", "high")}
        if not seen:
            return no_update, said
        with snapshot() as session:
            panels, naming = source(session, ids)
            wanted = drawing.stale(panels, seen, drawn, choices)
            made = drawing.figures(session, wanted, choices, naming, labels=labels)
        show(prefix, made)
        before = {key: [how, points] for key, (how, points) in drawing.known(drawn).items()}
        return before | drawing.state_of(wanted, choices) if wanted else no_update, said

    def every_panel(ids: Any) -> Sequence[Panel]:
        with snapshot() as session:
            return source(session, ids)[0]

    groups.register(page, prefix, every_panel)
    clientside_callback(
        ClientsideFunction("pfd", "to_top"),
        Output(f"{prefix}-turned", "data"),
        Input(f"{prefix}-page", "data"),
        State(f"{prefix}-grid", "id"),
        prevent_initial_call=True,
    )
    clientside_callback(
        ClientsideFunction("pfd", "merge_search"),
        Output(f"{prefix}-search", "data"),
        Input(f"{prefix}-address", "data"),
        prevent_initial_call=True,
    )


def show(prefix: str, made: dict[str, Any]) -> None:
    """Put figures into their panels; only these travel, whatever else the page holds."""
    for key, figure in made.items():
        dash.set_props({"type": f"{prefix}-chart", "panel": key}, {"figure": figure})
