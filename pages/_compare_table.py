"""The table of a comparison: a few experiments are columns, many are rows, so that either can be read."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import empty_state, status_badge
from components.icons import icon
from components.values import NOTHING, duration_text, number
from pages._compare_parts import swatch
from services.compare import Compared, MetricRow
from services.compare_params import ParamRow

MOST_COLUMNS_OF_EXPERIMENTS = 6
MOST_LINES = 60
WORDS = {"min": "lowest", "max": "highest", None: "last"}


Cell = tuple[str, Component]  # what it says, for it is by that that rows differ, and how
Line = tuple[Component, list[Component]]


def table(found: Sequence[Compared], params: Sequence[ParamRow], metrics: Sequence[MetricRow], only: bool) -> Component:
    """Parameters, then metrics; with `only`, what reads the same everywhere is left out."""
    count = len(found)
    kept = [line for row in params if (line := _line(_param_head(row), _param_cells(row, count), only))]
    measured = [line for row in metrics if (line := _line(_metric_head(row), _metric_cells(row, count), only))]
    if not kept and not measured:
        words = "They do not differ in anything that was recorded." if params or metrics else "Nothing was recorded."
        return empty_state(
            "No differences" if params or metrics else "Nothing to show", words, icon_name="layout-split"
        )
    cut = len(kept) > MOST_LINES or len(measured) > MOST_LINES
    lines = [*kept[:MOST_LINES], *measured[:MOST_LINES]]
    upright = count <= MOST_COLUMNS_OF_EXPERIMENTS
    body = _upright(found, lines) if upright else _lying(found, lines)
    note = html.P(
        f"The first {MOST_LINES} of {len(kept)} parameters and of {len(measured)} metrics are shown.", className="muted"
    )
    return html.Div(
        [
            html.Div(
                html.Table(
                    [html.Caption("Parameters and metrics", className="visually-hidden"), *body],
                    className="compare-table compare-upright" if upright else "compare-table",
                ),
                className="compare-frame",
                tabIndex=0,
                role="region",
                **attributes({"aria-label": "Parameters and metrics"}),
            ),
            note if cut else None,
        ]
    )


def _line(head: Component, cells: Sequence[Cell], only: bool) -> Line | None:
    """A line of the table; two values that only differ behind the digits shown would look like a mistake."""
    if only and len({text for text, _ in cells}) < 2:
        return None
    return head, [cell for _, cell in cells]


def _upright(found: Sequence[Compared], lines: Sequence[Line]) -> list[Component]:
    head = [html.Th("", scope="col"), *[html.Th(_name(item, place), scope="col") for place, item in enumerate(found)]]
    rows = [html.Tr([html.Th(title, scope="row"), *cells]) for title, cells in lines]
    status = html.Tr([html.Th("status", scope="row"), *[html.Td(status_badge(item.status)) for item in found]])
    return [html.Thead(html.Tr(head)), html.Tbody([status, *rows])]


def _lying(found: Sequence[Compared], lines: Sequence[Line]) -> list[Component]:
    head = [
        html.Th("Experiment", scope="col"),
        html.Th("status", scope="col"),
        *[html.Th(title, scope="col") for title, _ in lines],
    ]
    rows = [
        html.Tr(
            [
                html.Th(_name(item, place), scope="row"),
                html.Td(status_badge(item.status)),
                *[cells[place] for _, cells in lines],
            ]
        )
        for place, item in enumerate(found)
    ]
    return [html.Thead(html.Tr(head)), html.Tbody(rows)]


def _name(item: Compared, place: int) -> Component:
    link = dcc.Link(item.name, href=f"/experiments/{item.id}", className="legend-name", title=item.name)
    return html.Span([swatch(place), link], className="compare-name")


def _param_head(row: ParamRow) -> Component:
    return html.Span(row.name, title=row.name, className="compare-key")


def _metric_head(row: MetricRow) -> Component:
    return html.Span(
        [
            html.Span(row.name, title=row.name, className="compare-key"),
            html.Span(WORDS[row.direction], className="muted"),
        ],
        className="compare-metric",
    )


def _param_cells(row: ParamRow, count: int) -> list[Cell]:
    return [_param(row, place) for place in range(count)]


def _param(row: ParamRow, place: int) -> Cell:
    value = row.values[place]
    if value is None:
        return NOTHING, html.Td(NOTHING, className="muted")
    if row.seconds:
        text = duration_text(float(value))
        return text, html.Td(text, className="num")
    return value, html.Td(value, title=value, className="compare-differs" if row.differs else "")


def _metric_cells(row: MetricRow, count: int) -> list[Cell]:
    return [_metric(row, place) for place in range(count)]


def _metric(row: MetricRow, place: int) -> Cell:
    last, best = row.last[place], row.best[place]
    said = last if isinstance(last, str) else number(last)
    if row.direction is None or best is None:
        return said, html.Td(said, className="num")
    wins = place in row.winners
    mark = [icon("trophy"), html.Span("best of all", className="visually-hidden")] if wins else []
    return f"{number(best)} {said}", html.Td(
        [
            html.Span([number(best), *mark], className="compare-best"),
            html.Span(f"last {said}", className="muted"),
        ],
        className="num compare-value compare-wins" if wins else "num compare-value",
    )
