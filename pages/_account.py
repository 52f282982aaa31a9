"""What the pages of one's own account share: their names and the row of links."""

from dash.development.base_component import Component

from components.shell import page_header
from components.subnav import sub_navigation

PROFILE, SECURITY, SESSIONS, LOGINS, KEYS = (
    f"/account/{name}" for name in ("profile", "security", "sessions", "logins", "keys")
)
PAGES = (("Profile", PROFILE), ("Security", SECURITY), ("Sessions", SESSIONS), ("Sign-ins", LOGINS), ("API keys", KEYS))


def header(here: str) -> list[Component]:
    """The head of an account page."""
    return [page_header("Account"), sub_navigation(PAGES, here, label="Account")]
