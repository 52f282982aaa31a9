"""Panels of one score for each class: put away in closed groups, so that a page begins with loss and accuracy."""

from collections.abc import Callable, Sequence
from typing import Any

import dash
from dash import Output, State, html, no_update
from dash.development.base_component import Component

from pages import _curve_figures as drawing
from pages._page import Page
from pages._presses import presses, text_in
from services.curves.panels import MOST_PANELS, Panel

Found = Callable[[Any], Sequence[Panel]]  # all panels of a page by the ids in its store


def parted(panels: Sequence[Panel], text: str) -> tuple[list[Panel], dict[str, list[Panel]]]:
    """The panels that stand in the page, and by family those that wait in a group; a filter brings out all it finds."""
    groups: dict[str, list[Panel]] = {}
    for panel in panels:
        if panel.family is not None and not text:
            groups.setdefault(panel.family, []).append(panel)
    return [panel for panel in panels if panel.family is None or text], groups


def views(prefix: str, groups: dict[str, list[Panel]]) -> list[Component]:
    """The groups, closed; their panels come when one is opened, as even an empty chart costs time."""
    return [
        html.Details(
            [
                html.Summary(
                    [family, html.Span(f"{len(panels):,}", className="num muted")],
                    id={"type": f"{prefix}-group", "family": family},
                ),
                html.Div(id={"type": f"{prefix}-group-panels", "family": family}, className="panel-grid"),
            ],
            className="fold panel-group",
            open=False,
        )
        for family, panels in groups.items()
    ]


def register(page: Page, prefix: str, found: Found) -> None:
    """Bind the groups of a page; its store `<prefix>-opened` holds the keys of the panels that were brought."""

    @page.callback(
        Output(f"{prefix}-opened", "data", allow_duplicate=True),
        presses(f"{prefix}-group"),
        State(f"{prefix}-ids", "data"),
        State(f"{prefix}-opened", "data"),
        prevent_initial_call=True,
    )
    def open_group(press: Any, ids: Any, opened: Any) -> Any:
        """Bring the panels of a group when it is opened for the first time; they are drawn when they are seen."""
        family, there = text_in(press, "family"), keys_of(opened)
        if family is None:
            return no_update
        members = [panel for panel in found(ids) if panel.family == family]
        shown = members[:MOST_PANELS]
        if not shown or shown[0].key in there:
            return no_update
        made = drawing.views(prefix, shown, {}, False)
        if len(members) > len(shown):
            words = f"The first {len(shown)} of {len(members):,} are here; filter the panels to see others."
            made.append(html.P(words, className="muted"))
        dash.set_props({"type": f"{prefix}-group-panels", "family": family}, {"children": made})
        return [*there, *(panel.key for panel in shown)]


def brought(groups: dict[str, list[Panel]], opened: Any) -> list[Panel]:
    """The panels of those groups that have been opened."""
    keys = set(keys_of(opened))
    return [panel for panels in groups.values() for panel in panels if panel.key in keys]


def keys_of(value: Any) -> list[str]:
    """The keys of panels in opened groups, as the browser says."""
    return [key for key in value[:1000] if isinstance(key, str)] if isinstance(value, list) else []
