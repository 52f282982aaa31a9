"""The columns of the list: which there are, which are shown, and the dialog that chooses them."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.dialog import modal
from components.fields import field
from components.grid import (
    Column,
    actions_column,
    column,
    duration_column,
    link_column,
    number_column,
    status_column,
    tags_column,
    time_column,
)
from database.engine import snapshot
from models.permissions import Permission
from pages import _experiment_actions as acts
from pages._experiment_query import FIELDS, MOST_COLUMNS, columns_from, fields_from, sort_from
from pages._page import Page
from services.experiments import options
from web.identity import current_actor

COLUMNS, SHOWN, SORT = "experiments-columns", "experiments-shown", "experiments-sort"
CHOOSER, CHOOSE = "experiments-chooser", "experiments-choose"
FIELD_LIST, KIND, FIND, NAMES, CHOSEN = (
    f"experiments-{word}" for word in ("fields", "kind", "find", "names", "chosen")
)
MOST_OFFERED = 100
WORDS = {"max": "highest", "min": "lowest", "last": "last"}
KINDS = {
    "max": "Highest value of a metric",
    "min": "Lowest value of a metric",
    "last": "Last value of a metric",
    "param": "Hyper-parameter",
}


def definitions(
    extra: Sequence[str], fields: Sequence[str], order: str, *, may_edit: bool, deleted: bool
) -> list[Column]:
    """The grid's columns; what it is sorted by is shown in any case, and in the view of deleted ones when they went."""
    own: dict[str, Column] = {
        "status": status_column(filter="none", width=114, minWidth=28),
        "created": time_column("created", FIELDS["created"], width=116),
        "tags": tags_column(width=170, flex=None),
        "duration": duration_column("duration", FIELDS["duration"], width=106),
        "epochs": number_column("epochs", FIELDS["epochs"], digits=0, width=92),
        "model": column("model", FIELDS["model"], width=150),
        "dataset": column("dataset", FIELDS["dataset"], width=206),
        "group": column("group", FIELDS["group"], width=190),
        "parent": column("parent", FIELDS["parent"], width=180),
        "owner": column("owner", FIELDS["owner"], width=110),
        "started": time_column("started", FIELDS["started"], width=124),
        "ended": time_column("ended", FIELDS["ended"], width=124),
    }
    wanted = {*fields, order.removeprefix("-")} if order != "-created" else {*fields}
    shown = [definition for name, definition in own.items() if name in wanted]
    after_status = 1 if "status" in wanted else 0
    when = [time_column("deleted", "Deleted", width=124)] if deleted else []
    made = [
        link_column(
            "name", "Name", sub_field="parent", filter="text", width=250, minWidth=120, flex=None, pinned="left"
        ),
        *shown[:after_status],
        *when,
        *[_extra_column(name) for name in extra],
        *shown[after_status:],
        actions_column(acts.row_actions(may_edit)),
    ]
    for definition in made:
        if definition.get("field") == order.removeprefix("-"):
            definition["sort"] = "desc" if order.startswith("-") else "asc"
    return made


def _extra_column(name: str) -> Column:
    if name.startswith("metric:"):
        _, which, key = name.split(":", 2)
        return number_column(name, f"{which} {key}", width=122, headerTooltip=f"{WORDS[which]} {key}")
    return column(name, name.removeprefix("param:"), width=120, headerTooltip=name)


def chooser(fields: Sequence[str]) -> Component:
    """What each run has, and metrics and hyper-parameters, several at once."""
    every = [{"label": label, "value": name} for name, label in FIELDS.items()]
    return modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Columns", id=f"{CHOOSER}-title"), close_button=True),
            dbc.ModalBody(
                [
                    _group(
                        "Of each run",
                        dbc.Checklist(id=FIELD_LIST, options=every, value=list(fields), class_name="choice-grid"),
                    ),
                    field(
                        KIND,
                        "Add",
                        dbc.Select(
                            id=KIND,
                            value="max",
                            options=[{"label": label, "value": kind} for kind, label in KINDS.items()],
                        ),
                    ),
                    field(
                        FIND,
                        "Find",
                        dbc.Input(id=FIND, type="search", value="", debounce=200, maxlength=100, autocomplete="off"),
                    ),
                    _group("Tick one or several", dbc.Checklist(id=NAMES, options=[], value=[]), "choice-frame"),
                    # Last, as it grows with each tick: what is ticked next must not move away below the pointer.
                    _group("Shown metrics and hyper-parameters", dbc.Checklist(id=CHOSEN, options=[], value=[])),
                ],
                className="dialog-form",
            ),
        ],
        id=CHOOSER,
        title_id=f"{CHOOSER}-title",
        centered=False,  # nor may it as the dialog grows to both sides
    )


def _group(legend: str, choices: Component, name: str = "") -> html.Fieldset:
    return html.Fieldset(
        [html.Legend(legend, className="form-label"), html.Div(choices, className=name)], className="form-field"
    )


