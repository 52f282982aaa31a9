"""Pages that belong together, as a row of links above them."""

from collections.abc import Sequence

from dash import dcc, html

from components.attributes import attributes


def sub_navigation(entries: Sequence[tuple[str, str]], here: str, *, label: str) -> html.Nav:
    """Links of (label, href); the one to `here` is marked as the page that is open."""
    links = [
        html.Li(
            dcc.Link(text, href=href, className="sub-nav-entry"),
            className="sub-nav-item is-here" if href == here else "sub-nav-item",
            **(attributes({"aria-current": "page"}) if href == here else {}),
        )
        for text, href in entries
    ]
    return html.Nav(html.Ul(links), className="sub-nav", **attributes({"aria-label": label}))
