"""Back and forth in a table that is read a page at a time."""

from dash import html
from dash.development.base_component import Component


def turn_button(id: str, label: str, *, seen: bool) -> Component:
    """A button that is there for its callback, and seen only where there is somewhere to turn to."""
    return html.Button(label, id=id, type="button", className="btn btn-sm btn-outline-secondary", style=style_of(seen))


def style_of(seen: bool) -> dict[str, str]:
    """The style of what is there and perhaps not seen."""
    return {} if seen else {"display": "none"}
