"""The parts of the API's metrics: figures, charts and tables from what was read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import empty_state
from components.figures import Curve, Mark, curves_figure, heatmap_figure, message_figure, sparkline
from components.plain_table import SortBy, plain_table
from components.values import NOTHING, number, size_text, stat, stat_row, time_tag
from pages._api_range import log_address
from services.api_metrics import ranking, reading
from services.api_metrics.facts import OTHERS, Part, Told
from services.api_metrics.reading import KeyUse, Metrics, Route, Totals
from services.api_requests.routes import shown as shown_route

PICK, SORT_BY = "api-metrics-pick", "api-metrics-sort-by"
KEYS_ADDRESS, EXPLORER_ADDRESS = "/account/keys", "/api/docs"
CHARTS = {"rate": "Requests per second", "errors": "Error rate", "latency": "Latency", "heat": "Latency, spread"}
UNITS = {"rate": None, "errors": "%", "latency": "ms", "heat": "ms"}
PLACES = (50, 95, 99)
ROUTE_HEADERS = ("Route", "Requests", "Error rate", "p50", "p95", "p99", "In", "Out", "Trend", "")
SORTED_BY: dict[int, ranking.Sort] = dict(
    enumerate(("requests", "errors", "p50", "p95", "p99", "received", "sent"), start=1)
)
KEY_HEADERS = ("Key", "Owner", "Requests", "Error rate", "p50", "p95", "p99", "Out")
TOLD_HEADERS = ("Route", "Status", "Took", "Time")
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
SHOWN = 60
SORTS: dict[ranking.Sort, str] = {
    "requests": "Most requests",
    "errors": "Highest error rate",
    "p50": "Slowest p50",
    "p95": "Slowest p95",
    "p99": "Slowest p99",
    "received": "Most bytes in",
    "sent": "Most bytes out",
    "bytes": "Most bytes in both ways",
}


def milliseconds(value: float | None) -> str:
    """A time in the unit in which it is read."""
    if value is None:
        return NOTHING
    if value < 9.95:
        return f"{value:.1f} ms"
    return f"{value:,.0f} ms" if value < 9950 else f"{value / 1000:,.1f} s"


def share(value: float | None) -> str:
    """A share in per cent; a little is not nothing."""
    if value is None:
        return NOTHING
    return "< 0.01 %" if 0 < value < 0.0001 else f"{value * 100:.2f} %" if value < 0.1 else f"{value * 100:.1f} %"


def rate(value: float) -> str:
    """Requests in a second, however few."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def figures_row(found: Metrics) -> Component:
    """The window in a few figures, each beside that of the period before where it is asked for."""
    now, before = found.totals, found.before
    cells = [
        stat("Requests", f"{now.requests:,}", hint=_than(before, now, lambda its: float(its.requests))),
        stat("Per second", rate(now.rate), hint=_than(before, now, lambda its: its.rate)),
        stat("Error rate", share(now.error_rate), hint=_errors(found)),
    ]
    for place in PLACES:
        cells.append(
            stat(
                f"p{place}",
                milliseconds(now.sketch.quantile(place / 100)),
                hint=_than(before, now, lambda its, place=place: its.sketch.quantile(place / 100)),  # type: ignore[misc]
            )
        )
    return stat_row(cells)


def _errors(found: Metrics) -> str:
    count = f"{found.totals.failed:,} failed"
    return count if found.before is None else f"{count}; before: {share(found.before.error_rate)}"


def _than(before: Totals | None, now: Totals, value: Callable[[Totals], float | None]) -> str | None:
    """How much more or less it is than in the period before."""
    if before is None:
        return None
    was, its = value(before), value(now)
    if not was or its is None:
        return "none before"
    change = round((its / was - 1) * 100)
    return "as before" if change == 0 else f"{change:+,} % on the period before".replace("-", "−")


def charts(found: Metrics) -> dict[str, Any]:
    """The course of the window, all on one axis of time."""
    slots = found.slots
    if not found.totals.requests:
        return dict.fromkeys(CHARTS, message_figure("No requests in this time"))
    step = found.window.step.total_seconds() * 1000
    times = np.array([slot.begin.timestamp() * 1000 for slot in slots])
    whole = (times[0], found.window.end.timestamp() * 1000)
    revision = f"{found.window.begin}/{found.endpoint}"
    middle = times + step / 2
    rates = np.array([slot.requests / slot.seconds for slot in slots])
    failed = np.array([100 * slot.failed / slot.requests if slot.requests else np.nan for slot in slots])

    last = found.restarts[-1:]  # a word at each would be one over the other
    marks = [
        Mark(its.moment.timestamp() * 1000, its.version or ("restart" if its in last else "")) for its in found.restarts
    ]

    def drawn(curves: Sequence[Curve], top: float) -> Any:
        return curves_figure(
            curves, dates=True, x_range=whole, y_range=(0.0, top), height=220, revision=revision, marks=marks
        )

    quantiles = {
        place: np.array([slot.sketch.quantile(place / 100) or np.nan for slot in slots], dtype=float)
        for place in PLACES
    }
    lines = [_line(f"p{place}", middle, values, colour) for colour, (place, values) in enumerate(quantiles.items())]
    return {
        "rate": drawn([_line("Requests per second", middle, rates, 0)], 1.1 * (float(rates.max()) or 1.0)),
        "errors": drawn([_line("Error rate", middle, failed, 3)], max(1.0, min(100.0, 1.1 * _highest(failed)))),
        # Of powers of ten, as the slowest hundredth of one bad hour would press all else to the ground.
        "latency": curves_figure(
            lines, dates=True, x_range=whole, log_y=True, height=220, revision=revision, marks=marks
        ),
        "heat": heatmap_figure(
            list(times), [slot.sketch.bins() for slot in slots], unit="ms", step=step, x_range=whole, revision=revision
        ),
    }


