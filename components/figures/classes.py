"""Results per class: the confusion matrix, and precision, recall and F1 beside each other."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from components.figures.base import Figure, abbreviate, base_layout, message_figure, plain_text

Normalise = Literal["true", "predicted", "all", "none"]
LABEL_LENGTH = 24
APART = 0.22  # of a row, between the scores of one class


def confusion_figure(
    matrix: ArrayLike, labels: Sequence[str], *, normalise: Normalise = "true", revision: str = "stay"
) -> Figure:
    """Rows are true classes, columns are predictions; each cell holds its count and its share."""
    counts = np.asarray(matrix, dtype=float)
    if counts.size == 0 or not labels:
        return message_figure("No confusion matrix was recorded")
    share = _shares(counts, normalise)
    names = [plain_text(label) for label in labels]
    short = [plain_text(abbreviate(label, LABEL_LENGTH)) for label in labels]
    full = [[_cell(counts[i, j], share[i, j], normalise, "<br>") for j in range(len(names))] for i in range(len(names))]
    brief = [[_brief(counts[i, j], share[i, j], normalise) for j in range(len(names))] for i in range(len(names))]
    hover = [
        [
            f"true {names[i]}<br>predicted {names[j]}<br>{_cell(counts[i, j], share[i, j], normalise, ' · ') or '0'}"
            for j in range(len(names))
        ]
        for i in range(len(names))
    ]
    places = list(range(len(names)))
    ticks: Figure = {"tickmode": "array", "tickvals": places, "showgrid": False, "zeroline": False, "fixedrange": True}
    return {
        "data": [
            {
                "type": "heatmap",
                "x": places,
                "y": places,
                "z": [[round(float(value), 5) for value in row] for row in share],
                "zmin": 0,
                "zmax": max(1.0, float(share.max())) if normalise != "none" else float(counts.max()) or 1.0,
                "text": full,
                "texttemplate": "%{text}",
                "hovertext": hover,
                "hovertemplate": "%{hovertext}<extra></extra>",
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "meta": {"role": "confusion"},
            }
        ],
        "layout": base_layout(
            xaxis={
                **ticks,
                "ticktext": short,
                "title": {"text": "Predicted"},
                "autotickangles": [0, -40, -90],
                "automargin": True,
            },
            yaxis={**ticks, "ticktext": short, "title": {"text": "True"}, "autorange": "reversed", "automargin": True},
            uirevision=revision,
            meta={
                "kind": "confusion",
                "wide": {"text": full, "labels": short},
                "narrow": {"text": brief, "labels": [plain_text(abbreviate(label, 11)) for label in labels]},
            },
        ),
    }


def bars_per_class_figure(
    labels: Sequence[str], scores: Mapping[str, Sequence[float | None]], *, revision: str = "stay"
) -> Figure:
    """Scores between 0 and 1 for each class, one dot a score on one line a class: gaps are seen at once."""
    if not labels or not scores:
        return message_figure("No scores per class were recorded")
    places = list(range(len(labels)))
    names = [plain_text(label) for label in labels]
    short = [plain_text(abbreviate(label, LABEL_LENGTH)) for label in labels]
    narrow = [plain_text(abbreviate(label, 14)) for label in labels]
    symbols = ("circle", "diamond", "square", "triangle-up", "cross")
    data: list[Figure] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": plain_text(name),
            "x": [None if value is None else round(float(value), 5) for value in values],
            # Beside each other, since equal scores would hide each other.
            "y": [round(place + (index - (len(scores) - 1) / 2) * APART, 3) for place in places],
            "customdata": names,
            "hovertemplate": "%{customdata}<br>%{fullData.name} %{x:.4f}<extra></extra>",
            "marker": {"size": 8, "symbol": symbols[index % len(symbols)]},
            "meta": {"colour": index, "role": "dot"},
        }
        for index, (name, values) in enumerate(scores.items())
    ]
    return {
        "data": data,
        "layout": base_layout(
            xaxis={
                "range": [_floor(scores), 1.01],
                "tickformat": ".2f",
                "title": {"text": "Score"},
                "fixedrange": True,
            },
            yaxis={
                "tickmode": "array",
                "tickvals": places,
                "ticktext": short,
                "range": [len(labels) - 0.5, -0.5],
                "automargin": True,
                "fixedrange": True,
                "zeroline": False,
            },
            legend={"orientation": "h", "x": 0, "yref": "paper", "y": 1.02, "yanchor": "bottom"},
            margin={"l": 52, "r": 16, "t": 32, "b": 40},
            showlegend=True,
            hovermode="closest",
            uirevision=revision,
            meta={"kind": "classes", "wide": {"labels": short}, "narrow": {"labels": narrow}},
        ),
    }


def _shares(counts: NDArray[np.float64], normalise: Normalise) -> NDArray[np.float64]:
    if normalise == "none":
        return counts
    axis = {"true": 1, "predicted": 0, "all": None}[normalise]
    total = counts.sum(axis=axis, keepdims=True)
    shares: NDArray[np.float64] = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return shares


def _cell(count: float, share: float, normalise: Normalise, between: str) -> str:
    if count == 0:
        return ""
    amount = f"{count:,.0f}" if float(count).is_integer() else f"{count:,.3g}"
    return amount if normalise == "none" else f"{amount}{between}{_percent(share)}"


def _brief(count: float, share: float, normalise: Normalise) -> str:
    if count == 0:
        return ""
    return f"{count:,.0f}" if normalise == "none" else _percent(share).replace(" ", "")


def _percent(share: float) -> str:
    return "<1 %".replace("<", "&lt;") if 0 < share < 0.01 else f"{share * 100:.0f} %"


def _floor(scores: Mapping[str, Sequence[float | None]]) -> float:
    """Start the axis a little below the worst score; a scale from 0 would squeeze good models into one dot."""
    values = [value for row in scores.values() for value in row if value is not None]
    worst = min(values, default=0.0)
    return max(0.0, np.floor(worst * 10) / 10 - 0.05) if worst > 0.05 else -0.02
