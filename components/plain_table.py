"""A short table in plain HTML; whoever shows it sorts its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from components.attributes import attributes
from components.icons import icon

Cell = Component | str

MOST_BELOW_EACH_OTHER = 5  # figures of a row on a phone; more of them stand side by side


@dataclass(frozen=True, slots=True)
class SortBy:
    """A header that is pressed to sort by it, the highest first."""

    id: dict[str, str]
    is_chosen: bool


def plain_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    label: str,
    numeric: Sequence[int] = (),
    sorting: Mapping[int, SortBy] | None = None,
) -> html.Div:
    """Rows under headers; those counted in `numeric` are right-aligned figures, one without a header holds buttons."""
    by = sorting or {}

    def classes(place: int) -> str:
        if not headers[place]:
            return "cell-actions"
        return "num cell-number" if place in numeric else ""

    def head_of(place: int, text: str) -> html.Th:
        its = by.get(place)
        if its is None:
            return html.Th(text, scope="col", className=classes(place))
        mark = [icon("arrow-down")] if its.is_chosen else []
        button = html.Button([text, *mark], id=its.id, type="button", className="sort-button", title=f"Sort by {text}")
        told = attributes({"aria-sort": "descending"} if its.is_chosen else {})
        return html.Th(button, scope="col", className=classes(place), **told)

    head = [head_of(place, text) for place, text in enumerate(headers)]
    body = [
        html.Tr(
            [
                html.Td(cell, className=classes(place), **attributes({"data-label": headers[place]}))
                for place, cell in enumerate(row)
            ]
        )
        for row in rows
    ]
    table = html.Table(
        [html.Caption(label, className="visually-hidden"), html.Thead(html.Tr(head)), html.Tbody(body)],
        className="plain-table plain-table-figures" if len(numeric) >= MOST_BELOW_EACH_OTHER else "plain-table",
    )
    return html.Div(table, className="plain-table-frame")