def _line(name: str, times: Any, values: Any, colour: int) -> Curve:
    return Curve(name, times, values, colour, nonfinite=())  # a step without requests is a gap and no fault


def _highest(values: Any) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else 0.0


def routes_table(found: Metrics, sort: str, times: Mapping[str, Any], text: str = "") -> Component:
    """The routes, of which each leads to the page of it alone."""
    chosen: ranking.Sort = next((word for word in SORTS if word == sort), "requests")
    ranked = [route for _, route in ranking.ranked(found, chosen, text)]
    if found.routes and not ranked:
        return html.P("No route matches.", className="muted")
    if not ranked:
        return _nothing()
    rows = [_route_row(route, found.endpoint, times) for route in ranked[:SHOWN]]
    sorting = {place: SortBy({"type": SORT_BY, "word": word}, word == chosen) for place, word in SORTED_BY.items()}
    table = plain_table(ROUTE_HEADERS, rows, label="Routes", numeric=range(1, 8), sorting=sorting)
    left = len(ranked) - SHOWN
    return html.Div([table, html.P(f"{left:,} more are not shown.", className="muted")]) if left > 0 else table


def _route_row(route: Route, picked: str | None, times: Mapping[str, Any]) -> Sequence[Component | str]:
    part = route.part
    method, _, path = route.label.partition(" ")
    shown = [html.Span(method, className="route-method"), html.Span(shown_route(path), className="route-path")]
    name: Component
    if route.label == OTHERS:
        name = html.Span("All others")
    else:
        is_picked = route.label == picked
        name = html.Button(
            shown,
            id={"type": PICK, "label": route.label},
            type="button",
            className="route-button",
            title=f"{'Show all routes again' if is_picked else f'Show {shown_route(route.label)} alone'}",
            **attributes({"aria-pressed": "true" if is_picked else "false"}),
        )
    return (
        name,
        number(part.requests),
        share(part.error_rate),
        *(milliseconds(part.sketch.quantile(place / 100)) for place in PLACES),
        size_text(part.received),
        size_text(part.sent),
        sparkline([float(count) for count in route.trend], label=f"Requests of {shown_route(route.label)}"),
        ""
        if route.label == OTHERS
        else dcc.Link(
            "Log",
            href=log_address(times, endpoint=path, method=method),
            title=f"Requests of {shown_route(route.label)}",
        ),
    )


def keys_table(uses: Sequence[KeyUse], times: Mapping[str, Any]) -> Component:
    """The keys and whose they are."""
    if not uses:
        return _nothing()
    rows: list[Sequence[Component | str]] = [
        (
            dcc.Link(use.name, href=log_address(times, key=use.id))
            if use.name is not None
            else html.Span("Without a key, or with one that is gone", className="muted"),
            use.owner or NOTHING,
            number(use.part.requests),
            share(use.part.error_rate),
            *(milliseconds(use.part.sketch.quantile(place / 100)) for place in PLACES),
            size_text(use.part.sent),
        )
        for use in uses[:SHOWN]
    ]
    return plain_table(KEY_HEADERS, rows, label="API keys", numeric=range(2, 8))


def statuses(part: Part) -> Component:
    """How many answers there were of each class."""
    if not part.requests:
        return _nothing()
    counted = [
        stat(name, f"{count:,}", hint=share(count / part.requests))
        for name, count in zip(CLASSES, part.classes, strict=True)
        if count
    ]
    return stat_row([*counted, stat("Received", size_text(part.received)), stat("Sent", size_text(part.sent))])


def told_table(found: Metrics, which: Literal["slowest", "failed_last"], times: Mapping[str, Any]) -> Component:
    """Single requests: the slowest, or the last that failed."""
    listed = ranking.singles(found, which)
    if not listed:
        return html.P("None." if found.totals.requests else "No requests in this time.", className="muted")
    rows = [
        (
            html.Span(shown_route(label), className="route-path"),
            str(told[3]),
            milliseconds(told[0]),
            dcc.Link(time_tag(reading.at(told[2]), "second"), href=_alike(label, told, times)),
        )
        for told, label in listed
    ]
    return plain_table(TOLD_HEADERS, rows, label="Slowest" if which == "slowest" else "Failed last", numeric=(1, 2, 3))


def _alike(label: str, told: Told, times: Mapping[str, Any]) -> str:
    """The request itself, opened among those of its route with its status."""
    method, _, path = label.partition(" ")
    named = {} if label == OTHERS else {"endpoint": path, "method": method}
    return log_address(times, **named, status=told[3], request=told[1])


def _nothing() -> Component:
    return html.P("No requests in this time.", className="muted")


def how_to_begin(found: Metrics) -> Component | None:
    """What to do where nothing was asked in this time."""
    if found.routes:
        return None
    steps = html.Div(
        [
            dcc.Link("Make a key", href=KEYS_ADDRESS, className="btn btn-primary"),
            dcc.Link("See what can be asked", href=EXPLORER_ADDRESS, className="btn btn-outline-secondary"),
        ],
        className="empty-steps",
    )
    text = "Choose a longer range, or send one: a program needs a key, and the explorer shows what it can ask for."
    return empty_state("No requests in this time", text, action=steps, icon_name="bar-chart")