def label_of(name: str) -> str:
    """A metric or hyper-parameter column in words."""
    if name.startswith("param:"):
        return f"{name.removeprefix('param:')} (hyper-parameter)"
    _, which, key = name.split(":", 2)
    return f"{key} ({WORDS[which]})"


def _column_of(kind: str, name: str) -> str:
    return f"param:{name}" if kind == "param" else f"metric:{kind}:{name}"


def _choices(columns: Sequence[str]) -> list[dict[str, str]]:
    return [{"label": label_of(name), "value": name} for name in columns]


def _values(choices: Any) -> list[str]:
    items = choices if isinstance(choices, list) else []
    return [item["value"] for item in items if isinstance(item, dict) and isinstance(item.get("value"), str)]


def register(page: Page, grid: str, status: str) -> None:
    """Bind the columns and their dialog to the list's page and grid."""

    @page.callback(
        Output(grid, "columnDefs"),
        Input(COLUMNS, "data"),
        Input(SHOWN, "data"),
        Input(status, "value"),
        State(SORT, "data"),
        State(grid, "columnDefs"),
        prevent_initial_call=True,
    )
    def set_columns(columns: Any, fields: Any, chosen_status: Any, order: Any, before: Any) -> Any:
        """The grid's columns, sorted as they were."""
        known = before if isinstance(before, list) else []
        chosen = columns_from(columns)
        may_edit, asked = current_actor().may(Permission.CREATE_EXPERIMENTS), sort_from(order, chosen)
        deleted = chosen_status == "deleted"
        wanted = definitions(chosen, fields_from(fields), asked, may_edit=may_edit, deleted=deleted)
        # Not by what has changed: of two changes at once Dash tells the later one alone.
        had = [item.get("field") for item in known if isinstance(item, dict)]
        return no_update if had == [item.get("field") for item in wanted] else wanted

    @page.callback(
        Output(CHOOSER, "is_open"),
        Output(NAMES, "options"),
        Output(NAMES, "value"),
        Output(CHOSEN, "options"),
        Output(CHOSEN, "value"),
        Input(CHOOSE, "n_clicks"),
        Input(KIND, "value"),
        Input(FIND, "value"),
        State(COLUMNS, "data"),
        prevent_initial_call=True,
    )
    def choose(_clicks: Any, kind: Any, wanted: Any, columns: Any) -> tuple[Any, ...]:
        """Offer the metrics or hyper-parameters that there are."""
        actor, kind = current_actor(), kind if isinstance(kind, str) and kind in KINDS else "max"
        with snapshot() as session:
            names = options.param_names(session, actor) if kind == "param" else options.metric_names(session, actor)
        text = wanted.strip().casefold() if isinstance(wanted, str) else ""
        offered = [name for name in names if text in name.casefold()][:MOST_OFFERED]
        chosen = columns_from(columns)
        ticked = [name for name in offered if _column_of(kind, name) in chosen]
        return True, [{"label": name, "value": name} for name in offered], ticked, _choices(chosen), list(chosen)

    @page.callback(
        Output(COLUMNS, "data"),
        Output(CHOSEN, "options", allow_duplicate=True),
        Output(CHOSEN, "value", allow_duplicate=True),
        Output(NAMES, "value", allow_duplicate=True),
        Input(NAMES, "value"),
        Input(CHOSEN, "value"),
        State(NAMES, "options"),
        State(KIND, "value"),
        State(COLUMNS, "data"),
        prevent_initial_call=True,
    )
    def change_columns(ticked: Any, kept: Any, offered: Any, kind: Any, columns: Any) -> tuple[Any, ...]:
        """Add what is ticked, and take away what no longer is."""
        before, kind = columns_from(columns), kind if isinstance(kind, str) and kind in KINDS else "max"
        names = _values(offered)
        here = {_column_of(kind, name) for name in names}
        wanted = [_column_of(kind, name) for name in names if isinstance(ticked, list) and name in ticked]
        if not isinstance(kept, list):
            kept = before
        # Of both lists whichever has changed: of two changes at once Dash tells the later one alone.
        taken = [item for item in before if item in kept and (item in wanted or item not in here)]
        after = taken + [item for item in wanted if item not in before]
        if len(after) > MOST_COLUMNS:
            acts.say("info", f"The list shows up to {MOST_COLUMNS} metrics and hyper-parameters at once.")
        now = columns_from(after)
        if now == before and len(after) <= MOST_COLUMNS:
            return (no_update,) * 4
        return list(now), _choices(now), list(now), [name for name in names if _column_of(kind, name) in now]

    @page.callback(Output(SHOWN, "data"), Input(FIELD_LIST, "value"), State(SHOWN, "data"), prevent_initial_call=True)
    def change_fields(ticked: Any, before: Any) -> Any:
        """Show what is ticked of what each run has."""
        now = list(fields_from(ticked))
        return no_update if now == before else now
