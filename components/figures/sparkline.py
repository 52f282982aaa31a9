"""A curve the size of a word, drawn without plotly: the shape is a CSS mask, its colour comes from the theme."""

import math
from collections.abc import Sequence
from urllib.parse import quote

from dash import html

from components.attributes import attributes
from components.values import number

WIDTH, HEIGHT = 96, 24


def sparkline(values: Sequence[float | None], *, label: str = "Curve", wide: bool = False) -> html.Span:
    """Show the course of a few dozen values; values that are not finite leave a gap."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    classes = "sparkline sparkline-wide" if wide else "sparkline"
    if len(finite) < 2:
        return html.Span("–" if not finite else number(finite[0]), className=f"{classes} sparkline-none muted")
    first, last, least, most = (number(value) for value in (finite[0], finite[-1], min(finite), max(finite)))
    spoken = f"{label}: from {first} to {last}, lowest {least}, highest {most}"
    mask = f'url("data:image/svg+xml,{quote(_svg(values, min(finite), max(finite)))}")'
    return html.Span(
        className=classes,
        role="img",
        title=spoken,
        style={"maskImage": mask, "WebkitMaskImage": mask},
        **attributes({"aria-label": spoken}),
    )


def _svg(values: Sequence[float | None], low: float, high: float) -> str:
    step = WIDTH / (len(values) - 1)
    span = high / 2 - low / 2  # halves, as the difference of the largest numbers is none
    path, pen = [], "M"
    for index, value in enumerate(values):
        if value is None or not math.isfinite(value):
            pen = "M"
            continue
        height = HEIGHT / 2 if span == 0 else HEIGHT - 2 - (value / 2 - low / 2) / span * (HEIGHT - 4)
        # A stroke of no length is a dot, so that a value between two gaps is seen.
        path.append(f"{pen}{index * step:.1f} {height:.1f}{'h0' if pen == 'M' else ''}")
        pen = "L"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        f'<path d="{"".join(path)}" fill="none" stroke="#000" stroke-width="1.6" stroke-linejoin="round" '
        'stroke-linecap="round" vector-effect="non-scaling-stroke"/></svg>'
    )
