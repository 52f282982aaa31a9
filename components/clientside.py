"""Clientside callbacks of the shell; they run in the browser and ask the server nothing."""

from dash import ClientsideFunction, Dash, Input

from components.preferences import PREFERENCES_ID
from components.toasts import TOASTS_ID


def register(app: Dash) -> None:
    """Bind the shell's stores to assets/*.js; call it once for each app."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction(namespace="pfd", function_name="show_toast"),
        Input(TOASTS_ID, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction(namespace="pfd", function_name="adopt_preferences"), Input(PREFERENCES_ID, "data")
    )
