"""Which routes come first, and which single requests are told of, out of what was read of a window."""

from collections.abc import Callable
from typing import Literal

from services.api_metrics.facts import Told
from services.api_metrics.reading import Metrics, Route
from services.api_requests.routes import shown

Sort = Literal["requests", "errors", "p50", "p95", "p99", "received", "sent", "bytes"]
VALUES: dict[Sort, Callable[[Route], float]] = {
    "requests": lambda route: route.part.requests,
    "errors": lambda route: route.part.error_rate or 0.0,
    "p50": lambda route: route.part.sketch.quantile(0.5) or 0.0,
    "p95": lambda route: route.part.sketch.quantile(0.95) or 0.0,
    "p99": lambda route: route.part.sketch.quantile(0.99) or 0.0,
    "received": lambda route: route.part.received,
    "sent": lambda route: route.part.sent,
    "bytes": lambda route: route.part.received + route.part.sent,
}
TOLD = 5  # single requests


def ranked(found: Metrics, sort: Sort, text: str = "") -> list[tuple[float, Route]]:
    """The routes whose name holds a text, each behind the value by which they are sorted, the highest first."""
    wanted = text.strip().lower()
    matching = [(VALUES[sort](route), route) for route in found.routes if wanted in shown(route.label).lower()]
    return sorted(matching, key=lambda its: (-its[0], its[1].label))


def singles(found: Metrics, which: Literal["slowest", "failed_last"]) -> list[tuple[Told, str]]:
    """The slowest requests of the window, or the last that failed, each with its route."""
    parts = [(route.label, route.part) for route in found.routes if found.endpoint in (None, route.label)]
    told: list[tuple[Told, str]] = [(one, label) for label, part in parts for one in getattr(part, which)]
    slowest = which == "slowest"
    return sorted(told, key=lambda its: (-its[0][0] if slowest else -its[0][2], its[0][1]))[:TOLD]
