"""A short table in plain HTML, for a handful of rows that need no sorting."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.attributes import attributes

Cell = Component | str

MOST_BELOW_EACH_OTHER = 5  # figures of a row on a phone; more of them stand side by side


def plain_table(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], *, label: str, numeric: Sequence[int] = ()
) -> html.Div:
    """Rows under headers; those counted in `numeric` are right-aligned figures, one without a header holds buttons."""

    def classes(place: int) -> str:
        if not headers[place]:
            return "cell-actions"
        return "num cell-number" if place in numeric else ""

    head = [html.Th(text, scope="col", className=classes(place)) for place, text in enumerate(headers)]
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
