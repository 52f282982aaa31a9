"""The dialog that puts tags on experiments and takes them off, for the list and for the page of one."""

import time
from collections.abc import Sequence
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.dialog import modal
from components.fields import text_field
from components.icons import icon
from components.toasts import TOASTS_ID, toast
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages._page import Page
from pages._presses import presses, store, store_of, text_in
from services.experiments import editing
from web.identity import current_actor


def target_id(prefix: str) -> str:
    """The store that opens the dialog when `target_of` some ids is put into it."""
    return f"{prefix}-tag-target"


def target_of(ids: Sequence[int]) -> dict[str, Any]:
    """What to tag; with the moment, so that the same once more opens the dialog once more."""
    return {"ids": list(ids), "asked": time.time_ns() // 1000}


def _ids(target: Any) -> list[int]:
    ids = target.get("ids") if isinstance(target, dict) else None
    return [number for number in ids if type(number) is int][:1000] if isinstance(ids, list) else []


def dialog(prefix: str) -> list[Component]:
    """The dialog and the store that opens it."""
    name = f"{prefix}-tag-name"
    return [
        dcc.Store(id=target_id(prefix)),
        store(f"{prefix}-untag"),
        modal(
            [
                dbc.ModalHeader(dbc.ModalTitle("Tags", id=f"{prefix}-tag-title"), close_button=True),
                dbc.ModalBody(
                    [
                        html.Div(
                            [
                                text_field(
                                    name,
                                    "Add a tag",
                                    hint="Kept in lower case, with dashes for blanks; at most ten on an experiment.",
                                    maxlength=50,
                                    list=f"{name}-list",
                                    autocomplete="off",
                                    autofocus=True,
                                ),
                                html.Datalist(id=f"{name}-list"),
                            ]
                        ),
                        html.Div(id=f"{prefix}-tag-present"),
                    ],
                    className="dialog-form",
                ),
                dbc.ModalFooter(
                    html.Button("Add tag", id=f"{prefix}-tag-add", type="button", className="btn btn-primary")
                ),
            ],
            id=f"{prefix}-tag-dialog",
            title_id=f"{prefix}-tag-title",
        ),
    ]


def _present(prefix: str, tags: Sequence[tuple[str, int]], total: int) -> list[Component]:
    if not tags:
        return []

    def chip(name: str, count: int) -> Component:
        part = f" on {count} of {total}" if total > 1 else ""
        return html.Li(
            html.Button(
                [name, html.Span(part, className="muted"), icon("x-lg")],
                id={"type": f"{prefix}-untag", "tag": name},
                type="button",
                className="chip chip-button",
                **attributes({"aria-label": f"Remove {name}{part}"}),
            )
        )

    return [
        html.Div("Remove", className="form-label"),
        html.Ul([chip(name, count) for name, count in tags], className="chips"),
    ]


def register(page: Page, prefix: str, done: str) -> None:
    """Bind the dialog; after each change `done` holds {"tagged": how many, "ids": which}."""
    name, present = f"{prefix}-tag-name", f"{prefix}-tag-present"
    untag = f"{prefix}-untag"

    @page.callback(
        Output(f"{prefix}-tag-dialog", "is_open"),
        Output(present, "children"),
        Output(f"{name}-list", "children"),
        Output(name, "value"),
        Output(f"{name}-error", "children"),
        Output(name, "invalid"),
        Input(target_id(prefix), "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def show(target: Any) -> tuple[Any, ...]:
        """Offer the tags there are, and those that can be taken off."""
        ids = _ids(target)
        if not ids:
            return (no_update,) * 6
        with snapshot() as session:
            known = editing.tags_like(session, current_actor(), "", 50)
            tags = editing.tags_of(session, current_actor(), ids)
        return True, _present(prefix, tags, len(ids)), [html.Option(value=word) for word in known], "", "", False

    @page.callback(
        Output(done, "data", allow_duplicate=True),
        Output(present, "children", allow_duplicate=True),
        Output(name, "value", allow_duplicate=True),
        Output(f"{name}-error", "children", allow_duplicate=True),
        Output(name, "invalid", allow_duplicate=True),
        Input(f"{prefix}-tag-add", "n_clicks"),
        Input(name, "n_submit"),
        presses(untag),
        State(name, "value"),
        State(target_id(prefix), "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def change(_add: Any, _enter: Any, off: Any, typed: Any, target: Any) -> tuple[Any, ...]:
        """Put a tag on the experiments, or take one off."""
        ids, actor = _ids(target), current_actor()
        if not ids or not (ctx.triggered and ctx.triggered[0].get("value")):
            return (no_update,) * 5  # the buttons of a dialog that was only drawn
        removing = ctx.triggered_id == store_of(untag)
        word = text_in(off, "tag") if removing else typed
        if not isinstance(word, str) or not word.strip():
            return no_update, no_update, no_update, "Type a tag first.", True
        stored = editing.tag_name(word)
        with transaction() as session:
            number = (editing.remove_tag if removing else editing.add_tag)(session, actor, ids, word)
            tags = editing.tags_of(session, actor, ids)
        _tell(stored, number, removing)
        left = no_update if removing else ""
        return {"tagged": number, "ids": ids, "name": stored}, _present(prefix, tags, len(ids)), left, "", False


def _tell(name: str, number: int, removing: bool) -> None:
    if number:
        text = f"“{name}” {'removed from' if removing else 'added to'} {number}."
    else:
        text = f"None of them carries “{name}”." if removing else f"All of them carry “{name}” already."
    dash.set_props(TOASTS_ID, {"data": toast("success" if number else "info", text)})
