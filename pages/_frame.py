"""The frame around the pages: navigation by permission, account menu, stores that every page shares."""

from typing import Any

import dash
from dash import dcc, html
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from components.preferences import preference_stores
from components.shell import NavEntry, NavGroup, UserBadge, shell
from components.still import still
from database.engine import snapshot
from models.permissions import has_permission
from services import profile
from web.identity import current_session

# Group, and the paths of its pages in order; an entry shows once its page exists and may be opened.
GROUPS: tuple[tuple[str | None, tuple[tuple[str, str, str], ...]], ...] = (
    (None, (("/", "Home", "house"), ("/experiments", "Experiments", "list"), ("/compare", "Compare", "layout-split"))),
    (
        "API",
        (
            ("/api-metrics", "Metrics", "bar-chart"),
            ("/api-metrics/requests", "Request log", "list"),
            ("/api-metrics/alerts", "Alerts", "bell"),
            ("/api/docs", "Explorer", "file-earmark"),
        ),
    ),
    (
        "Admin",
        (
            ("/admin/users", "Users", "people"),
            ("/admin/roles", "Roles", "shield-lock"),
            ("/admin/keys", "API keys", "key"),
            ("/admin/logs", "System log", "file-earmark"),
            ("/admin/health", "Health", "activity"),
        ),
    ),
)

# What belongs to the person stands in their menu, not in the side bar.
ACCOUNT: tuple[tuple[str, str, str], ...] = (
    ("/account/profile", "Profile", "person"),
    ("/account/security", "Security", "shield-lock"),
    ("/account/sessions", "Sessions", "plug"),
    ("/account/logins", "Sign-ins", "clock"),
    ("/account/keys", "API keys", "key"),
)

# What people look for and which page has it under another name; only the search box shows it.
WORDS = {
    "/experiments": "runs trainings jobs",
    "/api-metrics": "api usage requests latency errors percentiles",
    "/api/docs": "api documentation openapi rest endpoints swagger",
    "/api-metrics/requests": "api calls samples failed slow",
    "/api-metrics/alerts": "api rules thresholds error rate latency",
    "/admin/users": "people members accounts invite invitation",
    "/admin/roles": "permissions second factor required",
    "/admin/logs": "audit log trail activity",
    "/admin/health": "system workers queue database disk memory",
    "/account/profile": "settings preferences name time zone theme dark density e-mail email address",
    "/account/security": "2fa two-factor second factor mfa totp authenticator app passkeys backup codes password",
    "/account/sessions": "devices sign out everywhere",
    "/account/logins": "login history log-ins attempts",
    "/account/keys": "tokens api",
}


def navigation() -> list[NavGroup]:
    """What the person may open, in groups."""
    groups = []
    for label, entries in GROUPS:
        shown = _allowed(entries)
        if shown:
            groups.append(NavGroup(label, shown))
    return groups


def _allowed(entries: tuple[tuple[str, str, str], ...]) -> list[NavEntry]:
    allowed = {page["path"] for page in dash.page_registry.values() if has_permission(current_user, page["permission"])}
    return [
        NavEntry(text, path, icon, WORDS.get(path, ""))  # type: ignore[arg-type]
        for path, text, icon in entries
        if path in allowed
    ]


def frame() -> Any:
    """The layout of the app for whoever is signed in."""
    signed_in = current_session()
    with snapshot() as session:
        known = profile.read(session, signed_in.actor)
    return still(
        html.Div(
            [
                dcc.Location(id="address", refresh="callback-nav"),
                *preference_stores({"theme": known.theme, "density": known.density, "zone": known.time_zone}),
                shell(
                    navigation=navigation(),
                    user=UserBadge(known.name, signed_in.actor.role.replace("_", " "), signed_in.email),
                    page_container=dash.page_container,
                    csrf_token=generate_csrf(),
                    account_entries=_allowed(ACCOUNT),
                ),
            ]
        )
    )
