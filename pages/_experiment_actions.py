"""What can be done to experiments from the list: compare, tag, stop, delete and undo."""

from collections.abc import Sequence
from typing import Any

import dash
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import confirm_dialog, preview_list
from components.grid import RowAction
from components.icons import IconName, icon
from components.toasts import TOASTS_ID, ToastKind, toast
from components.values import key_value_list, size_text
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _tag_dialog as tags
from pages._page import Page
from services.actor import Actor
from services.experiments import editing, lifecycle
from services.experiments.conditions import ACTIVE_STATUSES
from web.identity import current_actor

PREFIX = "experiments"
BAR, SELECTED, STATUS = "experiments-bulk", "experiments-selected", "experiments-status"
COMPARE, TAG, CANCEL, DELETE, RESTORE = (
    f"experiments-bulk-{word}" for word in ("compare", "tag", "cancel", "delete", "restore")
)
TARGET, DONE, UNDO, UNSELECT = (f"experiments-{word}" for word in ("target", "done", "undo", "unselect"))
DELETE_DIALOG, CANCEL_DIALOG = "experiments-delete-dialog", "experiments-cancel-dialog"
SELECT_ALL, ALL = "experiments-select-all", "experiments-all"
MOST_COMPARED = 50


def say(kind: ToastKind, text: str, *, undo: tuple[str, object] | None = None) -> None:
    """Show a toast."""
    dash.set_props(TOASTS_ID, {"data": toast(kind, text, undo=undo)})


def row_actions(may_edit: bool) -> list[RowAction]:
    """The menu of a row."""
    offered = [RowAction("open", "Open", "arrow-right"), RowAction("compare", "Compare with selected", "layout-split")]
    if may_edit:
        offered += [
            RowAction("tag", "Tag…", "tag"),
            RowAction("cancel", "Stop…", "stop-circle", when=ACTIVE_STATUSES),
            RowAction("delete", "Delete…", "trash", danger=True),
        ]
    return offered


def bulk_bar(actor: Actor) -> Component:
    """What to do with the selected rows; hidden while none is."""

    def button(id: str, text: str, name: IconName) -> Component:
        return html.Button([icon(name), text], id=id, type="button", className="btn btn-sm btn-outline-secondary")

    may_edit = actor.may(Permission.CREATE_EXPERIMENTS)
    hidden = {"display": "none"}
    edits = [
        (TAG, "Tag", "tag"),
        (CANCEL, "Stop runs", "stop-circle"),
        (DELETE, "Delete", "trash"),
        (RESTORE, "Restore", "arrow-clockwise"),
    ]
    buttons = [button(COMPARE, "Compare", "layout-split")]
    for id, text, name in edits:
        made = button(id, text, name)  # type: ignore[arg-type]
        shown = may_edit and id not in {RESTORE, CANCEL}
        buttons.append(html.Div(made, id=f"{id}-frame", style={} if shown else hidden))
    return html.Div(
        [
            html.Span(id=SELECTED, className="num muted", **attributes({"aria-live": "polite"})),
            html.Button(
                icon("x-lg"),
                id=UNSELECT,
                type="button",
                className="icon-button",
                title="Clear the selection",
                **attributes({"aria-label": "Clear the selection"}),
            ),
            html.Button("Select all that match", id=SELECT_ALL, type="button", className="btn btn-sm btn-link"),
            *buttons,
        ],
        id=BAR,
        className="bulk-bar",
        style=hidden,
    )


def dialogs() -> list[Component]:
    """The dialogs and stores of these actions."""
    return [
        dcc.Store(id=TARGET),
        dcc.Store(id=ALL),
        dcc.Store(id=DONE),
        dcc.Store(id=UNDO),
        dcc.Location(id="experiments-go", refresh="callback-nav"),
        confirm_dialog(DELETE_DIALOG, "Delete?", confirm_label="Delete", danger=True),
        confirm_dialog(
            CANCEL_DIALOG, "Stop runs?", confirm_label="Stop runs", cancel_label="Let them run", danger=True
        ),
        *tags.dialog(PREFIX),
    ]


