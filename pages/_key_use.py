"""The cells that tell of a key how long it lasts, how much it may be used, and how much it is."""

from collections.abc import Sequence
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from components.figures import sparkline
from components.icons import IconName, icon
from components.values import number, time_tag
from services.api_requests.usage import DAYS, Use

HEADER = f"Requests, {DAYS} days"


def use_cell(use: Use | None, name: str) -> Component:
    """The count, and its course over the days where there is one."""
    if use is None or not use.total:
        return html.Span("none", className="muted")
    today = "1 today" if use.days[-1] == 1 else f"{number(use.days[-1])} today"
    return html.Span(
        [
            html.Span([number(use.total), html.Span(today, className="cell-second")], className="cell-lines num"),
            sparkline(use.days, label=f"Requests a day with {name}, days of UTC"),
        ],
        className="curve-cell key-use",
    )


def limit_cell(rate_limit: int) -> Component:
    """The limit of a key."""
    return html.Span([number(rate_limit), html.Span("an hour", className="cell-second")], className="cell-lines num")


def state_cell(look: tuple[IconName, str], state: str, expires: datetime | None, *more: Component) -> Component:
    """The state, and until or since when."""
    name, kind = look
    shown = html.Span([icon(name), state.capitalize()], className=f"status status-{kind}")
    lines: list[Component] = [html.Span(shown)]
    if expires is not None and state != "revoked":
        word = "since " if state == "expired" else "until "
        lines.append(html.Span([word, time_tag(expires, "date")], className="cell-second"))
    return html.Span([*lines, *more], className="cell-lines")


def reason_line(reason: str) -> Component:
    """Why it was revoked, on one line."""
    return html.Span(reason, className="cell-second cell-clipped", title=reason)


def last_used_cell(last_used: datetime | None, address: str | None) -> Component:
    """When and from where it was used last."""
    lines: Sequence[Component] = [time_tag(last_used)]
    if address:
        lines = [*lines, html.Span(f"from {address}", className="cell-second cell-address num")]
    return html.Span(list(lines), className="cell-lines")
