"""The table of a comparison as plain data; compare.js makes the cells, as thousands of components cost a second."""

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import STATUS_ICONS
from components.values import NOTHING, duration_text, number
from pages._compare_parts import TABLE, TABLE_DATA, stroke
from services.compare import Compared, MetricRow
from services.compare_params import ParamRow

MOST_COLUMNS_OF_EXPERIMENTS = 6
MOST_LINES = 60
WORDS = {"min": "lowest", "max": "highest", None: "last"}
LABEL = "Parameters and metrics"

# A text, a list with one number as it is shown, or the best, the last and whether it is the best of all.
Cell = str | list[Any]


def frame(data: dict[str, Any]) -> Component:
    """Where the table is put up, and what is in it."""
    place = html.Div(
        id=TABLE, className="compare-frame", tabIndex=0, role="region", **attributes({"aria-label": LABEL})
    )
    return html.Div([place, dcc.Store(id=TABLE_DATA, data=data), dcc.Store(id=f"{TABLE}-made")])


def table(
    found: Sequence[Compared], params: Sequence[ParamRow], metrics: Sequence[MetricRow], only: bool
) -> dict[str, Any]:
    """Parameters, then metrics; with `only`, what reads the same everywhere is left out.

    A few experiments are columns (“upright”), many are rows, so that either can be read.
    """
    count = len(found)
    kept = _lines([(_title(row), None, [_param(row, place) for place in range(count)]) for row in params], only)
    measured = _lines(
        [(row.name, WORDS[row.direction], [_metric(row, place) for place in range(count)]) for row in metrics], only
    )
    data: dict[str, Any] = {
        "label": LABEL,
        "upright": count <= MOST_COLUMNS_OF_EXPERIMENTS,
        "status": not only or len({item.status for item in found}) > 1,
        "experiments": [_experiment(item, place) for place, item in enumerate(found)],
        "lines": [*kept[:MOST_LINES], *measured[:MOST_LINES]],
    }
    if not kept and not measured:
        words = "They do not differ in anything that was recorded." if params or metrics else "Nothing was recorded."
        data["empty"] = ["No differences" if params or metrics else "Nothing to show", words]
    if len(kept) > MOST_LINES or len(measured) > MOST_LINES:
        of = f"{len(kept)} parameters and of {len(measured)} metrics"
        data["note"] = f"The first {MOST_LINES} of {of} are shown."
    return data


def _title(row: ParamRow) -> str:
    """A fact is written as a title, a parameter as the experiments write it."""
    return row.name[:1].upper() + row.name[1:] if row.is_fact else row.name


def _experiment(item: Compared, place: int) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        **stroke(place),
        "status": item.status if item.status in STATUS_ICONS else "unknown",
        "word": item.status.replace("_", " ").capitalize() or "Unknown",
        "icon": STATUS_ICONS.get(item.status, "info-circle"),
    }


def _lines(rows: Sequence[tuple[str, str | None, list[Cell]]], only: bool) -> list[dict[str, Any]]:
    """Lines of the table; two values that only differ behind the digits shown would look like a mistake."""
    return [
        {"name": name, "word": word, "cells": cells}
        for name, word, cells in rows
        if not only or len({_read(cell) for cell in cells}) > 1
    ]


def _read(cell: Cell) -> str:
    return cell if isinstance(cell, str) else " ".join(cell[:2])


def _param(row: ParamRow, place: int) -> Cell:
    value = row.values[place]
    if value is None:
        return [NOTHING]
    return [duration_text(float(value))] if row.seconds else value


def _metric(row: MetricRow, place: int) -> Cell:
    last, best = row.last[place], row.best[place]
    said = last if isinstance(last, str) else number(last)
    if row.direction is None or best is None:
        return [said]
    return [number(best), said, place in row.winners]
