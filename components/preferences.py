"""How somebody wants to see things: two stores that preferences.js keeps in step with the page, and their buttons."""

from typing import TypedDict

from dash import dcc, html

from components.attributes import attributes

PREFERENCES_ID = "preferences"
CHOSEN_ID = "appearance-chosen"


class Preferences(TypedDict):
    """What the server knows; None leaves it to the browser."""

    theme: str | None
    density: str | None
    zone: str | None


def preference_stores(known: Preferences) -> list[dcc.Store]:
    """What is known at the start, and where the browser puts what is pressed."""
    return [dcc.Store(id=PREFERENCES_ID, data=dict(known)), dcc.Store(id=CHOSEN_ID)]


def density_switch() -> html.Div:
    """Two buttons that set how much room things take; preferences.js keeps them pressed."""
    return html.Div(
        [
            html.Button(
                label,
                type="button",
                className="segment",
                **attributes({"data-density-choice": value, "aria-pressed": "false"}),
            )
            for value, label in (("comfortable", "Comfortable"), ("compact", "Compact"))
        ],
        className="segmented theme-switch",
        role="group",
        **attributes({"aria-label": "Density"}),
    )
