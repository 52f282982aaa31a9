"""The dialog that makes a rule for alerts or changes one, and the question before one is deleted."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, dcc, no_update
from dash.development.base_component import Component

from components.dialog import close_button, form_dialog
from components.feedback import confirm_dialog
from components.fields import field, text_field
from components.toasts import TOASTS_ID, toast
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages._page import Page
from pages._presses import number_in, presses, store, store_of
from services.api_alerts import rules
from services.api_requests.routes import shown
from services.errors import Invalid, NotFound
from web.identity import current_actor

OPEN, DIALOG, CLOSE, CONFIRM, WHICH, CHANGE, REMOVE, ASKS, GONE = (
    f"alerts-{word}"
    for word in ("open", "dialog", "close", "confirm", "which", "change", "remove", "delete-dialog", "delete-which")
)
MEASURE, THRESHOLD, WINDOW, ENDPOINT, ACTIVE = (
    f"alerts-{word}" for word in ("measure", "threshold", "window", "endpoint", "active")
)
FIELDS = {"measure": MEASURE, "threshold": THRESHOLD, "window": WINDOW, "endpoint": ENDPOINT}
MEASURES = {"error_rate": "Error rate, in per cent", "p95": "p95 of the latency, in ms"}
EVERY_ROUTE = "all"
BEGIN = ("error_rate", "5", "15", EVERY_ROUTE, True)


def dialogs() -> list[Component]:
    """The two dialogs, and what they are about."""
    return [
        dcc.Store(id=WHICH),
        dcc.Store(id=GONE),
        store(CHANGE),
        store(REMOVE),
        form_dialog(
            DIALOG,
            "Rule",
            [
                field(
                    MEASURE,
                    "What",
                    dbc.Select(
                        id=MEASURE, options=[{"value": word, "label": label} for word, label in MEASURES.items()]
                    ),
                ),
                text_field(THRESHOLD, "Raise an alert above", inputmode="decimal", maxlength=20, autocomplete="off"),
                field(
                    WINDOW,
                    "Over the last",
                    dbc.Select(
                        id=WINDOW,
                        options=[{"value": str(count), "label": f"{count} minutes"} for count in rules.WINDOWS],
                    ),
                    hint=f"Looked at every minute; fewer than {rules.LEAST_REQUESTS} requests raise nothing.",
                ),
                field(ENDPOINT, "Of", dbc.Select(id=ENDPOINT)),
                dbc.Switch(id=ACTIVE, label="On"),
            ],
            actions=[close_button(CLOSE), dbc.Button("Save", id=CONFIRM, color="primary")],
        ),
        confirm_dialog(
            ASKS, "Delete this rule?", body="An alert that it has raised ends.", confirm_label="Delete", danger=True
        ),
    ]


def register(page: Page, changed: str) -> None:
    """Bind the dialogs; `changed` is the store that makes the page look again."""

    @page.callback(
        Output(DIALOG, "is_open"),
        Output(f"{DIALOG}-title", "children"),
        Output(WHICH, "data"),
        *(Output(id, "value") for id in (*FIELDS.values(), ACTIVE)),
        Output(ENDPOINT, "options"),
        *(Output(f"{id}-error", "children") for id in FIELDS.values()),
        Input(OPEN, "n_clicks"),
        presses(CHANGE),
        Input(CLOSE, "n_clicks"),
        permission=Permission.CONFIGURE_NOTIFICATIONS,
        prevent_initial_call=True,
    )
    def open_dialog(clicks: Any, change: Any, _close: Any) -> tuple[Any, ...]:
        """A new rule, or one as it is."""
        if ctx.triggered_id == CLOSE:
            return False, *(no_update,) * 12
        number = number_in(change) if ctx.triggered_id == store_of(CHANGE) else None
        if number is None and not (ctx.triggered_id == OPEN and clicks):
            return (no_update,) * 13
        with snapshot() as session:
            actor = current_actor()
            routes = rules.routes(session, actor)
            rule = None if number is None else rules.one(session, actor, number)
        values = BEGIN if rule is None else _values(rule)
        known = routes if values[3] in {EVERY_ROUTE, *routes} else [values[3], *routes]
        options = [
            {"value": EVERY_ROUTE, "label": "all requests"},
            *({"value": word, "label": shown(word)} for word in known),
        ]
        title = "New rule" if rule is None else "Change rule"
        return True, title, number, *values, options, *("",) * len(FIELDS)

    @page.callback(
        Output(DIALOG, "is_open", allow_duplicate=True),
        *(Output(f"{id}-error", "children", allow_duplicate=True) for id in FIELDS.values()),
        Output(changed, "data", allow_duplicate=True),
        Input(CONFIRM, "n_clicks"),
        Input(THRESHOLD, "n_submit"),
        *(State(id, "value") for id in (*FIELDS.values(), ACTIVE)),
        State(WHICH, "data"),
        State(changed, "data"),
        permission=Permission.CONFIGURE_NOTIFICATIONS,
        prevent_initial_call=True,
    )
    def save(clicks: Any, submitted: Any, *given: Any) -> tuple[Any, ...]:
        """Keep the rule, or say at the field what is wrong."""
        measure, threshold, window, endpoint, active, number, times = given
        if not (clicks or submitted):
            return (no_update,) * 6
        route = None if endpoint == EVERY_ROUTE else endpoint
        try:
            asked = rules.wanted(measure, threshold or "", window, route, active is not False)
            with transaction() as session:
                if type(number) is int:
                    rules.change(session, current_actor(), number, asked)
                else:
                    rules.create(session, current_actor(), asked)
        except Invalid as error:
            return no_update, *(str(error) if name == error.field else "" for name in FIELDS), no_update
        dash.set_props(TOASTS_ID, {"data": toast("success", "The rule is kept. It is looked at every minute.")})
        return False, *("",) * len(FIELDS), _next(times)

    @page.callback(
        Output(ASKS, "is_open"),
        Output(GONE, "data"),
        presses(REMOVE),
        Input(f"{ASKS}-cancel", "n_clicks"),
        permission=Permission.CONFIGURE_NOTIFICATIONS,
        prevent_initial_call=True,
    )
    def ask_to_delete(press: Any, _cancel: Any) -> tuple[Any, Any]:
        """Ask first."""
        if ctx.triggered_id == f"{ASKS}-cancel":
            return False, None
        number = number_in(press)
        return (no_update, no_update) if number is None else (True, number)

    @page.callback(
        Output(ASKS, "is_open", allow_duplicate=True),
        Output(changed, "data", allow_duplicate=True),
        Input(f"{ASKS}-confirm", "n_clicks"),
        State(GONE, "data"),
        State(changed, "data"),
        permission=Permission.CONFIGURE_NOTIFICATIONS,
        prevent_initial_call=True,
    )
    def delete(clicks: Any, number: Any, times: Any) -> tuple[Any, Any]:
        """Delete the rule; one that somebody else has deleted meanwhile is gone as well."""
        if not clicks or type(number) is not int:
            return no_update, no_update
        try:
            with transaction() as session:
                rules.delete(session, current_actor(), number)
        except NotFound:
            pass
        dash.set_props(TOASTS_ID, {"data": toast("success", "The rule is deleted.")})
        return False, _next(times)


def _values(rule: rules.Rule) -> tuple[str, str, str, str, bool]:
    bound = rule.threshold * 100 if rule.measure.value == "error_rate" else rule.threshold
    return rule.measure.value, f"{bound:.10g}", str(rule.window_minutes), rule.endpoint or EVERY_ROUTE, rule.is_active


def _next(times: Any) -> int:
    return (times if type(times) is int else 0) + 1
