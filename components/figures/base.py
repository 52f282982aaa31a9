"""Figures as plain dictionaries; theme.js gives them colours, so that a theme change needs no server."""

import base64
import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

Figure = dict[str, Any]
TYPED_FROM = 20
SHORTEST_WORD = 3  # letters that still tell words apart


class TypedArray(TypedDict):
    """Numbers as plotly.js reads them fastest: raw bytes in base64."""

    dtype: str
    bdata: str


def typed_array(values: ArrayLike, *, double: bool = False) -> TypedArray:
    """Pack numbers for plotly.js: integers as i4, times and `double` as f8, all else as f4 if that holds it."""
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        fits = array.size == 0 or (array.min() >= -(2**31) and array.max() < 2**31)
        packed, name = (array.astype("<i4"), "i4") if fits else (array.astype("<f8"), "f8")
    elif array.dtype.kind == "M":
        packed, name = array.astype("datetime64[ms]").astype("<i8").astype("<f8"), "f8"
    elif double:
        packed, name = array.astype("<f8"), "f8"
    else:
        with np.errstate(over="ignore"):
            packed, name = array.astype("<f4"), "f4"
        if np.isinf(packed).sum() != np.isinf(array).sum():  # a number that single precision does not hold
            packed, name = array.astype("<f8"), "f8"
    return {"dtype": name, "bdata": base64.b64encode(np.ascontiguousarray(packed).tobytes()).decode("ascii")}


def plain_text(text: str) -> str:
    """Make a name safe for plotly.js, which reads a part of HTML in every text it draws."""
    return html.escape(text, quote=False)


def shorten(text: str, length: int) -> str:
    """Cut the middle out of a long name: its beginning and its end tell runs apart."""
    if len(text) <= length:
        return text
    head = math.ceil((length - 1) * 0.6)
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def abbreviate(text: str, length: int) -> str:
    """Cut each word of a long name at its end, the longest first, so that “A and B” stays apart from “A”."""
    if len(text) <= length:
        return text
    words = text.replace(" and ", " + ").split()
    if len(" ".join(words)) > length:
        words = [word for word in words if word != "+"]
    while len(" ".join(words)) > length and max(map(len, words)) > SHORTEST_WORD:
        longest = max(range(len(words)), key=lambda place: len(words[place]))
        words[longest] = words[longest][:-1]
    short = " ".join(words)
    return short if len(words) > 1 and len(short) <= length else f"{text[: length - 1]}…"


def base_layout(**more: Any) -> Figure:
    """What all figures share; `meta` is read by charts.js and theme.js."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 40, "r": 12, "t": 8, "b": 36},
        "uirevision": "stay",
        **more,
    }


def waiting_figure() -> Figure:
    """Stand in until the data arrive; the panel shows a shimmer over it."""
    return _blank({"state": "waiting"})


def message_figure(text: str) -> Figure:
    """Say in the place of the chart why there is none."""
    figure = _blank({"state": "empty"})
    figure["layout"]["annotations"] = [
        {"text": plain_text(text), "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
    ]
    return figure


def _blank(meta: Mapping[str, Any]) -> Figure:
    axis = {"visible": False, "fixedrange": True}
    return {"data": [], "layout": base_layout(xaxis=axis, yaxis=axis, meta=dict(meta))}


def pack(values: ArrayLike | Sequence[Any], *, double: bool = False) -> Any:
    """Short arrays as lists, long ones as bytes; JSON has no NaN, so it becomes null."""
    array: NDArray[Any] = np.asarray(values)
    if array.dtype.kind in "iufM" and array.size >= TYPED_FROM:
        return typed_array(array, double=double)
    if array.dtype.kind == "f":
        return [float(value) if math.isfinite(value) else None for value in array]
    if array.dtype.kind == "M":
        return [int(value) for value in array.astype("datetime64[ms]").astype(np.int64)]
    return array.tolist()
