"""The dialog that deletes an account, with what becomes of what belongs to it."""

from typing import Any

import dash
from dash import Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from components.feedback import confirm_dialog
from components.toasts import TOASTS_ID, toast
from database.engine import snapshot, transaction
from pages._page import Page
from services import deletion
from services.deletion import Preview
from web.identity import current_actor

OPEN, DIALOG = "person-delete", "deletion-dialog"


def dialog() -> Component:
    """The question; what it is about is counted when it is asked."""
    made: Component = confirm_dialog(DIALOG, "Delete this account?", confirm_label="Delete account", danger=True)
    return made


def _body(found: Preview) -> list[Component]:
    parts: list[Component] = [
        html.P(
            [
                html.Strong(found.username),
                " is refused from the next request on, and the name is free again. This cannot be undone.",
            ]
        )
    ]
    for title, counts in (("Goes for good", found.goes), ("Stays, as of “Deleted user”", found.stays)):
        if counts:
            parts += [html.H3(title), html.Ul([html.Li(_counted(name, count)) for name, count in counts.items()])]
    return [html.Div(parts, className="deletion-preview")]


def _counted(name: str, count: int) -> str:
    odd = {"rows of the system log": "row of the system log", "saved searches": "saved search"}
    one = odd.get(name, name.removesuffix("s"))
    return f"{count:,} {one if count == 1 else name}"


def register(page: Page, changed: str, *, person_dialog: str, who: str) -> None:
    """Bind the dialog; `who` is the store with the person, `changed` makes the page read its table again."""

    @page.callback(
        Output(DIALOG, "is_open"),
        Output(f"{DIALOG}-body", "children"),
        Output(person_dialog, "is_open", allow_duplicate=True),
        Input(OPEN, "n_clicks"),
        Input(f"{DIALOG}-cancel", "n_clicks"),
        Input(f"{DIALOG}-confirm", "n_clicks"),
        State(who, "data"),
        prevent_initial_call=True,
    )
    def ask(clicks: Any, _cancel: Any, _confirm: Any, number: Any) -> tuple[Any, Any, Any]:
        """Say what would go and what would stay."""
        if ctx.triggered_id != OPEN:
            return False, no_update, no_update
        if not clicks or type(number) is not int:
            return no_update, no_update, no_update
        with snapshot() as session:
            found = deletion.preview(session, current_actor(), number)
        return True, _body(found), False

    @page.callback(
        Output(changed, "data", allow_duplicate=True),
        Input(f"{DIALOG}-confirm", "n_clicks"),
        State(who, "data"),
        State(changed, "data"),
        prevent_initial_call=True,
        sudo=True,
    )
    def delete(clicks: Any, number: Any, times: Any) -> Any:
        """Delete the account."""
        if not clicks or type(number) is not int:
            return no_update
        with transaction() as session:
            name = deletion.delete(session, current_actor(), number)
        dash.set_props(TOASTS_ID, {"data": toast("success", f"The account {name} was deleted.")})
        return (times if type(times) is int else 0) + 1
