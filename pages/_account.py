"""What the pages of one's own account share: their names and the row of links."""

from dash.development.base_component import Component

from components.shell import page_header
from components.subnav import sub_navigation

SECURITY, SESSIONS, LOGINS = "/account/security", "/account/sessions", "/account/logins"
PAGES = (("Password", SECURITY), ("Sessions", SESSIONS), ("Sign-ins", LOGINS))


def header(here: str) -> list[Component]:
    """The head of an account page."""
    return [page_header("Account"), sub_navigation(PAGES, here, label="Account")]
