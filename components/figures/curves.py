"""Curves over steps, epochs or time: smoothed line in front, raw line pale behind, NaN and infinity marked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from components.figures.base import Figure, base_layout, message_figure, plain_text, shorten
from components.figures.ticks import duration_ticks, linear_ticks, log_ticks, tick_text
from components.figures.traces import PAD, Curve, Floats, best_text, flags_of, numbers_of, traces_of, value_format

DIRECT_LABELS = 6  # lines that a small panel names at their ends
MOST_LABELS = 12  # the same of one that is high enough: there are as many colours
LABEL_LENGTH = 22
LABEL_GAP = 15
FEW_STEPS = 6  # known to curves.js as well
FOOT, FOOT_OF_DATES = 49, 63  # pixels of the ticks and the title under a panel
FARTHEST = 8.9e307  # the ends of an axis: their difference, by which plotly.js divides, is a number as well
SAME = 1e-6  # values travel in single precision


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
    durations: bool = False,
    whole: bool = False,
    marks: Sequence[Mark] = (),
    points: tuple[int, int] | None = None,
    height: int = 260,
    revision: str = "stay",
    legend: bool | None = None,
    labels: bool = True,
) -> Figure:
    """Draw curves; `points` is (shown, of how many), `durations` says that x are seconds, `whole` that they count.

    `revision` keeps the zoom for as long as it stays the same. Few lines are named at their ends unless `labels` is
    false, as where a page has one legend for all its charts.
    """
    if not curves:
        return message_figure("No values yet")
    direct = most_labels(height)
    show_legend = len(curves) > direct if legend is None else legend
    x_limits = x_range or _extent([curve.x for curve in curves], log_x, pad=0.0, alone=60_000.0 if dates else 1.0)
    heights = [values for curve in curves for values in _heights(curve)]
    y_limits = y_range or _extent(heights, log_y, pad=PAD, same=SAME)
    data: list[Figure] = []
    for curve in curves:
        data.extend(traces_of(curve, value_format(y_limits, log_y)))
    flags = [trace for curve in curves if (trace := flags_of(curve)) is not None]
    data.extend(flags)
    named = labels and not show_legend and len(curves) > 1
    notes = [note for curve in curves if (note := _best_note(curve, marks)) is not None]
    top = 22 if notes or any(mark.text for mark in marks) else 8
    inner = max(height - top - (FOOT_OF_DATES if dates else FOOT), 60)
    ends = _end_labels(curves, x_limits, y_limits, log_x, log_y, inner) if named else []
    right = 16 + round(max(len(label["text"]) for label in ends) * 6.4) if ends else 12
    ranges = {"xaxis.range": _range(x_limits, log_x), "yaxis.range": _range(y_limits, log_y)}
    layout = base_layout(
        xaxis=_axis(x_title, log_x, x_limits, "date" if dates else None, durations) | _counted(whole, x_limits),
        yaxis=_axis(y_title, log_y, y_limits),
        hovermode="x unified" if len(curves) <= 8 else "closest",
        showlegend=show_legend,
        annotations=ends + [_mark_label(mark, x_limits, log_x) for mark in marks if mark.text] + notes,
        shapes=[_mark_line(mark) for mark in marks],
        uirevision=revision,
        meta={
            "points": list(points) if points else None,
            "outside": _outside(curves, y_limits) if y_range is None else 0,
            "labels": "end" if ends else "legend",
            "right": right,
            "home": ranges,
        },
    )
    layout["margin"] = {**layout["margin"], "r": right, "t": top}
    if flags:
        layout["yaxis2"] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
    return {"data": data, "layout": layout}


def most_labels(height: int) -> int:
    """How many lines a panel of this height names at their ends instead of in a legend."""
    return MOST_LABELS if height >= MOST_LABELS * LABEL_GAP + 100 else DIRECT_LABELS


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


def _heights(curve: Curve) -> list[ArrayLike]:
    heights = [curve.y] if curve.raw is None else [curve.y, curve.raw[1]]
    heights += [] if curve.best is None else [[curve.best[1]]]
    if curve.core is None:
        return heights
    low, high = curve.core
    numbers = [numbers_of(values) for values in heights]
    return [values[(values >= low) & (values <= high)] for values in numbers]


def _outside(curves: Sequence[Curve], limits: tuple[float, float]) -> int:
    """How many points lie beyond an axis that is clipped to the core of the curves."""
    if all(curve.core is None for curve in curves):
        return 0
    drawn = [numbers_of(curve.y if curve.raw is None else curve.raw[1]) for curve in curves]
    return sum(int((np.isfinite(y) & ((y < limits[0]) | (y > limits[1]))).sum()) for y in drawn)


def _extent(
    arrays: Sequence[ArrayLike], log: bool, *, pad: float, same: float = 0.0, alone: float | None = None
) -> tuple[float, float]:
    """Lowest and highest finite value; given outright, since plotly.js would make room for the labels as well.

    Values that differ by less than a share `same` of themselves are one value; with `alone` such a one stands where the
    axis begins, as nothing was before it.
    """
    finite = [values[np.isfinite(values) & ((values > 0) | (not log))] for values in map(numbers_of, arrays)]
    merged = np.concatenate(finite) if finite else np.empty(0)
    if merged.size == 0:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = (min(max(float(value), -FARTHEST), FARTHEST) for value in (merged.min(), merged.max()))
    flat = high - low <= same * max(abs(low), abs(high))
    if log:
        room = 0.3 if flat else (math.log10(high) - math.log10(low)) * pad
        return low / 10**room, min(high * 10**room, FARTHEST)
    if flat and alone is not None:
        return low, low + alone
    room = (abs(low) * 0.1 or 1.0) if flat else (high - low) * pad
    return max(low - room, -FARTHEST), min(high + room, FARTHEST)


def _range(limits: tuple[float, float], log: bool) -> list[float]:
    return [math.log10(max(value, 1e-300)) for value in limits] if log else list(limits)


def _axis(
    title: str, log: bool, limits: tuple[float, float], kind: str | None = None, durations: bool = False
) -> Figure:
    axis: Figure = {"automargin": True, "range": _range(limits, log), "autorange": False}
    if title:
        axis["title"] = {"text": plain_text(title)}
    if durations:
        axis |= duration_ticks(limits, log) | {"ticksuffix": " s"}  # the suffix is that of a value under the pointer
        return axis | {"type": "log"} if log else axis
    if log:
        return axis | {"type": "log"} | log_ticks(limits)
    return axis | ({"type": kind} if kind else linear_ticks(limits))


def _counted(whole: bool, limits: tuple[float, float]) -> Figure:
    """Each step of a short axis has its tick, and nothing between two steps has one."""
    return {"tick0": 0, "dtick": 1} if whole and 1 <= limits[1] - limits[0] <= FEW_STEPS else {}


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
        x = numbers_of(curve.x)
        # Zoomed, a line runs out of the picture: it is named where it leaves.
        good = np.flatnonzero(np.isfinite(y) & ((y > 0) | (not log_y)) & (x <= x_limits[1]))
        if good.size:
            ends.append((*_end(x, y, int(good[-1]), x_limits[1], log_x or log_y), curve))
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


def _end(x: Floats, y: Floats, last: int, limit: float, log: bool) -> tuple[float, float]:
    """Where a line ends, or leaves the picture on its way to the next point."""
    at = last + 1
    if log or at >= x.size or not np.isfinite(y[at]) or not x[last] < limit < x[at]:
        return float(x[last]), float(y[last])
    return limit, float(np.interp(limit, x[last : at + 1], y[last : at + 1]))


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
