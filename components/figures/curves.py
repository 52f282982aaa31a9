"""Curves over steps, epochs or time: smoothed line in front, raw line pale behind, NaN and infinity marked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from components.figures.base import Figure, base_layout, message_figure, pack, plain_text, shorten
from components.figures.ticks import linear_ticks, log_ticks, tick_text

DIRECT_LABELS = 6  # lines that a small panel names at their ends
MOST_LABELS = 12  # the same of one that is high enough: there are as many colours
LABEL_LENGTH = 22
LABEL_GAP = 15
FOOT, FOOT_OF_DATES = 49, 63  # pixels of the ticks and the title under a panel
SAME = 1e-6  # values travel in single precision
_SYMBOLS = {"NaN": "x-thin-open", "+inf": "triangle-up", "-inf": "triangle-down"}

Dash = Literal["solid", "dash", "dot", "dashdot", "longdash"]


@dataclass(frozen=True)
class Curve:
    """One line; `colour` counts through the palette, `nonfinite` is (x, "NaN" | "+inf" | "-inf") or read off `y`.

    `best` is a raw value and `best_word` says of what it is the best. Without `core`, the axis shows all values.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    colour: int = 0
    dash: Dash = "solid"
    raw: tuple[ArrayLike, ArrayLike] | None = None
    best: tuple[float, float] | None = None
    best_word: str = "best"
    core: tuple[float, float] | None = None
    nonfinite: Sequence[tuple[float, str]] | None = None
    group: str | None = None


@dataclass(frozen=True)
class Mark:
    """A vertical line with a word, such as the best epoch."""

    x: float
    text: str = ""


def curves_figure(
    curves: Sequence[Curve],
    *,
    x_title: str = "",
    y_title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    dates: bool = False,
    marks: Sequence[Mark] = (),
    points: tuple[int, int] | None = None,
    height: int = 260,
    revision: str = "stay",
    legend: bool | None = None,
    labels: bool = True,
) -> Figure:
    """Draw curves; `points` is (shown, of how many), `revision` keeps the zoom for as long as it stays the same.

    Few lines are named at their ends unless `labels` is false, as where a page has one legend for all its charts.
    """
    if not curves:
        return message_figure("No values yet")
    direct = most_labels(height)
    show_legend = len(curves) > direct if legend is None else legend
    x_limits = x_range or _extent([curve.x for curve in curves], log_x, pad=0.0)
    heights = [values for curve in curves for values in _heights(curve)]
    y_limits = y_range or _extent(heights, log_y, pad=0.06, same=SAME)
    data: list[Figure] = []
    for curve in curves:
        data.extend(_traces(curve))
    flags = [trace for curve in curves if (trace := _flags(curve)) is not None]
    data.extend(flags)
    named = labels and not show_legend and len(curves) > 1
    notes = [note for curve in curves if (note := _best_note(curve, marks)) is not None]
    top = 22 if notes or any(mark.text for mark in marks) else 8
    inner = max(height - top - (FOOT_OF_DATES if dates else FOOT), 60)
    ends = _end_labels(curves, x_limits, y_limits, log_x, log_y, inner) if named else []
    right = 16 + round(max(len(label["text"]) for label in ends) * 6.4) if ends else 12
    ranges = {"xaxis.range": _range(x_limits, log_x), "yaxis.range": _range(y_limits, log_y)}
    layout = base_layout(
        xaxis=_axis(x_title, log_x, x_limits, "date" if dates else None),
        yaxis=_axis(y_title, log_y, y_limits),
        hovermode="x unified" if len(curves) <= 8 else "closest",
        showlegend=show_legend,
        annotations=ends + [_mark_label(mark, x_limits, log_x) for mark in marks if mark.text] + notes,
        shapes=[_mark_line(mark) for mark in marks],
        uirevision=revision,
        meta={
            "points": list(points) if points else None,
            "labels": "end" if ends else "legend",
            "right": right,
            "home": ranges,
        },
    )
    layout["margin"] = {**layout["margin"], "r": right, "t": top}
    if flags:
        layout["yaxis2"] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
    return {"data": data, "layout": layout}


