"""The traces of a curve: its line, the raw one pale behind it, dots beside gaps, marks of what is not finite."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from components.figures.base import Figure, pack, plain_text

PAD = 0.06  # of the range of values, above and below it
Floats = NDArray[np.float64]
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


def value_format(limits: tuple[float, float], log: bool) -> str:
    """One number of decimals for all values of a panel; digits where decimals would round them to nothing."""
    low, high = limits
    low += (high - low) * PAD / (1 + 2 * PAD)  # the lowest value
    plain = not log and 0.1 <= max(abs(low), abs(high)) < 1e4 and not 0 < low < 1e-3
    return ".4f" if plain else ".5g"


def traces_of(curve: Curve, form: str) -> list[Figure]:
    """The raw line, the line, dots for points that neither of them reaches, and the best value."""
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
        traces.extend(_lone(curve, *curve.raw, role="lone-raw"))
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
            **({} if count > 2 else {"cliponaxis": False}),
            "hovertemplate": f"%{{y:{form}}}",
            "meta": {"colour": curve.colour, "role": "line"},
        }
    )
    if count > 2:
        traces.extend(_lone(curve, curve.x, curve.y, role="lone"))
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
                "hovertemplate": f"{best_text(curve, f'%{{y:{form}}}')}<extra></extra>",
                "marker": {"size": 9, "symbol": "circle", "line": {"width": 2}},
                "cliponaxis": False,
                "meta": {"colour": curve.colour, "role": "best"},
            }
        )
    return traces


def _lone(curve: Curve, x: ArrayLike, y: ArrayLike, *, role: str) -> list[Figure]:
    """Dots where a point stands between two gaps: a line needs two points, so it would not be seen."""
    values = np.asarray(y, dtype=float)
    finite = np.isfinite(values)
    if finite.all():
        return []
    lone = finite.copy()
    lone[1:] &= ~finite[:-1]
    lone[:-1] &= ~finite[1:]
    if not lone.any():
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": plain_text(curve.name),
            "legendgroup": plain_text(curve.group or curve.name),
            "showlegend": False,
            "hoverinfo": "skip",
            "x": pack(np.asarray(x)[lone], double=True),
            "y": pack(values[lone]),
            "marker": {"size": 5 if role == "lone" else 4},
            "cliponaxis": False,
            "meta": {"colour": curve.colour, "role": role},
        }
    ]


def best_text(curve: Curve, value: str) -> str:
    """What the dot is: on a smoothed curve it stands beside the line, on the raw one."""
    return f"{plain_text(curve.best_word)}: {value}{'' if curve.raw is None else ' (raw value)'}"


def flags_of(curve: Curve) -> Figure | None:
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
    x, y = numbers_of(curve.x), np.asarray(curve.y, dtype=float)
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


def numbers_of(values: ArrayLike) -> Floats:
    """Values as plain numbers, moments as milliseconds."""
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return array.astype("datetime64[ms]").astype(np.int64).astype(np.float64)
    return array.astype(np.float64)