def ids_from(rows: Any) -> list[int]:
    """The ids of selected rows, as the browser says."""
    found = []
    for row in rows if isinstance(rows, list) else []:
        text = str(row.get("id", "")) if isinstance(row, dict) else str(row)
        if text.isdecimal() and len(text) < 11:
            found.append(int(text))
    return found


def chosen(selected: Any, everything: Any) -> list[int]:
    """The ids to act on: all that match, where somebody asked for them, or the rows that are selected."""
    ids = everything.get("ids") if isinstance(everything, dict) else None
    return ids_from(ids) if ids else ids_from(selected)


def register(page: Page, grid: str) -> None:
    """Bind the actions to the list's page and grid."""
    _register_selection(page, grid)
    _register_deletion(page, grid)
    tags.register(page, PREFIX, DONE)


def _register_selection(page: Page, grid: str) -> None:
    @page.callback(
        Output(BAR, "style"),
        Output(SELECTED, "children"),
        Output(f"{DELETE}-frame", "style"),
        Output(f"{RESTORE}-frame", "style"),
        Output(f"{CANCEL}-frame", "style"),
        Output(SELECT_ALL, "style"),
        Input(grid, "selectedRows"),
        Input(ALL, "data"),
        State(STATUS, "value"),
        prevent_initial_call=True,
    )
    def show_bar(rows: Any, everything: Any, status: Any) -> tuple[Any, ...]:
        """Show what can be done with the selection: deleted ones are restored, the others deleted."""
        number = len(chosen(rows, everything))
        hidden = {"display": "none"}
        actor, deleted = current_actor(), status == "deleted"
        may_edit = actor.may(Permission.CREATE_EXPERIMENTS)
        shown = rows if isinstance(rows, list) else []
        running = bool(everything) or any(
            isinstance(row, dict) and row.get("status") in ACTIVE_STATUSES for row in shown
        )
        return (
            {} if number else hidden,
            f"{number:,} selected" if number else "",
            {} if may_edit and not deleted else hidden,
            {} if may_edit and deleted else hidden,
            {} if running and not deleted and actor.may(Permission.STOP_EXPERIMENTS) else hidden,
            hidden if everything else {},
        )

    @page.callback(
        Output("experiments-go", "href"),
        Input(COMPARE, "n_clicks"),
        Input(grid, "cellRendererData"),
        State(grid, "selectedRows"),
        State(ALL, "data"),
        prevent_initial_call=True,
    )
    def go(_compare: Any, cell: Any, selected: Any, everything: Any) -> Any:
        """Open one experiment, or compare several."""
        action = (cell or {}).get("value") if isinstance(cell, dict) else None
        ids = chosen(selected, everything)
        if ctx.triggered_id == COMPARE:
            if len(ids) < 2:
                say("info", "Select two experiments or more to compare them.")
                return no_update
            return _compared(ids)
        if not isinstance(action, dict):
            return no_update
        clicked = ids_from([{"id": action.get("id")}])
        if not clicked:
            return no_update
        if action.get("action") == "open":
            return f"/experiments/{clicked[0]}"
        if action.get("action") == "compare":
            together = list(dict.fromkeys([*clicked, *ids]))
            if len(together) < 2:
                say("info", "Select another experiment to compare this one with.")
                return no_update
            return _compared(together)
        return no_update

    def _compared(ids: Sequence[int]) -> Any:
        if len(ids) > MOST_COMPARED:
            say("warning", f"Up to {MOST_COMPARED} experiments can be compared at once.")
            return no_update
        return f"/compare?ids={','.join(map(str, ids))}"


