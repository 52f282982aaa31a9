"""One's own profile: name, time zone, how things look, e-mail address."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.feedback import notice
from components.fields import field, text_field
from components.preferences import CHOSEN_ID, PREFERENCES_ID, density_switch
from components.shell import ACCOUNT_NAME_ID, section, theme_switch
from components.toasts import TOASTS_ID, toast
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages import _account, _own_data
from pages._page import register_page
from services import own_email, profile
from services.errors import Conflict, Invalid
from services.mail import sending
from services.profile import Profile
from web import credentials
from web.identity import current_actor, current_session

page = register_page(__name__, path=_account.PROFILE, title="Profile", permission=Permission.MANAGE_OWN_ACCOUNT)

NAME, ZONE, SAVE = (f"profile-{word}" for word in ("name", "zone", "save"))
EMAIL, CURRENT, SEND, WAITING = (f"profile-{word}" for word in ("email", "current", "send", "waiting"))
FIELDS = {"display_name": NAME, "time_zone": ZONE}
EMAIL_FIELDS = {"email": EMAIL, "current": CURRENT}
AS_BROWSER = "browser"  # a choice without a value would be shown as none


@page.layout
def layout(**_: str) -> Component:
    """Four parts, each by itself."""
    actor = current_actor()
    with snapshot() as session:
        known, waiting = profile.read(session, actor), own_email.waiting(session, actor)
    return html.Div(
        [
            *_account.header(_account.PROFILE),
            section("About you", _about(known)),
            section("Appearance", _appearance(), hint="Applies at once, wherever you sign in."),
            section("E-mail", _email(known, waiting), hint="Where notices about your account go."),
            section("Your data", _own_data.part()),
        ]
    )


def _about(known: Profile) -> Component:
    zones = [
        {"label": "As the browser", "value": AS_BROWSER},
        *({"label": zone.replace("_", " "), "value": zone} for zone in profile.time_zones()),
    ]
    return html.Div(
        [
            text_field(
                NAME,
                "Display name",
                value=known.display_name or "",
                placeholder=known.username,
                autocomplete="name",
                maxlength=100,
                hint=f"How you are greeted. You sign in as {known.username}.",
            ),
            field(
                ZONE,
                "Time zone",
                dbc.Select(id=ZONE, options=zones, value=known.time_zone or AS_BROWSER),
                hint="Of the times in pages and mails.",
            ),
            html.Div(dbc.Button("Save", id=SAVE, color="primary"), className="form-actions"),
        ],
        className="form-column",
    )


def _appearance() -> Component:
    choices = (("Theme", theme_switch()), ("Density", density_switch()))
    return html.Div(
        [
            html.Div([html.Div(name, className="form-label"), switch], className="form-field")
            for name, switch in choices
        ],
        className="form-column appearance",
    )


def _email(known: Profile, waiting: str | None) -> Component:
    return html.Div(
        [
            html.Div(_waiting(known.email, waiting), id=WAITING, role="status"),
            text_field(EMAIL, "New e-mail address", type="email", autocomplete="email", maxlength=255),
            text_field(CURRENT, "Current password", type="password", autocomplete="current-password", maxlength=4096),
            html.Div(dbc.Button("Send the link", id=SEND, color="primary"), className="form-actions"),
        ],
        className="form-column",
    )


def _waiting(email: str, waiting: str | None) -> Component:
    if waiting is None:
        return html.P(
            ["Your address is ", html.Strong(email), ". A new one is confirmed by a link that is sent to it."]
        )
    told = f"A link was sent to {waiting}. Until it is opened there, your address stays {email}."
    if not sending.reaches_people():
        told += " No mail server is set up, so the mail waits in the outbox: ask an admin for it."
    return notice(told)


@page.callback(
    *(Output(f"{name}-error", "children") for name in FIELDS.values()),
    *(Output(name, "invalid") for name in FIELDS.values()),
    Input(SAVE, "n_clicks"),
    Input(NAME, "n_submit"),
    State(NAME, "value"),
    State(ZONE, "value"),
    prevent_initial_call=True,
)
def save(*given: Any) -> tuple[Any, ...]:
    """Store name and zone, or say at the field what is wrong."""
    if not any(given[:2]):
        return (no_update,) * 4
    name, zone = (value if isinstance(value, str) else "" for value in given[2:4])
    try:
        with transaction() as session:
            profile.save(session, current_actor(), display_name=name, time_zone="" if zone == AS_BROWSER else zone)
            known = profile.read(session, current_actor())
    except Invalid as error:
        said = tuple(str(error) if error.field == key else "" for key in FIELDS)
        return (*said, *(bool(text) for text in said))
    shown = {"theme": known.theme, "density": known.density, "zone": known.time_zone}
    dash.set_props(PREFERENCES_ID, {"data": shown})
    dash.set_props(ACCOUNT_NAME_ID, {"children": known.name})
    dash.set_props(TOASTS_ID, {"data": toast("success", "Your profile was saved.")})
    return ("", "", False, False)


@page.callback(Input(CHOSEN_ID, "data"), prevent_initial_call=True)
def keep_appearance(chosen: Any) -> None:
    """Keep what was pressed here or in the account menu, for every browser of this person."""
    if isinstance(chosen, dict):
        with transaction() as session:
            profile.choose_appearance(
                session, current_actor(), theme=chosen.get("theme"), density=chosen.get("density")
            )


@page.callback(
    *(Output(f"{name}-error", "children") for name in EMAIL_FIELDS.values()),
    *(Output(name, "invalid") for name in EMAIL_FIELDS.values()),
    *(Output(name, "value") for name in EMAIL_FIELDS.values()),
    Output(WAITING, "children"),
    Input(SEND, "n_clicks"),
    Input(EMAIL, "n_submit"),
    Input(CURRENT, "n_submit"),
    State(EMAIL, "value"),
    State(CURRENT, "value"),
    prevent_initial_call=True,
)
def change_email(*given: Any) -> tuple[Any, ...]:
    """Send the link to the new address, or say at the field what is wrong."""
    if not any(given[:3]):
        return (no_update,) * 7
    email, current = (value if isinstance(value, str) else "" for value in given[3:5])
    try:
        address = credentials.ask_for_email(email, current)
    except (Invalid, Conflict) as error:
        wrong = getattr(error, "field", None) or "current"
        said = tuple(str(error) if wrong == key else "" for key in EMAIL_FIELDS)
        return (*said, *(bool(text) for text in said), *(no_update,) * 3)
    dash.set_props(TOASTS_ID, {"data": toast("success", f"A link was sent to {address}.")})
    return ("", "", False, False, "", "", _waiting(current_session().email, address))


_own_data.register(page)
