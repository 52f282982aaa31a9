"""Every attempt to sign in to one's own account."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.feedback import empty_state
from components.icons import icon
from components.plain_table import plain_table
from components.shell import section
from components.values import time_tag
from database.engine import snapshot
from models.permissions import Permission
from pages import _account
from pages._page import register_page
from services import sign_ins
from services.sign_ins import RESULTS, Result, SignIn
from web.identity import current_actor

page = register_page(__name__, path=_account.LOGINS, title="Sign-ins", permission=Permission.MANAGE_OWN_ACCOUNT)

TABLE, RESULT, NEXT, NEWEST, BEFORE, EXPORT, DOWNLOAD = (
    f"logins-{word}" for word in ("table", "result", "next", "newest", "before", "export", "download")
)
METHODS = {
    "password": "Password",
    "totp": "App code",
    "backup_code": "Backup code",
    "passkey": "Passkey",
    "oidc": "Provider",
    "api_key": "API key",
    "invitation": "Invitation",
    "setup": "Set-up link",
}
LABELS: dict[Result, str] = {"all": "All results", "succeeded": "Succeeded", "failed": "Failed"}


@page.layout
def layout(**_: str) -> Component:
    """The newest attempts."""
    table, before = _table("all", None)
    controls = html.Div(
        [
            dbc.Label("Result", html_for=RESULT, class_name="visually-hidden"),
            dbc.Select(
                id=RESULT, value="all", options=[{"value": word, "label": LABELS[word]} for word in RESULTS], size="sm"
            ),
            html.Button(
                [icon("download"), "CSV"], id=EXPORT, type="button", className="btn btn-sm btn-outline-secondary"
            ),
        ],
        className="inline-controls",
    )
    return html.Div(
        [
            *_account.header(_account.LOGINS),
            section(
                "Attempts to sign in",
                [
                    html.Div(table, id=TABLE),
                    html.Div(
                        [
                            _turn(NEWEST, "Newest", seen=False),
                            _turn(NEXT, "Older", seen=before is not None),
                        ],
                        className="form-actions",
                    ),
                ],
                hint="The browser and the network say device and address; the place is guessed from the address.",
                actions=controls,
            ),
            dcc.Store(id=BEFORE, data=before),
            dcc.Download(id=DOWNLOAD),
        ]
    )


def _turn(id: str, label: str, *, seen: bool) -> Component:
    return html.Button(label, id=id, type="button", className="btn btn-sm btn-outline-secondary", style=_style(seen))


def _style(seen: bool) -> dict[str, str]:
    return {} if seen else {"display": "none"}


def _table(result: Result, before: int | None) -> tuple[Component, int | None]:
    with snapshot() as session:
        rows, following = sign_ins.page(session, current_actor(), result=result, before=before)
    if not rows:
        return empty_state("No attempts", "None with this result were recorded.", icon_name="clock"), None
    headers = ("Time", "Result", "Method", "Device", "Address", "Place")
    return plain_table(headers, [_row(item) for item in rows], label="Attempts to sign in"), following


def _row(item: SignIn) -> Sequence[Component | str]:
    name, kind = ("check-circle", "completed") if item.succeeded else ("x-circle", "failed")
    words = "Succeeded" if item.succeeded else f"Failed: {item.reason or 'no reason given'}"
    return (
        time_tag(item.moment, "datetime"),
        html.Span([icon(name), words], className=f"status status-{kind}"),  # type: ignore[arg-type]
        METHODS.get(item.method, item.method),
        item.device,
        html.Span(item.address, className="num"),
        item.place,
    )


def _result(value: Any) -> Result:
    return next((word for word in RESULTS if word == value), "all")


@page.callback(
    Output(TABLE, "children"),
    Output(BEFORE, "data"),
    Output(NEXT, "style"),
    Output(NEWEST, "style"),
    Input(RESULT, "value"),
    Input(NEXT, "n_clicks"),
    Input(NEWEST, "n_clicks"),
    State(BEFORE, "data"),
    prevent_initial_call=True,
)
def turn(result: Any, _next: Any, _newest: Any, before: Any) -> tuple[Any, ...]:
    """Older attempts, or the newest ones with another result."""
    older = ctx.triggered_id == NEXT and type(before) is int and 0 < before < 2**31
    table, following = _table(_result(result), before if older else None)
    return table, following, _style(following is not None), _style(older)


@page.callback(
    Output(DOWNLOAD, "data"),
    Input(EXPORT, "n_clicks"),
    State(RESULT, "value"),
    prevent_initial_call=True,
    export=True,
)
def export(clicks: Any, result: Any) -> Any:
    """The attempts with this result as CSV."""
    if not clicks:
        return no_update
    with snapshot() as session:
        content = sign_ins.as_csv(session, current_actor(), result=_result(result))
    return {"content": content, "filename": "sign-ins.csv", "type": "text/csv"}
