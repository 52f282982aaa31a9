"""How values are spread over time: a column for each step, a row for each size, darker where there are more."""

import math
from collections.abc import Sequence

from components.figures.base import Figure, base_layout, message_figure, pack

ROWS_PER_DECADE = 6
Spread = Sequence[tuple[float, int]]  # values, and how many there are of each


def heatmap_figure(
    times: Sequence[float],
    spreads: Sequence[Spread],
    *,
    unit: str,
    step: float,
    x_range: tuple[float, float],
    revision: str = "stay",
) -> Figure:
    """Moments in milliseconds and the values of the step that begins there, on a scale of powers of ten."""
    found = [_row(value) for spread in spreads for value, _ in spread]
    if not found:
        return message_figure("No requests in this time")
    low, high = min(found), max(max(found), min(found) + 3)
    counts = [[0.0] * len(times) for _ in range(low, high + 1)]
    for column, spread in enumerate(spreads):
        for value, count in spread:
            counts[_row(value) - low][column] += count
    names = [_text(10 ** ((place + 0.5) / ROWS_PER_DECADE)) for place in range(low, high + 1)]
    ticks = [place for place in range(low, high + 1) if place % ROWS_PER_DECADE == 0]
    return {
        "data": [
            {
                "type": "heatmap",
                "x": pack([time + step / 2 for time in times], double=True),
                "y": [place + 0.5 for place in range(low, high + 1)],
                # The root, so that the few slow ones are seen beside the many quick ones.
                "z": [[round(math.sqrt(count), 3) if count else None for count in row] for row in counts],
                "text": [
                    [f"{count:,.0f} of about {name} {unit}" for count in row]
                    for row, name in zip(counts, names, strict=True)
                ],
                "hovertemplate": "%{text}<extra></extra>",
                "hoverongaps": False,
                "showscale": False,
                "zmin": 0,
                "meta": {"role": "confusion"},
            }
        ],
        "layout": base_layout(
            xaxis={"type": "date", "range": list(x_range), "autorange": False, "automargin": True},
            yaxis={
                "tickmode": "array",
                "tickvals": ticks,
                "ticktext": [_text(10 ** (place / ROWS_PER_DECADE)) for place in ticks],
                "range": [low, high + 1],
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
                "automargin": True,
            },
            hovermode="closest",
            showlegend=False,
            uirevision=revision,
            meta={"home": {"xaxis.range": list(x_range)}},
        ),
    }


def _row(value: float) -> int:
    return math.floor(math.log10(max(value, 0.01)) * ROWS_PER_DECADE)


def _text(value: float) -> str:
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