def _traces(curve: Curve) -> list[Figure]:
    name = plain_text(curve.name)
    key = plain_text(curve.group or curve.name)
    traces: list[Figure] = []
    if curve.raw is not None:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "legendgroup": key,
                "showlegend": False,
                "hoverinfo": "skip",
                **_x(curve.raw[0]),
                "y": pack(curve.raw[1]),
                "line": {"width": 1},
                "meta": {"colour": curve.colour, "role": "raw"},
            }
        )
    count = np.asarray(curve.y).size
    traces.append(
        {
            "type": "scatter",
            # A line of one point draws nothing, so a run's first epoch is shown as a dot.
            "mode": "lines+markers" if count <= 2 else "lines",
            "name": name,
            "legendgroup": key,
            "connectgaps": False,
            **_x(curve.x),
            "y": pack(curve.y),
            "line": {"width": 1.75, "dash": curve.dash},
            "hovertemplate": "%{y:.5g}",
            "meta": {"colour": curve.colour, "role": "line"},
        }
    )
    if curve.best is not None and math.isfinite(curve.best[1]):
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{name} (best)",
                "legendgroup": key,
                "showlegend": False,
                "x": [curve.best[0]],
                "y": [curve.best[1]],
                "hovertemplate": f"{best_text(curve, '%{y:.5g}')}<extra></extra>",
                "marker": {"size": 9, "symbol": "circle", "line": {"width": 2}},
                "meta": {"colour": curve.colour, "role": "best"},
            }
        )
    return traces


def most_labels(height: int) -> int:
    """How many lines a panel of this height names at their ends instead of in a legend."""
    return MOST_LABELS if height >= MOST_LABELS * LABEL_GAP + 100 else DIRECT_LABELS


def best_text(curve: Curve, value: str) -> str:
    """What the dot is: on a smoothed curve it stands beside the line, on the raw one."""
    return f"{plain_text(curve.best_word)}: {value}{'' if curve.raw is None else ' (raw value)'}"


def _best_note(curve: Curve, marks: Sequence[Mark]) -> Figure | None:
    """The name of a dot that no vertical line names; it stands over the panel, where no line crosses it."""
    if curve.best is None or not math.isfinite(curve.best[1]) or marks:
        return None
    return {
        "name": f"best-label:{curve.colour}",
        "text": f"● {best_text(curve, tick_text(float(f'{curve.best[1]:.4g}')))}",
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
    }


def _flags(curve: Curve) -> Figure | None:
    """Symbols at the foot of the panel where a value is not finite; a gap alone would hide that a run blew up."""
    found = _nonfinite(curve) if curve.nonfinite is None else list(curve.nonfinite)
    if not found:
        return None
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{plain_text(curve.name)} (not finite)",
        "legendgroup": plain_text(curve.group or curve.name),
        "showlegend": False,
        "x": [x for x, _ in found],
        "y": [0.025] * len(found),
        "yaxis": "y2",
        "customdata": [kind for _, kind in found],
        "hovertemplate": "%{customdata}<extra>%{fullData.name}</extra>",
        "marker": {"size": 8, "symbol": [_SYMBOLS.get(kind, "x-thin-open") for _, kind in found], "line": {"width": 2}},
        "cliponaxis": False,
        "meta": {"colour": curve.colour, "role": "flag"},
    }


def _nonfinite(curve: Curve) -> list[tuple[float, str]]:
    x, y = _numbers(curve.x), np.asarray(curve.y, dtype=float)
    found: list[tuple[float, str]] = []
    for index in np.flatnonzero(~np.isfinite(y)):
        kind = "NaN" if math.isnan(y[index]) else ("+inf" if y[index] > 0 else "-inf")
        found.append((float(x[index]), kind))
    return found


def _x(values: ArrayLike) -> Figure:
    """Evenly spaced steps as a start and a stride: two numbers in place of thousands."""
    array: NDArray[Any] = np.asarray(values)
    if array.dtype.kind in "iu" and array.size > 2:
        strides = np.diff(array)
        if strides[0] != 0 and bool((strides == strides[0]).all()):
            return {"x0": int(array[0]), "dx": int(strides[0])}
    # f4 holds whole numbers up to 2^24 only, too few for steps and seconds.
    return {"x": pack(array, double=True)}


def _heights(curve: Curve) -> list[ArrayLike]:
    heights = [curve.y] if curve.raw is None else [curve.y, curve.raw[1]]
    heights += [] if curve.best is None else [[curve.best[1]]]
    if curve.core is None:
        return heights
    low, high = curve.core
    numbers = [_numbers(values) for values in heights]
    return [values[(values >= low) & (values <= high)] for values in numbers]


