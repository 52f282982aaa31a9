"""What came out: the confusion matrix of each epoch with the scores per class, and the table of epochs."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import empty_state
from components.figures import bars_per_class_figure, confusion_figure, waiting_figure
from components.graph import chart_panel, panel_grid
from components.plain_table import plain_table
from components.shell import section
from components.values import duration_text, number
from database.engine import snapshot
from pages._experiment_ids import PREFIX, first_id
from pages._page import Page
from services.experiments import details
from services.experiments.details import EPOCHS_AT_ONCE, Detail, Matrix
from web.identity import current_actor

SLIDER, SLIDER_TEXT, AT, RANGE = (f"{PREFIX}-matrix-{word}" for word in ("epoch", "text", "visible", "span"))
MATRIX, SCORES, TABLE, CONTENT, EMPTY = (f"{PREFIX}-{w}" for w in ("matrix", "scores", "classes", "confusion", "none"))
GRID, BODY, ROWS, MORE, LAST = (f"{PREFIX}-{word}" for word in ("epochs", "epoch-rows", "rows", "more", "last"))
CONFUSION, EPOCHS = f"{PREFIX}-confusion-part", f"{PREFIX}-epochs-part"
EPOCH_COLUMNS = {
    "epoch": "Epoch",
    "train_loss": "Train loss",
    "val_loss": "Val loss",
    "train_accuracy": "Train accuracy",
    "val_accuracy": "Val accuracy",
    "learning_rate": "Learning rate",
    "duration_seconds": "Took",
}
HIDDEN = {"display": "none"}
MATRIX_HEIGHT, ROW_HEIGHT, FRAME_HEIGHT, HIGHEST = 460, 36, 140, 900


def parts(session: Any, experiment: Detail, actor: Any) -> list[Component]:
    """Both sections as they are now; one that will stay empty is hidden."""
    span = span_of(session, actor, experiment)
    found = None if span is None else details.matrix(session, actor, experiment.id, span[2])
    rows = details.epochs(session, actor, experiment.id)
    confusion = section("Confusion between classes", _confusion(span, found))
    epochs = section("Epochs", _epochs(rows))
    has_ended = not experiment.is_active
    return [
        html.Div(confusion, id=CONFUSION, style=HIDDEN if has_ended and span is None else {}),
        html.Div(epochs, id=EPOCHS, style=HIDDEN if has_ended and not rows else {}),
    ]


def span_of(session: Any, actor: Any, experiment: Detail) -> list[int] | None:
    """First and last epoch with a matrix, and where the slider stands: at the newest one, after the end at the best."""
    span = details.matrix_span(session, actor, experiment.id)
    if span is None:
        return None
    low, high = span
    best = high if experiment.is_active or experiment.best_epoch is None else experiment.best_epoch
    return [low, high, min(max(best, low), high)]


def _confusion(span: list[int] | None, found: Matrix | None) -> list[Component]:
    low, high, at = span or (0, 0, 0)
    matrix, scores, table = _drawn(found)
    # Each cell holds two lines, so many classes need a higher figure, up to what a screen shows.
    rows = len(found.labels) if found is not None else 0
    height = min(max(MATRIX_HEIGHT, FRAME_HEIGHT + ROW_HEIGHT * rows), HIGHEST)
    return [
        html.Div(
            empty_state("No confusion matrix", "None was recorded for this experiment so far.", icon_name="grid-3x3"),
            id=EMPTY,
            style={} if span is None else HIDDEN,
        ),
        html.Div(
            [
                html.Div(
                    [
                        dbc.Label("Epoch", html_for=SLIDER),
                        dbc.Input(
                            id=SLIDER,
                            type="range",
                            min=low,
                            max=high,
                            step=1,
                            value=at,
                            debounce=120,
                            class_name="form-range",
                        ),
                        html.Span(
                            f"{at:,}",
                            id=SLIDER_TEXT,
                            className="num range-value",
                            **attributes({"data-range-of": SLIDER, "aria-hidden": "true"}),
                        ),
                    ],
                    className="toolbar-range epoch-range",
                ),
                panel_grid(
                    [
                        chart_panel(MATRIX, "Confusion matrix", figure=matrix, height=height, linked=False),
                        chart_panel(SCORES, "Scores per class", figure=scores, height=height, linked=False),
                    ],
                    id=f"{CONTENT}-panels",
                    large=True,
                ),
                html.Details(
                    [html.Summary("Scores as a table"), html.Div(table, id=TABLE)], className="fold", open=False
                ),
            ],
            id=CONTENT,
            style=HIDDEN if span is None else {},
        ),
        dcc.Store(id=AT, data=at),
        dcc.Store(id=RANGE, data=[low, high, at]),
    ]


def _drawn(found: Matrix | None) -> tuple[dict[str, Any], dict[str, Any], Component]:
    if found is None:
        return waiting_figure(), waiting_figure(), html.Div()
    scores = {"precision": found.precision, "recall": found.recall, "F1": found.f1}
    support = [sum(line) for line in found.counts]
    rows = [
        (label, *(number(values[place]) for values in scores.values()), f"{support[place]:,}")
        for place, label in enumerate(found.labels)
    ]
    mean = [number(_mean(values)) for values in scores.values()]
    table = plain_table(
        ("Class", "Precision", "Recall", "F1", "Signals"),
        [*rows, ("Mean over classes", *mean, f"{sum(support):,}")],
        label=f"Scores per class after epoch {found.epoch}",
        numeric=(1, 2, 3, 4),
    )
    return (
        confusion_figure(found.counts, found.labels),
        bars_per_class_figure(found.labels, scores),
        table,
    )


def _mean(values: tuple[float | None, ...]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _epochs(rows: list[dict[str, Any]]) -> list[Component]:
    """The table is filled in the browser: rows travel as numbers, a fifth of what they would weigh as components."""
    head = [html.Th(title, scope="col", className="num cell-number") for title in EPOCH_COLUMNS.values()]
    table = html.Table(
        [
            html.Caption("Epochs", className="visually-hidden"),
            html.Thead(html.Tr(head)),
            html.Tbody(id=BODY, **attributes({"data-columns": ",".join(EPOCH_COLUMNS)})),
        ],
        className="plain-table epochs-table",
    )
    frame = {"aria-label": "Table of epochs"}
    return [
        html.P("No epoch has ended so far.", id=f"{BODY}-none", className="muted", style=HIDDEN if rows else {}),
        html.Div(
            table,
            className="epochs-frame",
            tabIndex=0,
            role="region",
            id=GRID,
            style={} if rows else HIDDEN,
            **attributes(frame),
        ),
        html.Div(
            html.Button(f"Load {EPOCHS_AT_ONCE} more", id=MORE, type="button", className="btn btn-outline-secondary"),
            className="more",
            id=f"{MORE}-box",
            style={} if len(rows) == EPOCHS_AT_ONCE else HIDDEN,
        ),
        dcc.Store(id=LAST, data=_cursor(rows, -1)),
        dcc.Store(id=ROWS, data=packed(rows)),
        dcc.Store(id=f"{BODY}-at"),
    ]


def packed(rows: list[dict[str, Any]]) -> list[list[Any]]:
    """Rows as the table takes them: values in the order of its columns."""
    return [[_shown(row[name], name) for name in EPOCH_COLUMNS] for row in rows]


def _shown(value: Any, name: str) -> str:
    if name == "epoch":
        return f"{value:,}"
    if name == "duration_seconds":
        return duration_text(value)
    if name == "learning_rate" and value is not None:
        return f"{value:.6g}".replace("e-0", "e−").replace("e-", "e−")
    return number(value)


def _cursor(rows: list[dict[str, Any]], before: int) -> dict[str, Any]:
    return {"last": rows[-1]["epoch"] if rows else before, "all": len(rows) < EPOCHS_AT_ONCE}


def _last(cursor: Any) -> tuple[int, bool]:
    match cursor:
        case {"last": int(last), "all": bool(every)} if -1 <= last < 2**31:
            return last, every
    return 2**31 - 1, False


def rows_after(session: Any, actor: Any, experiment_id: int, cursor: Any) -> list[dict[str, Any]]:
    """New rows for the table, unless earlier ones still wait for “load more”."""
    last, every = _last(cursor)
    return details.epochs(session, actor, experiment_id, last) if every else []


def cursor_of(rows: list[dict[str, Any]], cursor: Any) -> Any:
    """Where the table ends now."""
    return _cursor(rows, _last(cursor)[0]) if rows else no_update


def register(page: Page) -> None:
    """Bind the slider and the table."""

    @page.callback(
        Output(MATRIX, "figure"),
        Output(SCORES, "figure"),
        Output(TABLE, "children"),
        Input(AT, "data"),
        State(f"{PREFIX}-ids", "data"),
        prevent_initial_call=True,
    )
    def show_matrix(epoch: Any, ids: Any) -> tuple[Any, ...]:
        """The matrix after an epoch."""
        text = str(epoch)
        wanted = int(text) if text.isascii() and text.isdecimal() and len(text) < 11 else 0
        with snapshot() as session:
            found = details.matrix(session, current_actor(), first_id(ids), wanted)
        return (no_update,) * 3 if found is None else _drawn(found)

    @page.callback(
        Output(ROWS, "data", allow_duplicate=True),
        Output(LAST, "data", allow_duplicate=True),
        Output(f"{MORE}-box", "style"),
        Input(MORE, "n_clicks"),
        State(LAST, "data"),
        State(f"{PREFIX}-ids", "data"),
        prevent_initial_call=True,
    )
    def load_more(clicks: Any, cursor: Any, ids: Any) -> tuple[Any, ...]:
        """The next epochs."""
        if not clicks:
            return (no_update,) * 3
        last, _ = _last(cursor)
        with snapshot() as session:
            rows = details.epochs(session, current_actor(), first_id(ids), last)
        now = _cursor(rows, last)
        return packed(rows), now, HIDDEN if now["all"] else {}

    clientside_callback(
        ClientsideFunction("pfd", "when_seen"),
        Output(AT, "data"),
        Input(SLIDER, "value"),
        State(f"{CONTENT}-panels", "id"),
        State(AT, "id"),
        prevent_initial_call=True,
    )
    clientside_callback(
        ClientsideFunction("pfd", "follow_last"),
        Output(SLIDER, "min"),
        Output(SLIDER, "max"),
        Output(SLIDER, "value"),
        Output(SLIDER_TEXT, "children"),
        Output(CONTENT, "style"),
        Output(EMPTY, "style"),
        Input(RANGE, "data"),
        State(SLIDER, "value"),
        State(SLIDER, "max"),
        prevent_initial_call=True,
    )
    clientside_callback(
        ClientsideFunction("pfd", "add_rows"),
        Output(f"{BODY}-at", "data"),
        Input(ROWS, "data"),
        State(BODY, "id"),
    )
