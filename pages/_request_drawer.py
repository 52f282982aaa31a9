"""The drawer with all that was kept of one request."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
import orjson
from dash import dcc, html
from dash.development.base_component import Component

from components.icons import icon
from components.values import copy_button, key_value_list, number, size_text, time_tag
from pages._api_range import log_address
from services.api_requests.log import Details
from services.api_requests.routes import shown

DRAWER, TITLE, BODY = "requests-drawer", "requests-drawer-title", "requests-drawer-body"


def drawer(body: list[Component] | None = None) -> Component:
    """The drawer, open where there is something to show at once."""
    made: Component = dbc.Offcanvas(
        html.Div(body, id=BODY),
        id=DRAWER,
        title=html.Span("Request", id=TITLE),
        labelledby=TITLE,
        is_open=body is not None,
        placement="end",
        class_name="drawer",
    )
    return made


def body_of(found: Details, times: Mapping[str, Any]) -> list[Component]:
    """When, what, by whom; how it was answered; the samples where there are any; where to find others like it."""
    entry = found.entry
    alike = log_address(times, endpoint=entry.endpoint, method=entry.method, status=entry.status)
    of_key = None if entry.key_id is None else log_address(times, key=entry.key_id)
    of_address = None if not entry.address else log_address(times, address=entry.address)
    return [
        key_value_list(
            [
                ("Time", time_tag(entry.moment, "second")),
                ("Route", html.Span([f"{entry.method} ", html.Code(shown(entry.endpoint))])),
                ("Status", str(entry.status)),
                *([("Reason", entry.error)] if entry.error else []),
                ("Took", f"{number(entry.milliseconds, 1)} ms"),
                ("Received", size_text(entry.received)),
                ("Sent", size_text(entry.sent)),
                ("Key", "none, or one that is gone" if of_key is None else dcc.Link(entry.key, href=of_key)),
                *([] if of_key is None else [("Owner", entry.owner)]),
                ("Address", None if of_address is None else dcc.Link(entry.address, href=of_address)),
                ("Program", entry.agent),
                ("Request", None if entry.request_id is None else _copied(entry.request_id)),
                ("Number", number(entry.id)),
            ]
        ),
        html.Div(
            dcc.Link([icon("list"), "More like this"], href=alike, className="btn btn-outline-secondary"),
            className="form-actions",
        ),
        *_sample("Asked", found.asked),
        *_sample("Answered", found.answered),
        *([] if entry.has_sample else [html.P("The bodies of this request were not kept.", className="muted")]),
    ]


def _copied(text: str) -> Component:
    return html.Span([html.Code(text, className="hash"), copy_button(text)], className="one-time-row")


def _sample(title: str, sample: Any) -> list[Component]:
    if sample is None:
        return []
    text = orjson.dumps(sample, option=orjson.OPT_INDENT_2).decode()
    return [html.H3(title), html.Pre(html.Code(text), className="sample", tabIndex="0")]
