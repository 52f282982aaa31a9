"""What stands at an address that no page has."""

from dash import dcc
from dash.development.base_component import Component

from components.feedback import error_state
from models.permissions import Permission
from pages._page import register_page
from web.tracing import request_id

page = register_page(__name__, path="/404", title="Not found", permission=Permission.VIEW_EXPERIMENTS)


@page.layout
def layout(**_: str) -> Component:
    """Say so, and lead home."""
    return error_state(
        "Not found",
        "There is no page at this address.",
        request_id=request_id(),
        action=dcc.Link("Home", href="/", className="btn btn-primary"),
    )
