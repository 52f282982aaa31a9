"""The frame around every page: side bar, account menu, top bar of a phone, toasts and palette."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import attributes
from components.icons import IconName, icon
from components.toasts import TOASTS_ID

PAGE_VISIBLE_ID = "page-visible"
ACCOUNT_NAME_ID = "account-name"
MAIN_ID = "main-content"

Content = Component | str | Sequence[Component | str] | None


@dataclass(frozen=True)
class NavEntry:
    """One page in the side bar and in the command palette."""

    label: str
    href: str
    icon: IconName = "chevron-right"
    words: str = ""  # what else somebody may look for it by


@dataclass(frozen=True)
class NavGroup:
    """Pages that belong together; a group without a label stands on its own."""

    label: str | None
    entries: Sequence[NavEntry] = field(default_factory=tuple)


@dataclass(frozen=True)
class UserBadge:
    """Who is signed in, as the account menu shows it."""

    name: str
    role: str
    email: str = ""


def shell(
    *,
    navigation: Sequence[NavGroup],
    user: UserBadge,
    page_container: Component,
    csrf_token: str,
    account_entries: Sequence[NavEntry] = (),
    sign_out_href: str = "/logout",
    experiment_search_href: str | None = "/search/experiments",
    brand: str = "PFD",
) -> html.Div:
    """Frame the pages; only the entries given are drawn, and a group without entries vanishes."""
    groups = [group for group in navigation if group.entries]
    return html.Div(
        [
            _top_bar(brand),
            html.Div(className="drawer-backdrop", **attributes({"data-drawer-close": "true"})),
            html.Aside(
                [
                    _brand_row(brand),
                    _palette_button(),
                    html.Nav(
                        [_nav_group(group) for group in groups],
                        className="side-nav",
                        **attributes({"aria-label": "Main"}),
                    ),
                    _account_menu(user, account_entries, csrf_token, sign_out_href),
                ],
                id="side-bar",
                className="side-bar",
                **attributes({"aria-label": "Side bar"}),
            ),
            html.Main(page_container, id=MAIN_ID, className="page", tabIndex=-1),
            html.Div(
                id="toast-region", className="toast-region", role="region", **attributes({"aria-label": "Messages"})
            ),
            html.Div(id="announcer", className="visually-hidden", role="status", **attributes({"aria-live": "polite"})),
            dcc.Store(id=TOASTS_ID),
            dcc.Store(id=PAGE_VISIBLE_ID, data=True),
        ],
        id="shell",
        className="shell",
        **attributes(
            {
                "data-pages": _palette_pages([*groups, NavGroup("Account", account_entries)]),
                "data-experiment-search": experiment_search_href or "",
                "data-brand": brand,
            }
        ),
    )


def page_header(
    title: str,
    *,
    breadcrumbs: Sequence[tuple[str, str]] = (),
    actions: Content = None,
    subtitle: Content = None,
    badge: Component | None = None,
) -> html.Header:
    """Head a page: where it is, what it is, what can be done; breadcrumbs are (label, href) of the pages above."""
    trail = html.Nav(
        html.Ol([html.Li(dcc.Link(label, href=href)) for label, href in breadcrumbs]),
        className="breadcrumbs",
        **attributes({"aria-label": "Breadcrumb"}),
    )
    return html.Header(
        [
            trail if breadcrumbs else None,
            html.Div(
                [
                    html.Div(
                        [
                            html.Div([html.H1(title, className="page-title"), badge], className="page-title-row"),
                            html.Div(subtitle, className="page-subtitle") if subtitle is not None else None,
                        ],
                        className="page-heading",
                    ),
                    html.Div(actions, className="page-actions") if actions is not None else None,
                ],
                className="page-header-row",
            ),
        ],
        className="page-header",
    )


def section(
    title: str, children: Content, *, actions: Content = None, hint: str | None = None, id: str | None = None
) -> html.Section:
    """A titled part of a page, told apart by space and a heading instead of a box."""
    head = html.Div(
        [
            html.H2(title, className="section-title"),
            html.Span(hint, className="section-hint") if hint else None,
            html.Div(actions, className="section-actions") if actions is not None else None,
        ],
        className="section-head",
    )
    options: dict[str, Any] = {} if id is None else {"id": id}
    return html.Section([head, html.Div(children, className="section-body")], className="section", **options)


def _top_bar(brand: str) -> html.Header:
    return html.Header(
        [
            html.Button(
                icon("list"),
                type="button",
                className="icon-button",
                **attributes(
                    {
                        "aria-label": "Open navigation",
                        "aria-controls": "side-bar",
                        "aria-expanded": "false",
                        "data-drawer-open": "true",
                    }
                ),
            ),
            dcc.Link(
                [html.Span(className="brand-mark", **attributes({"aria-hidden": "true"})), brand],
                href="/",
                className="brand",
            ),
            html.Button(
                icon("search"),
                type="button",
                className="icon-button",
                **attributes({"aria-label": "Search pages and experiments", "data-palette-open": "true"}),
            ),
        ],
        className="top-bar",
    )


def _brand_row(brand: str) -> html.Div:
    return html.Div(
        [
            dcc.Link(
                [
                    html.Span(className="brand-mark", **attributes({"aria-hidden": "true"})),
                    html.Span(brand, className="brand-name"),
                ],
                href="/",
                className="brand",
                title=f"{brand} home",
            ),
            html.Button(
                icon("layout-sidebar"),
                type="button",
                className="icon-button side-bar-toggle",
                **attributes(
                    {"aria-label": "Collapse side bar", "aria-expanded": "true", "data-sidebar-toggle": "true"}
                ),
            ),
            html.Button(
                icon("x-lg"),
                type="button",
                className="icon-button drawer-close",
                **attributes({"aria-label": "Close navigation", "data-drawer-close": "true"}),
            ),
        ],
        className="brand-row",
    )


def _palette_button() -> html.Button:
    return html.Button(
        [
            icon("search"),
            html.Span("Search", className="nav-label"),
            html.Kbd("Ctrl K", className="nav-label", **attributes({"aria-hidden": "true"})),
        ],
        type="button",
        className="palette-button",
        title="Search pages and experiments",
        **attributes({"data-palette-open": "true", "aria-keyshortcuts": "Control+K /"}),
    )


def _nav_group(group: NavGroup) -> html.Div:
    heading = html.Div(html.Span(group.label), className="nav-group-label") if group.label else None
    links = [
        html.Li(
            dcc.Link(
                [icon(entry.icon), html.Span(entry.label, className="nav-label")],
                href=entry.href,
                className="nav-entry",
                title=entry.label,
            )
        )
        for entry in group.entries
    ]
    return html.Div([heading, html.Ul(links)], className="nav-group")


def _account_menu(user: UserBadge, entries: Sequence[NavEntry], csrf_token: str, sign_out_href: str) -> html.Details:
    initials = "".join(word[0] for word in user.name.split()[:2]).upper() or "?"
    sign_out = html.Form(
        [
            dbc.Input(type="hidden", name="csrf_token", value=csrf_token),
            html.Button([icon("box-arrow-right"), "Sign out"], type="submit", className="menu-item"),
        ],
        action=sign_out_href,
        method="POST",
        className="sign-out-form",
    )
    return html.Details(
        [
            html.Summary(
                [
                    html.Span(initials, className="avatar", **attributes({"aria-hidden": "true"})),
                    html.Span(
                        [
                            html.Span(user.name, id=ACCOUNT_NAME_ID, className="account-name"),
                            html.Span(user.role, className="account-role"),
                        ],
                        className="account-text nav-label",
                    ),
                ],
                className="account-button",
                title=user.name,
                **attributes({"aria-label": f"Account of {user.name}"}),
            ),
            html.Div(
                [
                    html.Div(user.email, className="menu-note") if user.email else None,
                    *[
                        dcc.Link([icon(entry.icon), entry.label], href=entry.href, className="menu-item")
                        for entry in entries
                    ],
                    theme_switch(),
                    sign_out,
                ],
                className="menu-items",
            ),
        ],
        className="menu menu-up account",
        **attributes({"data-menu": "true"}),
    )


def theme_switch() -> html.Div:
    """Three buttons that set the theme; theme.js keeps them pressed and remembers the choice."""
    choices: tuple[tuple[str, str, IconName], ...] = (
        ("light", "Light", "sun"),
        ("dark", "Dark", "moon"),
        ("system", "System", "circle-half"),
    )
    return html.Div(
        [
            html.Button(
                [icon(name), html.Span(label)],
                type="button",
                className="segment",
                **attributes({"data-theme-choice": value, "aria-pressed": "false"}),
            )
            for value, label, name in choices
        ],
        className="segmented theme-switch",
        role="group",
        **attributes({"aria-label": "Theme"}),
    )


def _palette_pages(groups: Sequence[NavGroup]) -> str:
    pages = [
        {"label": entry.label, "href": entry.href, "icon": entry.icon, "group": group.label or "", "words": entry.words}
        for group in groups
        for entry in group.entries
    ]
    return json.dumps(pages)
