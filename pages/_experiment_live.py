"""A running experiment: asked every two seconds whether there is anything new, and only what is new is sent."""

from typing import Any

import dash
from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, no_update
from dash.development.base_component import Component

from components.shell import PAGE_VISIBLE_ID
from database.engine import snapshot
from pages import _curve_figures as drawing
from pages import _experiment_changes as changes
from pages import _experiment_head as head
from pages import _experiment_logging as logging
from pages import _experiment_results as results
from pages._curve_callbacks import show
from pages._curve_controls import choices_from, page_of
from pages._curve_news import news
from pages._experiment_ids import PREFIX, first_id
from pages._page import Page
from services.curves.panels import panels
from services.experiments import details
from services.experiments.details import Detail
from web.identity import current_actor

TICK, SEEN, ALIVE, NEWS = "experiment-tick", "experiment-seen", "experiment-alive", "experiment-news"
CURVES, NO_CURVES = f"{PREFIX}-curves", f"{PREFIX}-no-curves"
POLL_MILLISECONDS = 2000
UNCHANGED = (no_update,) * 14


def stores(found: Detail, seen: str) -> list[Component]:
    """The clock and what it remembers; an experiment that has ended is never asked about again."""
    return [
        dcc.Interval(id=TICK, interval=POLL_MILLISECONDS, disabled=not found.is_active),
        dcc.Store(id=SEEN, data=seen),
        dcc.Store(id=ALIVE, data=found.is_active),
        dcc.Store(id=NEWS),
        dcc.Store(id=f"{PREFIX}-nothing"),
    ]


def seen_if(is_so: bool) -> dict[str, str]:
    """The style of a part that is there for callbacks, and seen only now and then."""
    return {} if is_so else {"display": "none"}


def _hide_what_stayed_empty(found: Detail, without_curves: bool, without_matrix: bool) -> None:
    """What still might have come while it ran is not waited for any more, as on a page that is opened now."""
    parts = {
        CURVES: not without_curves,
        NO_CURVES: without_curves and not found.children,
        results.CONFUSION: not without_matrix,
        results.EPOCHS: found.epochs > 0,
    }
    for part, is_seen in parts.items():
        dash.set_props(part, {"style": seen_if(is_seen)})


def register(page: Page) -> None:
    """Bind the clock."""

    @page.callback(
        Output(SEEN, "data"),
        Output(ALIVE, "data"),
        Output(head.BADGE, "children"),
        Output(head.SUMMARY, "children"),
        Output(head.STARTED, "children"),
        Output(head.ENDED, "children"),
        Output(changes.ACTIONS, "children", allow_duplicate=True),
        Output(NEWS, "data"),
        Output(f"{PREFIX}-drawn", "data", allow_duplicate=True),
        Output(f"{PREFIX}-shown", "data", allow_duplicate=True),
        Output(f"{PREFIX}-grid", "children", allow_duplicate=True),
        Output(results.ROWS, "data"),
        Output(results.LAST, "data"),
        Output(results.RANGE, "data"),
        Input(TICK, "n_intervals"),
        State(SEEN, "data"),
        State(f"{PREFIX}-ids", "data"),
        State(f"{PREFIX}-visible", "data"),
        State(f"{PREFIX}-smoothing", "value"),
        State(f"{PREFIX}-axis", "value"),
        State(f"{PREFIX}-flags", "value"),
        State(f"{PREFIX}-zoom", "data"),
        State(f"{PREFIX}-filter", "value"),
        State(f"{PREFIX}-page", "data"),
        State(f"{PREFIX}-shown", "data"),
        State(f"{PREFIX}-drawn", "data"),
        State(results.LAST, "data"),
        prevent_initial_call=True,
    )
    def look_for_news(
        _tick: Any, seen: Any, ids: Any, on_screen: Any, smoothing: Any, axis: Any, flags: Any, zoom: Any,
        text: Any, number: Any, shown: Any, drawn: Any, last: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        """Send what is new since the last look; mostly that is nothing."""
        actor, experiment_id = current_actor(), first_id(ids)
        with snapshot() as session:
            now = details.cursor(session, actor, experiment_id)
            if now == seen:
                return UNCHANGED
            found = details.detail(session, actor, experiment_id)
            choices = choices_from(axis, smoothing, flags, text, zoom)
            every = panels(session, actor, [experiment_id])
            here, _, _ = page_of(every, choices.text, number)
            keys = [panel.key for panel in here]
            same = keys == shown
            on_screen = drawing.visible(on_screen)
            if not found.is_active:  # the best epoch is known now, and every panel that was drawn marks it
                on_screen, drawn = [*on_screen, *drawing.known(drawn)], {}
            extension, remembered, made = (
                news(session, PREFIX, here, on_screen, drawn, choices, drawing.by_role, labels=True)
                if same
                else (no_update, {}, {})
            )
            rows = results.rows_after(session, actor, experiment_id, last)
            span = results.span_of(session, actor, found)
            empty = not found.is_active and not details.has_metrics(session, actor, experiment_id)
        show(PREFIX, made)
        if not found.is_active:
            _hide_what_stayed_empty(found, empty, span is None)
            logging.refresh(found, actor)
        # New metrics make new panels: the grid is put up again, and what is on screen is drawn.
        grid = no_update if same else drawing.views(PREFIX, here, {})
        return (
            now,
            found.is_active,
            head.badge(found),
            head.summary(found),
            *head.moments(found),
            no_update if found.is_active else changes.buttons(found, actor),
            extension,
            remembered,
            no_update if same else keys,
            grid,
            results.packed(rows) if rows else no_update,
            results.cursor_of(rows, last),
            no_update if span is None else span,
        )

    clientside_callback(
        ClientsideFunction("pfd", "stop_polling"),
        Output(TICK, "disabled"),
        Input(PAGE_VISIBLE_ID, "data"),
        Input(ALIVE, "data"),
    )
    clientside_callback(
        ClientsideFunction("pfd", "extend_panels"),
        Output(f"{PREFIX}-nothing", "data"),
        Input(NEWS, "data"),
        prevent_initial_call=True,
    )
