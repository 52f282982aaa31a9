"""What each role may do, read from the declaration that the app enforces."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.icons import icon
from components.plain_table import Cell, plain_table
from components.shell import page_header, section
from components.toasts import TOASTS_ID, toast
from database.engine import snapshot, transaction
from models.permissions import ROLE_PERMISSIONS, Permission, Role
from pages._page import register_page
from pages._permission_words import permission_label
from services.second_factor import policy
from web.identity import current_actor

ROLES, SAVE = "roles-second-factor", "roles-second-factor-save"

page = register_page(__name__, path="/admin/roles", title="Roles", permission=Permission.MANAGE_USERS)


@page.layout
def layout(**_: str) -> Component:
    """Who needs a second factor; then permissions under each other, roles beside each other."""
    headers = ("Permission", *(_name(role) for role in Role))
    rows = [
        (permission_label(permission.value), *(_mark(role, permission) for role in Role)) for permission in Permission
    ]
    subtitle = "What a role may do is fixed by this version of PFD; who has which role is set under Users."
    return html.Div(
        [
            page_header("Roles", subtitle=subtitle),
            _second_factor(),
            section(
                "Permissions",
                html.Div(plain_table(headers, rows, label="Permissions of each role"), className="role-matrix"),
            ),
        ]
    )


def _second_factor() -> Component:
    with snapshot() as session:
        required = policy.required_roles(session)
    may = current_actor().may(Permission.SECURITY_SETTINGS)
    choices = [{"value": role.value, "label": _name(role), "disabled": not may} for role in Role]
    picked = [role.value for role in Role if role.value in required]
    save = html.Div(dbc.Button("Save", id=SAVE, color="primary", size="sm"), className="form-actions")
    told = html.Div("Only a super admin changes this.", className="form-hint")
    return section(
        "Second factor",
        [
            html.Fieldset(
                [
                    html.Legend("These roles need one", className="form-label"),
                    dbc.Checklist(id=ROLES, options=choices, value=picked, className="role-choices"),
                ]
            ),
            save if may else told,
        ],
        hint="Who has none is led to its set-up at the next click; nobody is locked out.",
    )


@page.callback(
    Output(ROLES, "value"),
    Input(SAVE, "n_clicks"),
    State(ROLES, "value"),
    permission=Permission.SECURITY_SETTINGS,
    sudo=True,
    prevent_initial_call=True,
)
def require_second_factor(clicks: Any, roles: Any) -> Any:
    """Store which roles need one."""
    if not clicks:
        return no_update
    wanted = [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
    with transaction() as session:
        policy.require_for(session, current_actor(), wanted)
    dash.set_props(TOASTS_ID, {"data": toast("success", "Saved. It counts from everybody's next click on.")})
    return wanted


def _name(role: Role) -> str:
    return role.value.replace("_", " ").capitalize()


def _mark(role: Role, permission: Permission) -> Cell:
    if permission in ROLE_PERMISSIONS[role]:
        return icon("check-lg", label="yes")
    return html.Span("–", className="muted", role="img", **attributes({"aria-label": "no"}))