def _register_deletion(page: Page, grid: str) -> None:
    @page.callback(
        Output(TARGET, "data"),
        Output(DELETE_DIALOG, "is_open"),
        Output(f"{DELETE_DIALOG}-title", "children"),
        Output(f"{DELETE_DIALOG}-body", "children"),
        Output(CANCEL_DIALOG, "is_open"),
        Output(f"{CANCEL_DIALOG}-body", "children"),
        Output(tags.target_id(PREFIX), "data"),
        Input(DELETE, "n_clicks"),
        Input(CANCEL, "n_clicks"),
        Input(TAG, "n_clicks"),
        Input(grid, "cellRendererData"),
        Input(f"{DELETE_DIALOG}-cancel", "n_clicks"),
        Input(f"{CANCEL_DIALOG}-cancel", "n_clicks"),
        Input(DONE, "data"),
        State(grid, "selectedRows"),
        State(ALL, "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def ask(*values: Any) -> tuple[Any, ...]:
        """Say what goes along before anything does."""
        cell, ids = values[3], chosen(*values[-2:])
        word = {DELETE: "delete", CANCEL: "cancel", TAG: "tag"}.get(str(ctx.triggered_id))
        if ctx.triggered_id == grid:
            action = cell.get("value") if isinstance(cell, dict) else None
            word = action.get("action") if isinstance(action, dict) else None
            ids = ids_from([{"id": action.get("id")}]) if isinstance(action, dict) else []
            if word not in {"delete", "cancel", "tag"}:
                return (no_update,) * 7
        if word is None or not ids:
            return no_update, False, no_update, no_update, False, no_update, no_update
        if word == "tag":
            return no_update, False, no_update, no_update, False, no_update, tags.target_of(ids)
        actor = current_actor()
        with snapshot() as session:
            if word == "cancel":
                wanted = editing.visible_ids(session, actor, ids)
                text = f"{len(wanted)} selected. Those that run stop after their epoch; ended ones stay as they are."
                return ids, False, no_update, no_update, True, text, no_update
            preview = editing.preview_deletion(session, actor, ids)
        which = "this experiment" if preview.experiments == 1 else f"{preview.experiments:,} experiments"
        return ids, True, f"Delete {which}?", _preview(preview), False, no_update, no_update

    @page.callback(
        Output(DONE, "data"),
        Input(f"{DELETE_DIALOG}-confirm", "n_clicks"),
        State(TARGET, "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def delete(clicks: Any, target: Any) -> Any:
        """Put the experiments aside, and offer to bring them back."""
        if not clicks:
            return no_update
        with transaction() as session:
            active = editing.preview_deletion(session, current_actor(), ids_from(target)).active
            gone = editing.delete_experiments(session, current_actor(), ids_from(target))
        ended = f" {active} had not ended and stay cancelled, also after an undo." if active else ""
        say("success", f"{len(gone)} deleted.{ended}", undo=(UNDO, gone))
        return {"deleted": gone}

    @page.callback(
        Output(DONE, "data", allow_duplicate=True),
        Input(UNDO, "data"),
        Input(RESTORE, "n_clicks"),
        State(grid, "selectedRows"),
        State(ALL, "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def restore(undo: Any, _clicks: Any, selected: Any, everything: Any) -> Any:
        """Undo a deletion."""
        ids = chosen(selected, everything) if ctx.triggered_id == RESTORE else ids_from(undo)
        if not ids:
            return no_update
        with transaction() as session:
            back = editing.restore_experiments(session, current_actor(), ids)
        if not back:
            say("info", "None of the selected experiments is deleted.")
            return no_update
        say("success", f"{len(back)} restored.")
        return {"restored": back}

    @page.callback(
        Output(DONE, "data", allow_duplicate=True),
        Input(f"{CANCEL_DIALOG}-confirm", "n_clicks"),
        State(TARGET, "data"),
        permission=Permission.STOP_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def cancel(clicks: Any, target: Any) -> Any:
        """Stop what has not ended."""
        if not clicks:
            return no_update
        with transaction() as session:
            stopped = lifecycle.cancel_many(session, current_actor(), ids_from(target))
        say("success" if stopped else "info", f"{stopped} stopped." if stopped else "All of them had ended already.")
        return {"cancelled": stopped}


def _preview(preview: editing.DeletionPreview) -> list[Component]:
    facts = (
        ("Epochs", f"{preview.epochs:,}" if preview.epochs else ""),
        ("Metric points", f"{preview.points:,}"),
        ("Explanations", f"{preview.explanations:,}" if preview.explanations else ""),
        ("Stored", size_text(preview.bytes)),
        ("Still running", f"{preview.active} will be stopped" if preview.active else ""),
    )
    return [
        preview_list(preview.names, total=preview.experiments),
        key_value_list([(name, value) for name, value in facts if value]),
        html.P(
            f"{'It' if preview.experiments == 1 else 'They'} can be restored for {preview.kept_days} days: "
            "show the status “Deleted”.",
            className="muted",
        ),
    ]
