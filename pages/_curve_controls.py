"""How curves are shown: the toolbar over the panels, and what its controls say; all of it is a stranger's word."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import attributes
from components.icons import icon
from services.curves.panels import MOST_PANELS, Axis, Panel, View

AXES: dict[Axis, str] = {"step": "Step", "epoch": "Epoch", "wall": "Wall time", "relative": "Relative time"}
AXIS_TITLES: dict[Axis, str] = {
    "step": "Step",
    "epoch": "Epoch",
    "wall": "Time",
    "relative": "Time from start",
}
FLAGS = {"log_x": "Log x", "log_y": "Log y", "clip": "Clip outliers"}
STRONGEST = 0.99


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the axis that is looked at; `y` is what the panel `panel` was zoomed to."""

    axis: Axis
    low: float
    high: float
    panel: str | None = None
    y: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the reader chose."""

    axis: Axis = "step"
    smoothing: float = 0.0
    flags: tuple[str, ...] = ()
    text: str = ""
    window: Window | None = None

    def view(self, lines: int) -> View:
        """The view of a panel of so many lines: few lines get every point, many share what a screen can show."""
        part = self.window
        return View(
            axis=self.axis,
            smoothing=self.smoothing,
            log_x="log_x" in self.flags,
            low=None if part is None else part.low,
            high=None if part is None else part.high,
            clip="clip" in self.flags,
            points=max(200, min(2000, 4000 // max(1, lines))),
        )

    @property
    def signature(self) -> str:
        """A text that differs whenever a panel would be drawn differently."""
        part = self.window
        seen = "" if part is None else f"{part.low!r}:{part.high!r}:{part.panel}:{part.y}"
        return f"{self.axis}|{self.smoothing:g}|{','.join(self.flags)}|{seen}"

    @property
    def query(self) -> dict[str, str]:
        """The choices as the parameters of an address; what is as usual stays out of it."""
        said = {
            "x": self.axis if self.axis != "step" else "",
            "smoothing": f"{self.smoothing:g}" if self.smoothing else "",
            "show": ",".join(self.flags),
            "panels": self.text,
        }
        if self.window is not None:
            said |= {"low": repr(self.window.low), "high": repr(self.window.high)}
        return {name: value for name, value in said.items() if value}


def choices_from(
    axis: Any = None, smoothing: Any = None, flags: Any = None, text: Any = None, zoom: Any = None
) -> Choices:
    """Choices from controls or an address; whatever is not well-formed is as if it had not been said."""
    if isinstance(flags, str):
        flags = flags.split(",")
    chosen: Axis = axis if isinstance(axis, str) and axis in AXES else "step"
    return Choices(
        axis=chosen,
        smoothing=round(min(max(_finite(smoothing) or 0.0, 0.0), STRONGEST), 2),
        flags=tuple(name for name in FLAGS if isinstance(flags, list) and name in flags),
        text=text.strip()[:100] if isinstance(text, str) else "",
        window=_window(zoom, chosen),
    )


def _window(zoom: Any, axis: Axis) -> Window | None:
    if not isinstance(zoom, dict) or zoom.get("axis") != axis:
        return None
    limits = _pair(zoom.get("low"), zoom.get("high"))
    if limits is None:
        return None
    panel, y = zoom.get("panel"), zoom.get("y")
    height = _pair(*y) if isinstance(y, list) and len(y) == 2 else None
    return Window(axis, *limits, panel if isinstance(panel, str) else None, height)


def _pair(low: Any, high: Any) -> tuple[float, float] | None:
    first, second = _finite(low), _finite(high)
    if first is None or second is None or first == second:
        return None
    return min(first, second), max(first, second)


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < 1e300 else None


def page_of(panels: Sequence[Panel], text: str, page: Any) -> tuple[list[Panel], int, int]:
    """The panels of one page of those whose name has the text: they, the page's number from 0, how many match."""
    words = text.casefold().split()
    found = [panel for panel in panels if all(word in f"{panel.title} {panel.key}".casefold() for word in words)]
    last = max(0, (len(found) - 1) // MOST_PANELS)
    number = min(max(page, 0), last) if isinstance(page, int) and not isinstance(page, bool) else 0
    return found[number * MOST_PANELS : (number + 1) * MOST_PANELS], number, len(found)


def search_of(query: dict[str, str]) -> str:
    """The query part of an address."""
    return f"?{urlencode(query, safe=',')}" if query else ""


def without_window(choices: Choices) -> Choices:
    """The same choices, not zoomed."""
    return replace(choices, window=None)


def toolbar(prefix: str, choices: Choices) -> Component:
    """Smoothing, axis, scales and the filter of panels; each control has a label that is read out."""
    smoothing, output = f"{prefix}-smoothing", f"{prefix}-smoothing-value"
    return html.Div(
        [
            html.Div(
                [
                    dbc.Label("Smoothing", html_for=smoothing),
                    dbc.Input(
                        id=smoothing,
                        type="range",
                        min=0,
                        max=STRONGEST,
                        step=0.01,
                        value=choices.smoothing,
                        debounce=150,
                        class_name="form-range",
                    ),
                    html.Span(
                        f"{choices.smoothing:.2f}",
                        id=output,
                        className="num range-value",
                        **attributes({"data-range-of": smoothing, "aria-hidden": "true"}),
                    ),
                ],
                className="toolbar-range",
            ),
            html.Div(
                [
                    dbc.Label("X axis", html_for=f"{prefix}-axis"),
                    dbc.Select(
                        id=f"{prefix}-axis",
                        value=choices.axis,
                        options=[{"label": label, "value": name} for name, label in AXES.items()],
                        size="sm",
                    ),
                ],
                className="toolbar-pair",
            ),
            html.Fieldset(
                [
                    html.Legend("Scales", className="visually-hidden"),
                    dbc.Checklist(
                        id=f"{prefix}-flags",
                        options=[{"label": label, "value": name} for name, label in FLAGS.items()],
                        value=list(choices.flags),
                        inline=True,
                    ),
                ],
                className="toolbar-flags",
            ),
            html.Div(
                [
                    dbc.Label("Filter panels", html_for=f"{prefix}-filter", class_name="visually-hidden"),
                    dbc.Input(
                        id=f"{prefix}-filter",
                        type="search",
                        value=choices.text,
                        placeholder="Filter panels",
                        debounce=300,
                        maxlength=100,
                        size="sm",
                    ),
                ],
                className="toolbar-filter",
            ),
            dcc.Store(id=f"{prefix}-zoom", data={} if choices.window is None else _as_data(choices.window)),
            dcc.Store(id=f"{prefix}-page", data=0),
        ],
        className="toolbar curve-toolbar",
        role="group",
        **attributes({"aria-label": "How curves are shown"}),
    )


def _as_data(window: Window) -> dict[str, Any]:
    return {"axis": window.axis, "low": window.low, "high": window.high, "panel": None, "y": None}


def pager(prefix: str, said: str, style: dict[str, str]) -> Component:
    """Back and forth between pages of panels; hidden while there is one."""

    def button(word: str, label: str, name: Any) -> Component:
        return html.Button(
            icon(name),
            id=f"{prefix}-{word}",
            type="button",
            className="btn btn-sm btn-outline-secondary",
            **attributes({"aria-label": label}),
        )

    return html.Div(
        [
            html.Span(said, id=f"{prefix}-range", className="num muted", **attributes({"aria-live": "polite"})),
            button("previous", "Previous panels", "arrow-left"),
            button("next", "Next panels", "arrow-right"),
        ],
        id=f"{prefix}-pager",
        className="pager",
        style=style,
    )


def pager_state(number: int, found: int, total: int) -> tuple[str, dict[str, str]]:
    """What the pager says, and whether it is seen."""
    first = number * MOST_PANELS + 1 if found else 0
    last = min((number + 1) * MOST_PANELS, found)
    of = f"{found:,}" if found == total else f"{found:,} that match"
    return f"Panels {first}–{last} of {of}", {} if found > MOST_PANELS else {"display": "none"}
