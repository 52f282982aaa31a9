"""Two to fifty experiments side by side: their curves over each other, what they were made of, how far each came."""

from collections.abc import Sequence
from typing import Any

from dash import ClientsideFunction, Input, Output, State, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.feedback import empty_state, notice
from components.shell import page_header, section
from database.engine import snapshot
from models.permissions import Permission
from pages import _compare_live as live
from pages import _compare_parts as parts
from pages import _curve_callbacks
from pages._compare_ids import ids_from
from pages._compare_table import frame, table
from pages._curve_controls import choices_from, search_of
from pages._page import register_page
from pages._presses import number_in, presses, store, store_of
from services import compare, search
from services.compare import MOST_EXPERIMENTS, Compared
from web.identity import current_actor

page = register_page(__name__, path="/compare", title="Compare", permission=Permission.VIEW_EXPERIMENTS)

CURVE_PARAMETERS = ("x", "smoothing", "show", "panels", "low", "high")


@page.layout
def layout(ids: str = "", diff: str = "", **query: str) -> Component:
    """The comparison that the address describes, or what to do to get one."""
    wanted, actor = ids_from(ids), current_actor()
    said = {name: query.get(name, "") for name in CURVE_PARAMETERS}
    zoom = {"axis": said["x"] or "step", "low": said["low"], "high": said["high"]}
    choices = choices_from(said["x"], said["smoothing"], said["show"], said["panels"], zoom)
    search_now = search_of({name: value for name, value in (said | {"diff": diff}).items() if value})
    with snapshot() as session:
        found = compare.chosen(session, actor, wanted)
        if len(found) < 2:
            return _shell(found, wanted, search_now, [parts.legend(found), _too_few(found)])
        params, metrics = compare.param_rows(found), compare.metric_rows(session, found)
        shown = [item.id for item in found]
        beat = compare.pulse(session, actor, shown)
        curves = _curve_callbacks.panels_part(
            session, parts.PREFIX, shown, live.source_of(found), choices, False, parts.legend(found)
        )
    only = diff != "0" and (diff == "1" or sum(row.differs for row in params) > 2)
    return _shell(
        found,
        wanted,
        search_now,
        [
            section("Curves", curves),
            section(
                "Parameters and metrics",
                frame(table(found, params, metrics, only)),
                actions=parts.differences_switch(only),
            ),
            *live.stores(beat),
        ],
    )


def _shell(found: Sequence[Compared], wanted: Sequence[int], search_now: str, body: Sequence[Component]) -> Component:
    missing = [str(number) for number in wanted[:MOST_EXPERIMENTS] if number not in {item.id for item in found}]
    notices: list[Component] = []
    if missing:
        some = ", ".join(missing[:10]) + (" …" if len(missing) > 10 else "")
        word = "Experiment" if len(missing) == 1 else "Experiments"
        verb = "is" if len(missing) == 1 else "are"
        notices.append(notice(f"{word} {some} {verb} left out: deleted, or never there.", kind="warning"))
    if len(wanted) > MOST_EXPERIMENTS:
        notices.append(
            notice(f"The first {MOST_EXPERIMENTS} of {len(wanted)} experiments are compared.", kind="warning")
        )
    return html.Div(
        [
            page_header("Compare", subtitle=_subtitle(found), actions=parts.add_box(focused=len(found) < 2)),
            *notices,
            *body,
            store(parts.ADD),
            dcc.Store(id=parts.CHOSEN, data=[item.id for item in found]),
            dcc.Store(id=parts.STATE, data=search_now),
            dcc.Location(id=parts.GO, refresh="callback-nav"),
        ],
        className="compare",
    )


def _subtitle(found: Sequence[Compared]) -> str | None:
    return f"{len(found)} experiments" if len(found) > 1 else None


def _too_few(found: Sequence[Compared]) -> Component:
    title = "Add one more experiment" if found else "Nothing to compare yet"
    return empty_state(
        title,
        "Search for experiments above, or tick some in the list and press Compare.",
        icon_name="layout-split",
        action=dcc.Link("Open the list", href="/experiments", className="btn btn-primary"),
    )


_curve_callbacks.register(page, parts.PREFIX, live.source, labels=False)
live.register(page)


@page.callback(
    Output(parts.TABLE_DATA, "data"),
    Output(parts.DIFFERENCES_ADDRESS, "data"),
    Input(parts.DIFFERENCES, "value"),
    State(parts.CHOSEN, "data"),
    prevent_initial_call=True,
)
def only_differences(only: Any, ids: Any) -> tuple[Any, Any]:
    """Show all rows, or those in which the experiments differ."""
    with snapshot() as session:
        found = compare.chosen(session, current_actor(), ids_from(ids))
        metrics = compare.metric_rows(session, found)
    return table(found, compare.param_rows(found), metrics, bool(only)), {"diff": "1" if only else "0"}


@page.callback(
    Output(parts.RESULTS, "children"),
    Input(parts.SEARCH, "value"),
    State(parts.CHOSEN, "data"),
    prevent_initial_call=True,
)
def find_more(text: Any, ids: Any) -> Any:
    """Experiments to add."""
    words = text.strip()[:200] if isinstance(text, str) else ""
    if not words:
        return None
    already = set(ids_from(ids))
    with snapshot() as session:
        hits = search.find(session, current_actor(), words, 10 + min(len(already), 40))
    return parts.results(words, [hit for hit in hits if hit["id"] not in already][:10])


@page.callback(
    Output(parts.GO, "href"),
    presses(parts.ADD),
    Input(parts.REMOVED, "data"),
    State(parts.CHOSEN, "data"),
    State(parts.STATE, "data"),
    prevent_initial_call=True,
)
def change_choice(added: Any, removed: Any, ids: Any, address: Any) -> Any:
    """Go to the comparison with one more, or one fewer."""
    trigger, now = ctx.triggered_id, ids_from(ids)
    if trigger == store_of(parts.ADD) and added:
        now = [*now, *(number for number in ids_from([number_in(added)]) if number not in now)]
    elif trigger == parts.REMOVED and removed is not None:
        now = [number for number in now if number not in ids_from([removed])]
    else:
        return no_update
    kept = parts.kept_of(address, (*CURVE_PARAMETERS, "diff"))
    return f"/compare{search_of({'ids': ','.join(map(str, now))} | kept)}"


clientside_callback(
    ClientsideFunction("pfd", "merge_search"),
    Output(parts.STATE, "data", allow_duplicate=True),
    Input(parts.DIFFERENCES_ADDRESS, "data"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("pfd", "compare_table"),
    Output(f"{parts.TABLE}-made", "data"),
    Input(parts.TABLE_DATA, "data"),
    State(parts.TABLE, "id"),
)
