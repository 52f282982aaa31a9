"""The tags of one experiment, and the way to change them for who may."""

from typing import Any

from dash import Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from components.icons import icon
from components.values import NOTHING, tag_list
from database.engine import snapshot
from models.permissions import Permission
from pages import _tag_dialog
from pages._experiment_ids import PREFIX, first_id
from pages._page import Page
from services.actor import Actor
from services.experiments import editing
from services.experiments.details import Detail
from web.identity import current_actor

TAGS, EDIT, DONE = f"{PREFIX}-tags", f"{PREFIX}-tags-edit", f"{PREFIX}-tagged"


def tags(found: Detail, actor: Actor) -> Component:
    """The tags, with a button behind them."""
    may_edit = actor.may(Permission.CREATE_EXPERIMENTS) and found.deleted is None
    edit = html.Button(
        [icon("tag"), "Edit tags"],
        id=EDIT,
        type="button",
        className="btn btn-sm btn-outline-secondary",
        style={} if may_edit else {"display": "none"},
    )
    return html.Div([html.Div(_shown(found.tags), id=TAGS), edit], className="tags-line")


def _shown(names: Any) -> Component | str:
    return tag_list(names) if names else NOTHING


def parts() -> list[Component]:
    """The dialog and what it reports to."""
    return [dcc.Store(id=DONE), *_tag_dialog.dialog(PREFIX)]


def register(page: Page) -> None:
    """Bind the button and the dialog."""
    _tag_dialog.register(page, PREFIX, DONE)

    @page.callback(
        Output(_tag_dialog.target_id(PREFIX), "data"),
        Input(EDIT, "n_clicks"),
        State(f"{PREFIX}-ids", "data"),
        permission=Permission.CREATE_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def edit(clicks: Any, ids: Any) -> Any:
        """Open the dialog."""
        return _tag_dialog.target_of([first_id(ids)]) if clicks else no_update

    @page.callback(
        Output(TAGS, "children"), Input(DONE, "data"), State(f"{PREFIX}-ids", "data"), prevent_initial_call=True
    )
    def show(_done: Any, ids: Any) -> Any:
        """The tags as they are now."""
        with snapshot() as session:
            return _shown([name for name, _ in editing.tags_of(session, current_actor(), [first_id(ids)])])
