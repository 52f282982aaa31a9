"""The dialog that changes one person's role and access."""

from collections.abc import Sequence
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.dialog import close_button, form_dialog
from components.fields import field
from components.icons import IconName, icon
from components.toasts import TOASTS_ID, toast
from components.values import key_value_list, time_tag
from database.engine import transaction
from pages import _deletion_dialog as deleting
from pages._invite_dialog import link_shown
from pages._page import Page
from services import people
from services.people import Person
from services.second_factor import reset
from web.identity import current_actor

OPEN, DIALOG, BODY, CLOSE, WHO = (f"person-{word}" for word in ("open", "dialog", "body", "close", "who"))
ROLE, SAVE, DISABLE, ENABLE, END, LINK, AGAIN, ANEW, RESET = (
    f"person-{word}" for word in ("role", "save", "disable", "enable", "end", "link", "again", "anew", "reset")
)
BUTTONS = (SAVE, END, AGAIN, DISABLE, ENABLE, ANEW, RESET)


def dialog() -> Component:
    """An empty dialog; its body is made when it opens."""
    made = form_dialog(DIALOG, "Change an account", [], actions=[close_button(CLOSE)], body_id=BODY)
    return html.Div([made, dcc.Store(id=WHO)])


def body(found: Person, roles: Sequence[dict[str, str]], link: Component | None = None) -> list[Component]:
    """What is true of the person, and what can be done."""
    active, came = found.state == "active", found.state in {"active", "disabled"}
    return [
        key_value_list(
            [
                ("Name", found.username),
                ("E-mail", found.email),
                ("State", found.state.capitalize()),
                ("Last sign-in", time_tag(found.last_sign_in)),
                ("Open sessions", f"{found.sessions:,}"),
                ("Two-factor", "on" if found.two_factor else "off"),
                ("Password", "must be chosen anew" if found.must_choose_password else "chosen" if came else "none yet"),
            ]
        ),
        html.Div(
            [
                field(ROLE, "Role", dbc.Select(id=ROLE, value=found.role, options=list(roles))),
                dbc.Button("Change role", id=SAVE, color="primary", outline=True),
            ],
            className="field-with-button",
        ),
        html.Div("A new role ends all sessions of this person.", className="form-hint"),
        html.Div(
            [
                _button(END, "Sign out everywhere", "box-arrow-right", seen=active and found.sessions > 0),
                _button(AGAIN, "New invitation", "link-45deg", seen=not came),
                _button(DISABLE, "Disable", "ban", seen=active or found.state == "invited"),
                _button(ENABLE, "Enable", "check-lg", seen=found.state == "disabled"),
                _button(ANEW, "Require a new password", "key", seen=came and not found.must_choose_password),
                _button(RESET, "Reset second factor", "shield-lock", seen=found.two_factor),
                _button(deleting.OPEN, "Delete account", "trash", seen=True),
            ],
            className="form-actions",
        ),
        html.Div(link, id=LINK, role="status"),
    ]


def _button(id: str, label: str, name: IconName, *, seen: bool) -> Component:
    style = {} if seen else {"display": "none"}  # hidden, not left out: a callback waits for it
    return html.Button([icon(name), label], id=id, type="button", className="btn btn-outline-secondary", style=style)


def _ended(count: int) -> str:
    if count == 0:
        return "No session was open."
    return f"{count} {'session was' if count == 1 else 'sessions were'} ended."


def register(page: Page, changed: str, roles: Sequence[dict[str, str]]) -> None:
    """Bind the buttons; `changed` is the store that makes the page read its table again."""

    @page.callback(
        Output(BODY, "children", allow_duplicate=True),
        Output(changed, "data"),
        *(Input(button, "n_clicks") for button in BUTTONS),
        State(ROLE, "value"),
        State(WHO, "data"),
        State(changed, "data"),
        prevent_initial_call=True,
        sudo=True,
    )
    def act(*given: Any) -> tuple[Any, Any]:
        """Do what was pressed and show what is true then."""
        role, who, times = given[len(BUTTONS) :]
        if not any(given[: len(BUTTONS)]) or type(who) is not int:
            return no_update, no_update
        actor, link, done = current_actor(), None, ""
        with transaction() as session:
            match ctx.triggered_id:
                case pressed if pressed == SAVE:
                    user = people.set_role(session, actor, who, role if isinstance(role, str) else "")
                    done = f"{user.username} is now {user.role.replace('_', ' ')}."
                case pressed if pressed == END:
                    ended = people.end_sessions(session, actor, who)
                    done = _ended(ended)
                case pressed if pressed == ANEW:
                    ended = people.require_new_password(session, actor, who)
                    done = "A new password has to be chosen at the next sign-in. API keys have ended. " + _ended(ended)
                case pressed if pressed == RESET:
                    reset.reset(session, actor, who)
                    done = "The second factor was removed, and every session ended."
                case pressed if pressed == AGAIN:
                    link = people.invite_again(session, actor, who)
                case pressed if pressed in {DISABLE, ENABLE}:
                    user = people.set_active(session, actor, who, pressed == ENABLE)
                    done = f"{user.username} is {'enabled' if user.is_active else 'disabled'}."
            session.flush()
            found = people.get(session, actor, who)
        if done:
            dash.set_props(TOASTS_ID, {"data": toast("success", done)})
        shown = None if link is None else link_shown(found.username, link)
        return body(found, roles, shown), (times if type(times) is int else 0) + 1
