"""A comparison in which something runs: asked every few seconds whether there is anything new, only that is sent."""

from collections.abc import Sequence
from typing import Any

from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, no_update
from dash.development.base_component import Component

from components.shell import PAGE_VISIBLE_ID
from database.engine import snapshot
from pages import _compare_parts as parts
from pages import _curve_figures as drawing
from pages import _curve_groups as groups
from pages._compare_ids import ids_from
from pages._compare_parts import PREFIX
from pages._compare_table import table
from pages._curve_callbacks import Source, show
from pages._curve_controls import choices_from, page_of
from pages._curve_news import news
from pages._page import Page
from services import compare
from services.compare import Compared, Pulse
from services.curves.panels import Panel, Series, panels
from web.identity import current_actor

TICK, SEEN, TABLE_SEEN, ALIVE, NEWS = (f"{PREFIX}-{word}" for word in ("tick", "seen", "table-seen", "alive", "news"))
POLL_MILLISECONDS = 3000
TABLE_EVERY = 5  # ticks: its hundreds of cells cost the browser more than new points do
NO_CURVES, NO_TABLE = (no_update,) * 6, (no_update,) * 2
UNCHANGED = (no_update, no_update, *NO_CURVES, *NO_TABLE)


def source_of(found: Sequence[Compared], ids: Sequence[int] = ()) -> Source:
    """The panels of these experiments; one colour for each of them in all panels, by its place among `ids`."""
    order = list(ids) or [item.id for item in found]
    places = {number: place for place, number in enumerate(order)}
    names = {item.id: item.name for item in found}

    def naming(_panel: Panel, series: Series, _place: int) -> tuple[str, int, Any]:
        place = places[series.experiment_id]
        return names[series.experiment_id], place % parts.COLOURS, parts.DASHES[place // parts.COLOURS]

    def source(session: Any, _ids: Any) -> tuple[list[Panel], drawing.Naming]:
        return panels(session, current_actor(), list(names), separate=True), naming

    return source


def source(session: Any, ids: Any) -> tuple[list[Panel], drawing.Naming]:
    """As `source_of`, for ids that the browser says; one that was deleted meanwhile leaves its colour unused."""
    wanted = ids_from(ids)[: compare.MOST_EXPERIMENTS]
    return source_of(compare.chosen(session, current_actor(), wanted), wanted)(session, ids)


def stores(beat: Pulse) -> list[Component]:
    """The clock and what it remembers; where all have ended nothing is ever asked."""
    return [
        dcc.Interval(id=TICK, interval=POLL_MILLISECONDS, disabled=not beat.is_active),
        dcc.Store(id=SEEN, data=beat.text),
        dcc.Store(id=TABLE_SEEN, data=beat.text),
        dcc.Store(id=ALIVE, data=beat.is_active),
        dcc.Store(id=NEWS),
        dcc.Store(id=f"{PREFIX}-nothing"),
    ]


def register(page: Page) -> None:
    """Bind the clock."""

    @page.callback(
        Output(SEEN, "data"),
        Output(ALIVE, "data"),
        Output(NEWS, "data"),
        Output(f"{PREFIX}-drawn", "data", allow_duplicate=True),
        Output(f"{PREFIX}-shown", "data", allow_duplicate=True),
        Output(f"{PREFIX}-grid", "children", allow_duplicate=True),
        Output(f"{PREFIX}-groups", "children", allow_duplicate=True),
        Output(f"{PREFIX}-opened", "data", allow_duplicate=True),
        Output(parts.TABLE_DATA, "data", allow_duplicate=True),
        Output(TABLE_SEEN, "data"),
        Input(TICK, "n_intervals"),
        State(SEEN, "data"),
        State(TABLE_SEEN, "data"),
        State(f"{PREFIX}-ids", "data"),
        State(f"{PREFIX}-visible", "data"),
        State(f"{PREFIX}-smoothing", "value"),
        State(f"{PREFIX}-axis", "value"),
        State(f"{PREFIX}-flags", "value"),
        State(f"{PREFIX}-zoom", "data"),
        State(f"{PREFIX}-filter", "value"),
        State(f"{PREFIX}-page", "data"),
        State(f"{PREFIX}-shown", "data"),
        State(f"{PREFIX}-opened", "data"),
        State(f"{PREFIX}-drawn", "data"),
        State(parts.DIFFERENCES, "value"),
        prevent_initial_call=True,
    )
    def look_for_news(
        tick: Any, seen: Any, table_seen: Any, ids: Any, on_screen: Any, smoothing: Any, axis: Any, flags: Any,
        zoom: Any, text: Any, number: Any, shown: Any, opened: Any, drawn: Any, only: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        """Send what is new since the last look; the table follows now and then, and at the end."""
        wanted, actor = ids_from(ids)[: compare.MOST_EXPERIMENTS], current_actor()
        with snapshot() as session:
            beat = compare.pulse(session, actor, wanted)
            due = not beat.is_active or type(tick) is not int or tick % TABLE_EVERY == 0
            is_table_due, are_curves_due = due and beat.text != table_seen, beat.text != seen
            if not is_table_due and not are_curves_due:
                return UNCHANGED
            found = compare.chosen(session, actor, wanted)
            rows = compare.metric_rows(session, found) if is_table_due else []
            curves: tuple[Any, ...] = NO_CURVES
            made: dict[str, Any] = {}
            if are_curves_due:
                every, naming = source_of(found, wanted)(session, ids)
                choices = choices_from(axis, smoothing, flags, text, zoom)
                standing, waiting = groups.parted(every, choices.text)
                here, _, _ = page_of(standing, choices.text, number)
                keys = [panel.key for panel in here]
                if keys == shown:
                    watched = [*here, *groups.brought(waiting, opened)]
                    on_screen = drawing.visible(on_screen)
                    *sent, made = news(session, PREFIX, watched, on_screen, drawn, choices, naming, labels=False)
                    curves = (*sent, *NO_CURVES[2:])
                else:  # new metrics make new panels: the grid is put up again, and what is on screen is drawn
                    grid, below = drawing.views(PREFIX, here, {}, False), groups.views(PREFIX, waiting)
                    curves = (no_update, {}, keys, grid, below, [])
        show(PREFIX, made)
        sheet = (table(found, compare.param_rows(found), rows, bool(only)), beat.text) if is_table_due else NO_TABLE
        return beat.text, beat.is_active, *curves, *sheet

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
