"""The documentation of the API, made of the document that it serves; each operation can be tried."""

from collections.abc import Iterator
from typing import Any

from dash import MATCH, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.shell import page_header, section
from models.permissions import Permission
from pages import _api_docs_parts as parts
from pages._page import register_page
from web.identity import current_actor
from web.rest.document import document

page = register_page(__name__, path="/api/docs", title="API explorer", permission=Permission.VIEW_EXPERIMENTS)


@page.layout
def layout(**_: str) -> Component:
    """How to ask, and all that can be asked."""
    told, actor = document(), current_actor()
    groups: dict[str, list[Component]] = {}
    for address, method, one in _operations(told):
        needed = one.get("x-permission")
        may = needed is None or actor.may(Permission(needed))
        groups.setdefault(one["tags"][0], []).append(parts.operation(address, method, one, may))
    subtitle = "What the pages show and most of what they do, for programs, with the rights of the pages."
    file = html.A(
        "openapi.json", href="/api/v1/openapi.json", target="_blank", className="btn btn-sm btn-outline-secondary"
    )
    return html.Div(
        [
            page_header("API explorer", subtitle=subtitle, actions=file),
            section("How to ask", _how()),
            *(section(name.capitalize(), made) for name, made in groups.items()),
        ],
        className="api-docs",
    )


@page.callback(
    Output({"type": parts.BODY, "operation": MATCH}, "children"),
    Output({"type": parts.BODY, "operation": MATCH}, "data-made"),
    Input({"type": parts.HEAD, "operation": MATCH}, "n_clicks"),
    State({"type": parts.BODY, "operation": MATCH}, "data-made"),
    prevent_initial_call=True,
)
def open_operation(clicks: int | None, made: str | None) -> tuple[Any, Any]:
    """Its body, made once, so that what is typed into it stays."""
    if not clicks or made or not isinstance(ctx.triggered_id, dict):
        return no_update, no_update
    told, name = document(), ctx.triggered_id.get("operation")
    for address, method, one in _operations(told):
        if one["operationId"] == name:
            return parts.body(address, method, one, told["components"]["schemas"]), "yes"
    return no_update, no_update


def _operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for address, methods in told["paths"].items():
        for method, one in methods.items():
            yield address, method, one


def _how() -> list[Component]:
    line = 'curl -H "Authorization: Bearer $PFD_KEY" "$PFD/api/v1/experiments?limit=5"'
    return [
        html.P(["A program sends an API key, which you make under ", dcc.Link("API keys", href="/account/keys"), ":"]),
        html.Pre(html.Code(line), className="operation-code", tabIndex=0),
        html.Ul(
            [
                html.Li("Lists come a page at a time: “next” of an answer is the “cursor” of the page that follows."),
                html.Li(
                    "Most lists and all series are CSV and Parquet as well: send “Accept: text/csv” or "
                    "“application/vnd.apache.parquet”."
                ),
                html.Li("A POST under the same Idempotency-Key is done once, however often it is sent."),
                html.Li("A refusal says in “errors” which field is meant, and in “instance” the id of the request."),
            ]
        ),
    ]
