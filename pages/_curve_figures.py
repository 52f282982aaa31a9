"""From drawn lines to figures, and which panels need to be drawn at all."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from components.figures import DIRECT_LABELS, Curve, Mark, curves_figure, message_figure
from components.graph import chart_panel
from components.values import number
from pages._curve_controls import AXIS_TITLES, Choices, Window
from services.curves.panels import MOST_PANELS, Line, Panel, Series, draw

HEIGHT, HEIGHT_OF_MANY = 260, 400
SOLID = 6  # lines of one panel that are told apart by colour alone; the next six have another stroke as well
DASHES: tuple[Any, ...] = ("solid", "dash", "dot", "dashdot", "longdash")
FIRST_PANELS, FIRST_LINES = 4, 60  # drawn together with the page: what is seen first, and no more than is quick
Naming = Callable[[Panel, Series, int], tuple[str, int, Any]]  # the name, the colour and the dash of a line


def by_role(panel: Panel, series: Series, place: int) -> tuple[str, int, Any]:
    """Names for the lines of one experiment: “train” and “val” where that is what they are, else the metric."""
    roles = [other.role for other in panel.series]
    colours = {"train": 0, "val": 1}
    word = (series.role or "").split("_")[0]
    if word in colours and roles.count(series.role) == 1:
        return word, colours[word], "solid"
    name = series.key.partition("/")[2] if panel.key.startswith("classes:") else series.key
    return name, place, DASHES[place // SOLID % len(DASHES)]


def figure_of(panel: Panel, lines: Sequence[Line], choices: Choices, naming: Naming, *, labels: bool) -> dict[str, Any]:
    """The figure of a panel."""
    part = choices.window
    if not any(_crosses(line, part) for line in lines):
        return message_figure("No values on this axis" if not lines and panel.points else "No values here")
    places = {series.id: place for place, series in enumerate(panel.series)}
    curves = []
    for line in lines:
        name, colour, dash = naming(panel, line.series, places[line.series.id])
        raw = None if line.raw is None else (_whole(line.raw[0], choices.axis), line.raw[1])
        curves.append(
            Curve(
                name,
                _whole(line.x, choices.axis),
                line.y,
                colour,
                dash,
                raw=raw,
                best=line.best,
                best_word=_best_word(line),
                core=line.core,
                nonfinite=line.nonfinite,
                group=str(line.series.id if labels else line.series.experiment_id),
            )
        )
    y_range = part.y if part is not None and part.panel == panel.key else None
    log_y = "log_y" in choices.flags
    if log_y and y_range is not None and y_range[0] <= 0:
        y_range = None
    low = None if part is None else part.low
    log_x = "log_x" in choices.flags
    x_range = None if part is None or low is None or (log_x and low <= 0) else (low, part.high)
    figure = curves_figure(
        curves,
        x_title=AXIS_TITLES[choices.axis],
        log_x=log_x,
        log_y=log_y,
        x_range=x_range,
        y_range=y_range,
        dates=choices.axis == "wall",
        durations=choices.axis == "relative",
        whole=choices.axis in {"step", "epoch"},
        marks=_marks(lines, part, choices.axis),
        points=(sum(line.shown for line in lines), sum(line.total for line in lines)),
        height=_height(panel, labels),
        revision=choices.signature,
        legend=None if labels else False,
        labels=labels,
    )
    figure["layout"]["meta"] |= {"axis": choices.axis, "signature": choices.signature, "zoomed": part is not None}
    return figure


def _crosses(line: Line, part: Window | None) -> bool:
    """Whether anything of a line is seen; beside the window it may have points that are not."""
    return len(line.x) > 0 and (part is None or bool(line.x.min() <= part.high and line.x.max() >= part.low))


def _best_word(line: Line) -> str:
    if line.best_epoch is not None:
        return f"best epoch {line.best_epoch}"
    return "highest" if line.series.role == "val_accuracy" else "lowest"


def _marks(lines: Sequence[Line], part: Window | None, axis: str) -> list[Mark]:
    """The best epoch of one experiment with what it reached there, and its step where it has another number.

    Validation decides where training is logged at other steps.
    """
    marked = [line for line in lines if line.best_epoch_at is not None]
    if len({line.series.experiment_id for line in lines}) != 1 or not marked:
        return []
    decisive = next((line for line in marked if (line.series.role or "").startswith("val")), marked[0])
    at = decisive.best_epoch_at
    if at is None or (part is not None and not part.low <= at <= part.high):
        return []
    value = "" if decisive.best is None else f": {number(decisive.best[1])}"
    raw = "" if decisive.best is None or decisive.raw is None else " (raw value)"
    step = f", step {int(at):,}" if axis == "step" and at != decisive.best_epoch else ""
    return [Mark(at, f"{_best_word(decisive)}{step}{value}{raw}")]


def _whole(places: Any, axis: str) -> Any:
    """Steps and epochs as whole numbers, of which evenly spaced ones travel as a start and a stride."""
    return places.astype(np.int64) if axis in {"step", "epoch"} else places


def figures(
    session: Any, panels: Sequence[Panel], choices: Choices, naming: Naming, *, labels: bool = True
) -> dict[str, dict[str, Any]]:
    """Figures by panel key, in a few queries for all of them."""
    if not panels:
        return {}
    most = max(len(panel.series) for panel in panels)
    drawn = draw(session, panels, choices.view(most))
    return {panel.key: figure_of(panel, drawn[panel.key], choices, naming, labels=labels) for panel in panels}


def _height(panel: Panel, labels: bool) -> int:
    return HEIGHT_OF_MANY if labels and len(panel.series) > DIRECT_LABELS else HEIGHT


def views(prefix: str, panels: Sequence[Panel], drawn: Mapping[str, Any], labels: bool = True) -> list[Any]:
    """The panels as they stand in the page; those without a figure wait."""
    return [
        chart_panel(
            {"type": f"{prefix}-chart", "panel": panel.key},
            panel.title,
            key=panel.key,
            figure=drawn.get(panel.key),
            height=_height(panel, labels),
            tall=_height(panel, labels) > HEIGHT,
        )
        for panel in panels
    ]


def first_of(panels: Sequence[Panel]) -> list[Panel]:
    """The panels that come drawn with the page; the others follow as soon as it stands."""
    chosen: list[Panel] = []
    lines = 0
    for panel in panels[:FIRST_PANELS]:
        lines += len(panel.series)
        if chosen and lines > FIRST_LINES:
            break
        chosen.append(panel)
    return chosen


def state_of(panels: Sequence[Panel], choices: Choices) -> dict[str, Any]:
    """What the page remembers of drawn panels: how, and how many points each line had."""
    return {panel.key: [choices.signature, [series.points for series in panel.series]] for panel in panels}


def known(value: Any) -> dict[str, tuple[str, list[int]]]:
    """What the browser says was drawn; anything odd counts as not drawn."""
    found: dict[str, tuple[str, list[int]]] = {}
    for key, entry in list(value.items())[: 4 * MOST_PANELS] if isinstance(value, dict) else []:
        match entry:
            case [str(signature), list(points)] if all(type(n) is int and 0 <= n < 2**31 for n in points):
                found[key] = (signature, points)
    return found


def visible(value: Any) -> list[str]:
    """The keys of panels on screen, as the browser says."""
    return [key for key in value if isinstance(key, str)][:MOST_PANELS] if isinstance(value, list) else []


def stale(panels: Sequence[Panel], seen: Sequence[str], drawn: Any, choices: Choices) -> list[Panel]:
    """The visible panels that look different by now from what was drawn."""
    before, now = known(drawn), state_of(panels, choices)
    return [
        panel
        for panel in panels
        if panel.key in seen and before.get(panel.key) != (now[panel.key][0], now[panel.key][1])
    ]
