"""Plain values as text: times, durations, numbers, pairs of name and value."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from dash import html
from dash.development.base_component import Component

from components.attributes import attributes
from components.icons import icon

TimeFormat = Literal["relative", "datetime", "second", "date", "time"]
NOTHING = "–"


def time_tag(moment: datetime | str | None, format: TimeFormat = "relative") -> html.Time | html.Span:
    """A moment that times.js shows in the viewer's zone, with the full stamp on hover; a naive one is UTC."""
    if moment is None:
        return html.Span(NOTHING, className="muted")
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    stamp = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return html.Time(
        stamp.strftime("%Y-%m-%d %H:%M UTC"),
        dateTime=stamp.isoformat(timespec="seconds").replace("+00:00", "Z"),
        className="num",
        **attributes({"data-format": format}),
    )


def duration_text(seconds: float | None) -> str:
    """A span of time in its two largest units: 3.2 s, 4 min 10 s, 2 h 5 min, 3 d 4 h."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return NOTHING
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def number(value: float | int | None, digits: int = 4) -> str:
    """A number at a readable length: thousands grouped, small ones in powers, NaN and infinity by name."""
    if value is None:
        return NOTHING
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    size = abs(value)
    if size != 0 and (size < 10 ** -max(digits - 1, 1) or size >= 1e9):
        mantissa, exponent = f"{value:.{max(digits - 2, 1)}e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    if value == int(value) and size >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:,.{digits}f}".replace("-", "−")


def size_text(count: int | None) -> str:
    """Bytes in the unit in which they are read: 512 B, 1.5 kB, 23 MB, 4.1 GB."""
    if count is None:
        return NOTHING
    size, units = float(count), ("B", "kB", "MB", "GB", "TB")
    place = 0
    while size >= 999.5 and place < len(units) - 1:
        size, place = size / 1000, place + 1
    return f"{size:.1f} {units[place]}" if place and size < 9.95 else f"{size:.0f} {units[place]}"


def stat(label: str, value: Component | str, *, hint: Component | str | None = None) -> html.Div:
    """One figure with its name, in type alone."""
    return html.Div(
        [
            html.Dt(label, className="stat-label"),
            html.Dd(value, className="stat-value num"),
            html.Dd(hint, className="stat-hint") if hint is not None else None,
        ],
        className="stat",
    )


def stat_row(stats: Sequence[Component]) -> html.Dl:
    """Several figures in a row, parted by space and a hairline."""
    return html.Dl(list(stats), className="stat-row")


def key_value_list(pairs: Sequence[tuple[str, Component | str | None]]) -> html.Dl:
    """Names and values under each other."""
    return html.Dl(
        [
            html.Div([html.Dt(name), html.Dd(NOTHING if value is None or value == "" else value)], className="kv")
            for name, value in pairs
        ],
        className="key-values",
    )


def tag_list(tags: Sequence[str]) -> html.Ul:
    """Tags as quiet chips."""
    return html.Ul([html.Li(tag, className="chip") for tag in tags], className="chips")


def copy_button(text: str, *, label: str = "Copy") -> html.Button:
    """A button that puts a text on the clipboard; clipboard.js does it."""
    return html.Button(
        icon("clipboard"),
        type="button",
        className="icon-button copy-button",
        title=label,
        **attributes({"data-copy": text, "aria-label": label}),
    )


def progress(value: float, maximum: float, *, label: str) -> html.Div:
    """How much of the whole is done."""
    share = 0.0 if maximum <= 0 else min(max(value / maximum, 0.0), 1.0)
    return html.Div(
        html.Div(className="progress-fill", style={"width": f"{share:.1%}"}),
        className="progress-track",
        role="progressbar",
        **attributes(
            {
                "aria-label": label,
                "aria-valuemin": "0",
                "aria-valuemax": "100",
                "aria-valuenow": f"{share * 100:.0f}",
            }
        ),
    )
