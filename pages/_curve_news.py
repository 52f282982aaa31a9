"""What a page of curves sends while runs grow: only new points where these can be added, else whole figures."""

from collections.abc import Sequence
from typing import Any

from dash import no_update

from pages import _curve_figures as drawing
from pages._curve_controls import Choices
from services.curves.growth import Growth, grows, growth
from services.curves.panels import Panel

_BETTER = {"val_loss": "min", "val_accuracy": "max"}


def news(
    session: Any,
    prefix: str,
    panels: Sequence[Panel],
    seen: Sequence[str],
    drawn: Any,
    choices: Choices,
    naming: drawing.Naming,
    *,
    labels: bool,
) -> tuple[Any, Any, dict[str, Any]]:
    """What to add to the panels on screen, what the page remembers then, and the figures of those to draw anew."""
    before = drawing.known(drawn)
    stale = drawing.stale(panels, seen, drawn, choices)
    growing = []
    for panel in stale:
        signature, points = before.get(panel.key, ("", []))
        if signature == choices.signature and grows(panel, choices.view(len(panel.series)), points):
            growing.append(panel)
    added, again = growth(session, growing, {panel.key: before[panel.key][1] for panel in growing})
    anew = [panel for panel in stale if panel.key not in added or panel.key in again]
    made = drawing.figures(session, anew, choices, naming, labels=labels)
    remembered = {key: [how, points] for key, (how, points) in before.items()} | drawing.state_of(stale, choices)
    by_key = {panel.key: panel for panel in growing}
    sent = {
        key: {"total": by_key[key].points, "lines": [_line(by_key[key], line) for line in lines]}
        for key, lines in added.items()
        if key not in again
    }
    extension = {"prefix": prefix, "signature": choices.signature, "panels": sent} if sent else no_update
    return extension, remembered if stale else no_update, made


def _line(panel: Panel, line: Growth) -> dict[str, Any]:
    better = _BETTER.get(panel.series[line.line].role or "")
    return {"line": line.line, "had": line.had, "x": line.x, "y": line.y, "better": better}
