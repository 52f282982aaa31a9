"""The people of the installation: who they are, inviting them, changing what they may do."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import empty_state
from components.icons import IconName, icon
from components.plain_table import plain_table
from components.shell import page_header
from components.values import time_tag
from database.engine import snapshot
from models.permissions import Permission, Role
from pages import _deletion_dialog as deleting
from pages import _invite_dialog as inviting
from pages import _person_dialog as changing
from pages._page import register_page
from pages._presses import number_in, presses, store
from pages._turning import style_of, turn_button
from services import people
from services.people import Person
from web.identity import current_actor

page = register_page(__name__, path="/admin/users", title="Users", permission=Permission.MANAGE_USERS)

TABLE, SEARCH, ROLE, AFTER, NEXT, FIRST = (
    f"users-{word}" for word in ("table", "search", "role", "after", "next", "first")
)
CHANGED = "users-changed"  # grows with each change, so that the table is read again
ROLE_CHOICES = [{"value": role.value, "label": role.value.replace("_", " ")} for role in Role]
ALL_ROLES = "all"
STATES: dict[str, tuple[IconName, str]] = {
    "active": ("check-circle", "completed"),
    "invited": ("clock", "pending"),
    "invitation ended": ("exclamation-circle", "paused"),
    "disabled": ("ban", "cancelled"),
}


@page.layout
def layout(**_: str) -> Component:
    """The first people by name."""
    table, following = _table("", None, None)
    return html.Div(
        [
            page_header(
                "Users",
                actions=html.Button(
                    [icon("plus-lg"), "Invite"], id=inviting.OPEN, type="button", className="btn btn-primary"
                ),
            ),
            html.Div(
                [
                    html.Div(
                        [
                            dbc.Label("Search", html_for=SEARCH, class_name="visually-hidden"),
                            dbc.Input(
                                id=SEARCH,
                                type="search",
                                placeholder="Search names and addresses",
                                debounce=300,
                                maxlength=100,
                            ),
                        ],
                        className="toolbar-search",
                    ),
                    html.Div(
                        [
                            dbc.Label("Role", html_for=ROLE, class_name="visually-hidden"),
                            dbc.Select(
                                id=ROLE,
                                value=ALL_ROLES,
                                options=[{"value": ALL_ROLES, "label": "All roles"}, *ROLE_CHOICES],
                            ),
                        ]
                    ),
                ],
                className="inline-controls toolbar-spaced",
            ),
            html.Div(table, id=TABLE),
            html.Div(
                [turn_button(FIRST, "First", seen=False), turn_button(NEXT, "Further", seen=following is not None)],
                className="form-actions",
            ),
            dcc.Store(id=AFTER, data=following),
            dcc.Store(id=CHANGED),
            store(changing.OPEN),
            inviting.dialog(ROLE_CHOICES),
            changing.dialog(),
            deleting.dialog(),
        ]
    )


def _table(text: str, role: str | None, after: str | None) -> tuple[Component, str | None]:
    with snapshot() as session:
        found, following = people.page(session, current_actor(), text=text, role=role, after=after)
    if not found:
        return empty_state("Nobody matches", "Clear the search to see everybody.", icon_name="people"), None
    headers = ("Name", "E-mail", "Role", "State", "Two-factor", "Last sign-in", "Sessions", "Keys", "")
    return plain_table(headers, [_row(item) for item in found], label="Users", numeric=(6, 7)), following


def _row(item: Person) -> Sequence[Component | str]:
    name, kind = STATES[item.state]
    change = html.Button(
        [icon("pencil"), "Change"],
        id={"type": changing.OPEN, "id": item.id},
        type="button",
        className="btn btn-sm btn-outline-secondary",
        title=f"Change {item.username}",
        **attributes({"aria-label": f"Change {item.username}"}),
    )
    return (
        item.username,
        item.email,
        item.role.replace("_", " "),
        html.Span(
            [
                html.Span([icon(name), item.state.capitalize()], className=f"status status-{kind}"),
                html.Span("new password required", className="cell-second") if item.must_choose_password else None,
            ],
            className="cell-lines",
        ),
        "on" if item.two_factor else html.Span("off", className="muted"),
        time_tag(item.last_sign_in),
        f"{item.sessions:,}",
        f"{item.keys:,}",
        change if item.may_change else "",
    )


@page.callback(
    Output(TABLE, "children"),
    Output(AFTER, "data"),
    Output(NEXT, "style"),
    Output(FIRST, "style"),
    Input(SEARCH, "value"),
    Input(ROLE, "value"),
    Input(NEXT, "n_clicks"),
    Input(FIRST, "n_clicks"),
    Input(CHANGED, "data"),
    State(AFTER, "data"),
    prevent_initial_call=True,
)
def find(text: Any, role: Any, _next: Any, _first: Any, _changed: Any, after: Any) -> tuple[Any, ...]:
    """Those who match, or those who follow."""
    further = ctx.triggered_id == NEXT and isinstance(after, str)
    words = text if isinstance(text, str) else ""
    wanted = role if isinstance(role, str) and role != ALL_ROLES else None
    table, following = _table(words, wanted, after if further else None)
    return table, following, style_of(following is not None), style_of(further)


@page.callback(
    Output(inviting.DIALOG, "is_open"),
    Input(inviting.OPEN, "n_clicks"),
    Input(inviting.CLOSE, "n_clicks"),
    prevent_initial_call=True,
)
def open_invitation(clicks: Any, _close: Any) -> bool:
    """Open or close the dialog."""
    return ctx.triggered_id == inviting.OPEN and bool(clicks)


inviting.register(page, CHANGED)
changing.register(page, CHANGED, ROLE_CHOICES)
deleting.register(page, CHANGED, person_dialog=changing.DIALOG, who=changing.WHO)


@page.callback(
    Output(changing.DIALOG, "is_open"),
    Output(changing.BODY, "children"),
    Output(changing.WHO, "data"),
    presses(changing.OPEN),
    Input(changing.CLOSE, "n_clicks"),
    prevent_initial_call=True,
)
def open_person(press: Any, _close: Any) -> tuple[Any, Any, Any]:
    """Open the dialog of one person with what is true now."""
    if ctx.triggered_id == changing.CLOSE:
        return False, no_update, no_update
    number = number_in(press)
    if number is None:
        return no_update, no_update, no_update
    with snapshot() as session:
        found = people.get(session, current_actor(), number)
    return True, changing.body(found, ROLE_CHOICES), found.id