def _extent(arrays: Sequence[ArrayLike], log: bool, *, pad: float, same: float = 0.0) -> tuple[float, float]:
    """Lowest and highest finite value; given outright, since plotly.js would make room for the labels as well.

    Values that differ by less than a share `same` of themselves are one value.
    """
    finite = [values[np.isfinite(values) & ((values > 0) | (not log))] for values in map(_numbers, arrays)]
    merged = np.concatenate(finite) if finite else np.empty(0)
    if merged.size == 0:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(merged.min()), float(merged.max())
    flat = high - low <= same * max(abs(low), abs(high))
    if log:
        room = 0.3 if flat else math.log10(high / low) * pad
        return low / 10**room, high * 10**room
    room = (abs(low) * 0.1 or 1.0) if flat else (high - low) * pad
    return low - room, high + room


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return array.astype("datetime64[ms]").astype(np.int64).astype(np.float64)
    return array.astype(np.float64)


def _range(limits: tuple[float, float], log: bool) -> list[float]:
    return [math.log10(max(value, 1e-300)) for value in limits] if log else list(limits)


def _axis(title: str, log: bool, limits: tuple[float, float], kind: str | None = None) -> Figure:
    axis: Figure = {"automargin": True, "range": _range(limits, log), "autorange": False}
    if title:
        axis["title"] = {"text": plain_text(title)}
    if log:
        return axis | {"type": "log"} | log_ticks(limits)
    return axis | ({"type": kind} if kind else linear_ticks(limits))


def _end_labels(
    curves: Sequence[Curve],
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
    log_x: bool,
    log_y: bool,
    height: int,
) -> list[Figure]:
    """Names at the line ends, pushed apart in pixels where two lines end close to each other."""
    ends: list[tuple[float, float, Curve]] = []
    for curve in curves:
        y = np.asarray(curve.y, dtype=float)
        x = _numbers(curve.x)
        # Zoomed, a line runs out of the picture: it is named where it leaves.
        good = np.flatnonzero(np.isfinite(y) & ((y > 0) | (not log_y)) & (x <= x_limits[1]))
        if good.size:
            ends.append((float(x[good[-1]]), float(y[good[-1]]), curve))
    low, high = _range(y_limits, log_y)
    span = (high - low) or 1.0
    wanted = [((math.log10(y) if log_y else y) - low) / span * height for _, y, _ in ends]
    placed = _spread(wanted, LABEL_GAP, height)
    return [
        {
            "name": f"end-label:{curve.colour}",
            "text": f"● {plain_text(shorten(curve.name, LABEL_LENGTH))}",
            "x": math.log10(x) if log_x and x > 0 else x,
            "y": math.log10(y) if log_y else y,
            "xanchor": "left",
            "yanchor": "middle",
            "xshift": 4,
            "yshift": round(place - want, 1),
            "align": "left",
            "showarrow": False,
        }
        for (x, y, curve), want, place in zip(ends, wanted, placed, strict=True)
    ]


def _spread(wanted: Sequence[float], gap: float, height: float = math.inf) -> list[float]:
    """Push places apart to at least `gap`, each group staying centred on where it wanted to be, all within 0 … height.

    curves.js does the same when lines grow.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    groups: list[list[int]] = []
    centre: list[float] = []
    for index in order:
        groups.append([index])
        centre.append(min(max(wanted[index], 0.0), height))
        while len(groups) > 1:
            reach = (len(groups[-2]) + len(groups[-1])) / 2 * gap
            if centre[-1] - centre[-2] >= reach:
                break
            merged = groups[-2] + groups[-1]
            half = (len(merged) - 1) / 2 * gap
            middle = sum(wanted[item] for item in merged) / len(merged)
            groups[-2:], centre[-2:] = [merged], [max(min(middle, height - half), half)]
    placed = [0.0] * len(wanted)
    for members, middle in zip(groups, centre, strict=True):
        for position, index in enumerate(members):
            placed[index] = middle + (position - (len(members) - 1) / 2) * gap
    return placed


def _mark_line(mark: Mark) -> Figure:
    return {
        "type": "line",
        "name": "mark",
        "xref": "x",
        "yref": "paper",
        "x0": mark.x,
        "x1": mark.x,
        "y0": 0,
        "y1": 1,
        "line": {"width": 1, "dash": "dot"},
    }


def _mark_label(mark: Mark, limits: tuple[float, float], log_x: bool) -> Figure:
    """On a logarithmic axis plotly.js wants the place of a text as a power of ten, but that of a line as it is."""
    place = math.log10(mark.x) if log_x and mark.x > 0 else mark.x
    low, high = _range(limits, log_x)
    far = place > low + (high - low) * 0.6
    return {
        "name": "mark",
        "text": plain_text(mark.text),
        "x": place,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "right" if far else "left",
        "xshift": 4 if far else -4,
        "showarrow": False,
    }
