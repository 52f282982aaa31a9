"""All that is kept about a person, as a file of theirs."""

from typing import Any

from dash import Input, Output, dcc, html, no_update
from dash.development.base_component import Component

from components.icons import icon
from database.engine import transaction
from pages._page import Page
from services import own_data
from web.identity import current_session

TAKE, DOWNLOAD = "profile-take-data", "profile-download"


def part() -> Component:
    """What the file holds, and the button for it."""
    return html.Div(
        [
            html.P(
                "One JSON file with all that is kept about you: profile, keys without what opens anything, sessions, "
                "sign-ins, mails, searches, settings, and the names of what you made."
            ),
            html.Div(
                html.Button(
                    [icon("download"), "Download my data"],
                    id=TAKE,
                    type="button",
                    className="btn btn-outline-secondary",
                ),
                className="form-actions",
            ),
            dcc.Download(id=DOWNLOAD),
        ],
        className="form-column",
    )


def register(page: Page) -> None:
    """Bind the button to the page."""

    @page.callback(
        Output(DOWNLOAD, "data"),
        Input(TAKE, "n_clicks"),
        prevent_initial_call=True,
        sudo=True,
        export=True,
    )
    def take(clicks: Any) -> Any:
        """The file."""
        if not clicks:
            return no_update
        signed_in = current_session()
        with transaction() as session:
            found = own_data.collect(session, signed_in.actor, signed_in.session_id)
        return {"content": own_data.as_json(found), "filename": "my-data.json", "type": "application/json"}
