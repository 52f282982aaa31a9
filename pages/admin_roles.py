"""What each role may do, read from the declaration that the app enforces."""

import re

from dash import html
from dash.development.base_component import Component

from components.attributes import attributes
from components.icons import icon
from components.plain_table import Cell, plain_table
from components.shell import page_header
from models.permissions import ROLE_PERMISSIONS, Permission, Role
from pages._page import register_page

_ABBREVIATIONS = re.compile(r"\b(?:api|hpo|xai)\b")

page = register_page(__name__, path="/admin/roles", title="Roles", permission=Permission.MANAGE_USERS)


@page.layout
def layout(**_: str) -> Component:
    """Permissions under each other, roles beside each other."""
    headers = ("Permission", *(role.value.replace("_", " ").capitalize() for role in Role))
    rows = [(_words(permission), *(_mark(role, permission) for role in Role)) for permission in Permission]
    subtitle = "What a role may do is fixed by this version of PFD; who has which role is set under Users."
    return html.Div(
        [
            page_header("Roles", subtitle=subtitle),
            html.Div(plain_table(headers, rows, label="Permissions of each role"), className="role-matrix"),
        ]
    )


def _words(permission: Permission) -> str:
    words = permission.value.replace("_", " ").capitalize()
    return _ABBREVIATIONS.sub(lambda found: found[0].upper(), words)


def _mark(role: Role, permission: Permission) -> Cell:
    if permission in ROLE_PERMISSIONS[role]:
        return icon("check-lg", label="yes")
    return html.Span("–", className="muted", role="img", **attributes({"aria-label": "no"}))
