"""What can be done to one experiment: cancel, compare, delete and undo, write notes."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.dialog import modal
from components.feedback import confirm_dialog
from components.icons import IconName, icon
from components.shell import section
from components.toasts import TOASTS_ID, ToastKind, toast
from components.values import key_value_list, size_text
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _experiment_head as head
from pages import _experiment_logging as logging
from pages._experiment_ids import PREFIX, first_id
from pages._page import Page
from services.actor import Actor
from services.experiments import details, editing, lifecycle
from services.experiments.details import Detail
from services.experiments.notes import safe_markdown
from web.identity import current_actor

ACTIONS, CANCEL, DELETE, RESTORE = (f"{PREFIX}-{word}" for word in ("actions", "cancel", "delete", "restore"))
CANCEL_DIALOG, DELETE_DIALOG, UNDO = f"{PREFIX}-cancel-dialog", f"{PREFIX}-delete-dialog", f"{PREFIX}-undo"
NOTES, NOTES_EDIT, NOTES_DIALOG, NOTES_SEEN, NOTES_SAVE, NOTES_CLOSE = (
    f"{PREFIX}-notes{word}" for word in ("", "-edit", "-dialog", "-seen", "-save", "-close")
)
NOTES_TEXT, NOTES_DRAFT, NOTES_PREVIEW = (f"{PREFIX}-notes-{word}" for word in ("text", "draft", "preview"))
HIDDEN = {"display": "none"}


def actions(found: Detail, actor: Actor) -> Component:
    """The buttons of the header."""
    return html.Div(buttons(found, actor), id=ACTIONS, className="page-actions")


def buttons(found: Detail, actor: Actor) -> list[Component]:
    """What may be done now."""
    may_stop = actor.may(Permission.STOP_EXPERIMENTS) and found.is_active and found.deleted is None
    may_delete = actor.may(Permission.DELETE_ANY_EXPERIMENT) or (
        found.is_own and actor.may(Permission.DELETE_OWN_EXPERIMENTS)
    )

    def button(id: str, text: str, name: IconName, seen: bool) -> Component:
        # Hidden, not left out: a callback waits for it, and it comes and goes with the status.
        return html.Button(
            [icon(name), text],
            id=id,
            type="button",
            className="btn btn-outline-secondary",
            style={} if seen else HIDDEN,
        )

    return [
        button(CANCEL, "Stop…", "stop-circle", may_stop),
        dcc.Link(
            [icon("layout-split"), "Compare with…"],
            href=f"/compare?ids={found.id}",
            className="btn btn-outline-secondary",
        ),
        button(DELETE, "Delete…", "trash", may_delete and found.deleted is None),
        button(RESTORE, "Restore", "arrow-clockwise", may_delete and found.deleted is not None),
    ]


def dialogs() -> list[Component]:
    """The questions that are asked before anything is done."""
    return [
        dcc.Store(id=UNDO),
        dcc.Store(id=NOTES_DRAFT),
        confirm_dialog(
            CANCEL_DIALOG,
            "Stop this experiment?",
            body="It stops after its epoch and is not started again. What it has recorded stays.",
            confirm_label="Stop experiment",
            cancel_label="Let it run",
            danger=True,
        ),
        confirm_dialog(DELETE_DIALOG, "Delete this experiment?", confirm_label="Delete", danger=True),
    ]


def notes_section(found: Detail, actor: Actor) -> Component:
    """The notes, and their editor for who may write."""
    may_write = actor.may(Permission.CREATE_EXPERIMENTS) and found.deleted is None
    edit = html.Button(
        [icon("pencil"), "Edit"],
        id=NOTES_EDIT,
        type="button",
        className="btn btn-sm btn-outline-secondary",
        style={} if may_write else HIDDEN,
    )
    editor = modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Notes", id=f"{NOTES_DIALOG}-title"), close_button=False),
            dbc.ModalBody(
                [
                    dcc.Store(id=NOTES_SEEN),
                    html.Div(
                        [
                            dbc.Label("Notes in Markdown", html_for=NOTES_TEXT),
                            dbc.Textarea(
                                id=NOTES_TEXT,
                                rows=14,
                                maxlength=50_000,
                                autofocus=True,
                            ),
                            html.Div(
                                "Images and addresses other than http, https and mailto stay text.",
                                className="form-hint",
                            ),
                        ]
                    ),
                    html.Div(
                        [
                            html.Div("Preview", className="form-label"),
                            html.Div(_markdown(found.notes), id=NOTES_PREVIEW, className="notes"),
                        ],
                        className="notes-preview",
                    ),
                ],
                class_name="notes-editor",
            ),
            dbc.ModalFooter(
                [
                    dbc.Button("Cancel", id=NOTES_CLOSE, color="secondary", outline=True),
                    dbc.Button("Save", id=NOTES_SAVE, color="primary"),
                ]
            ),
        ],
        id=NOTES_DIALOG,
        title_id=f"{NOTES_DIALOG}-title",
        size="xl",
    )
    return section("Notes", [html.Div(_markdown(found.notes), id=NOTES, className="notes"), editor], actions=edit)


def _markdown(text: str | None) -> Component:
    if not text:
        return html.P("Nothing was noted.", className="muted")
    return dcc.Markdown(safe_markdown(text), link_target="_blank", dangerously_allow_html=False)


def _say(kind: ToastKind, text: str, undo: tuple[str, object] | None = None) -> None:
    dash.set_props(TOASTS_ID, {"data": toast(kind, text, undo=undo)})


def _now(session: Any, actor: Actor, experiment_id: int) -> tuple[Any, Any, Any]:
    found = details.detail(session, actor, experiment_id)
    logging.refresh(found, actor)
    return buttons(found, actor), head.badge(found), head.summary(found)


def register(page: Page) -> None:
    """Bind the buttons."""
    _register_cancel(page)
    _register_delete(page)
    _register_notes(page)


def _register_cancel(page: Page) -> None:
    @page.callback(
        Output(CANCEL_DIALOG, "is_open"),
        Input(CANCEL, "n_clicks"),
        Input(f"{CANCEL_DIALOG}-cancel", "n_clicks"),
        Input(f"{CANCEL_DIALOG}-confirm", "n_clicks"),
        permission=Permission.STOP_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def ask_to_cancel(clicks: Any, _cancel: Any, _confirm: Any) -> bool:
        """Ask first."""
        return ctx.triggered_id == CANCEL and bool(clicks)

    @page.callback(
        Output(ACTIONS, "children", allow_duplicate=True),
        Output(head.BADGE, "children", allow_duplicate=True),
        Output(head.SUMMARY, "children", allow_duplicate=True),
        Input(f"{CANCEL_DIALOG}-confirm", "n_clicks"),
        State(f"{PREFIX}-ids", "data"),
        permission=Permission.STOP_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def cancel(clicks: Any, ids: Any) -> tuple[Any, ...]:
        """Stop it."""
        if not clicks:
            return (no_update,) * 3
        actor, experiment_id = current_actor(), first_id(ids)
        with transaction() as session:
            lifecycle.cancel(session, actor, experiment_id)
            now = _now(session, actor, experiment_id)
        _say("success", "Cancelled.")
        return now


def _register_delete(page: Page) -> None:
    @page.callback(
        Output(DELETE_DIALOG, "is_open"),
        Output(f"{DELETE_DIALOG}-body", "children"),
        Input(DELETE, "n_clicks"),
        Input(f"{DELETE_DIALOG}-cancel", "n_clicks"),
        Input(f"{DELETE_DIALOG}-confirm", "n_clicks"),
        State(f"{PREFIX}-ids", "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def ask_to_delete(clicks: Any, _cancel: Any, _confirm: Any, ids: Any) -> tuple[Any, Any]:
        """Say what goes along before anything does."""
        if ctx.triggered_id != DELETE or not clicks:
            return False, no_update
        with snapshot() as session:
            preview = editing.preview_deletion(session, current_actor(), [first_id(ids)])
        facts = key_value_list(
            [
                ("Epochs", f"{preview.epochs:,}"),
                ("Metric points", f"{preview.points:,}"),
                ("Explanations", f"{preview.explanations:,}"),
                ("Stored", size_text(preview.bytes)),
            ]
        )
        running = [html.P("It is still running and will be cancelled.")] if preview.active else []
        return True, [facts, *running, html.P(f"It can be restored for {preview.kept_days} days.", className="muted")]

    @page.callback(
        Output(ACTIONS, "children"),
        Output(head.BADGE, "children", allow_duplicate=True),
        Output(head.SUMMARY, "children", allow_duplicate=True),
        Input(f"{DELETE_DIALOG}-confirm", "n_clicks"),
        Input(UNDO, "data"),
        Input(RESTORE, "n_clicks"),
        State(f"{PREFIX}-ids", "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def delete_or_restore(confirmed: Any, undo: Any, restored: Any, ids: Any) -> tuple[Any, ...]:
        """Put it aside, or bring it back."""
        actor, experiment_id = current_actor(), first_id(ids)
        deleting = ctx.triggered_id == f"{DELETE_DIALOG}-confirm"
        if not {f"{DELETE_DIALOG}-confirm": confirmed, UNDO: undo, RESTORE: restored}.get(str(ctx.triggered_id)):
            return (no_update,) * 3
        with transaction() as session:
            change = editing.delete_experiments if deleting else editing.restore_experiments
            change(session, actor, [experiment_id])
            now = _now(session, actor, experiment_id)
        if deleting:
            _say("success", "Deleted.", undo=(UNDO, [experiment_id]))
        else:
            _say("success", "Restored.")
        return now


def _register_notes(page: Page) -> None:
    # The field itself has no delay: what is typed last must be there when “Save” is pressed.
    clientside_callback(
        ClientsideFunction("pfd", "soon"),
        Output(NOTES_DRAFT, "data"),
        Input(NOTES_TEXT, "value"),
        State(NOTES_DRAFT, "id"),
        prevent_initial_call=True,
    )

    @page.callback(
        Output(NOTES_DIALOG, "is_open"),
        Output(NOTES_TEXT, "value"),
        Output(NOTES_SEEN, "data"),
        Input(NOTES_EDIT, "n_clicks"),
        Input(NOTES_CLOSE, "n_clicks"),
        State(f"{PREFIX}-ids", "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def edit_notes(clicks: Any, _close: Any, ids: Any) -> tuple[Any, ...]:
        """Open the editor on the notes as they are now, not as they were when the page was made; or close it."""
        if ctx.triggered_id != NOTES_EDIT or not clicks:
            return False, no_update, no_update
        with snapshot() as session:
            return True, *editing.notes_to_edit(session, current_actor(), first_id(ids))

    @page.callback(
        Output(NOTES_PREVIEW, "children"),
        Input(NOTES_DRAFT, "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def preview_notes(text: Any) -> Component:
        """What is being written, as it will be shown."""
        return _markdown(text[:50_000] if isinstance(text, str) else "")

    @page.callback(
        Output(NOTES, "children"),
        Output(NOTES_DIALOG, "is_open", allow_duplicate=True),
        Input(NOTES_SAVE, "n_clicks"),
        State(NOTES_TEXT, "value"),
        State(NOTES_SEEN, "data"),
        State(f"{PREFIX}-ids", "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def save_notes(clicks: Any, text: Any, seen: Any, ids: Any) -> tuple[Any, Any]:
        """Keep what was written; where somebody else wrote meanwhile, the editor stays open with it."""
        if not clicks:
            return no_update, no_update
        actor, experiment_id = current_actor(), first_id(ids)
        with transaction() as session:
            written = text if isinstance(text, str) else ""
            editing.set_notes(session, actor, experiment_id, written, expected=str(seen))
            kept = details.detail(session, actor, experiment_id).notes
        _say("success", "Notes saved.")
        return _markdown(kept), False
