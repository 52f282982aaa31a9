"""What the API's metrics say where there is nothing to show."""

from types import SimpleNamespace
from typing import Any

from dash import dcc

from pages._api_metrics_parts import how_to_begin


def test_without_requests_it_leads_to_a_key_and_to_what_can_be_asked() -> None:
    nothing: Any = SimpleNamespace(routes=())
    shown = how_to_begin(nothing)
    assert shown is not None
    assert [part.href for part in shown._traverse() if isinstance(part, dcc.Link)] == ["/account/keys", "/api/docs"]
