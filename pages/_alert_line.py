"""One calm line about the alerts that are raised, for the pages on which people look first."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from components.feedback import notice
from components.values import time_tag
from services.api_alerts import events
from services.api_alerts.rules import Rule

ALERTS = "/api-metrics/alerts"


def alert_line(raised: Sequence[Rule]) -> Component | None:
    """What exceeds its bound, the newest by name; nothing while all is well."""
    if not raised:
        return None
    first = raised[0]
    value = "" if first.value is None else f" is {events.amount(first.measure, first.value)}"
    subject = events.subject_of(first)
    more = f" and {len(raised) - 1} more" if len(raised) > 1 else ""
    told: list[Component | str] = [
        dcc.Link(f"{subject[0].upper()}{subject[1:]}{value}", href=ALERTS),
        f", more than {events.amount(first.measure, first.threshold)}, since ",
        time_tag(first.raised),
        f"{more}.",
    ]
    return html.Div(notice(told, kind="warning"), className="alert-line", role="status")


def word_of(raised: Sequence[Rule]) -> str:
    """What changes whenever the line would look different."""
    return ",".join(f"{rule.id}:{rule.value}" for rule in raised)
