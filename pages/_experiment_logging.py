"""How a script logs to this experiment: lines to copy, and a key that may do just that."""

from typing import Any

import dash
from dash import Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component
from flask import request

from components.feedback import confirm_dialog
from components.icons import icon
from components.shell import section
from components.values import copy_button
from database.engine import transaction
from models.permissions import Permission
from pages import _key_dialog
from pages._experiment_ids import PREFIX, first_id
from pages._logging_snippets import KEY_VARIABLE, Snippet, export_line, snippets
from pages._page import Page
from pages._permission_words import permission_words
from services.actor import Actor
from services.api_keys import for_logging, keys
from services.experiments.details import Detail
from services.experiments.reporting import REPORTED
from web.identity import current_actor

WORDS, OPEN, DIALOG, KEY = (f"{PREFIX}-logging-{word}" for word in ("words", "open", "dialog", "key"))


def parts(found: Detail, actor: Actor) -> list[Component]:
    """The section, and the question before a key is made."""
    wanted = for_logging.scopes(actor, is_own=found.is_own)
    # Hidden, not left out: callbacks wait for it.
    make = html.Button(
        [icon("key"), "Make a key…"],
        id=OPEN,
        type="button",
        className="btn btn-sm btn-outline-secondary",
        style={} if wanted else {"display": "none"},
    )
    offer = _offer([str(scope) for scope in wanted])
    base = request.url_root.rstrip("/")
    ways = snippets(base, found.id, found.run_id, is_reported=found.source in REPORTED)
    content = [
        html.P(words(found, actor), id=WORDS, className="muted"),
        html.Div(id=KEY, role="status"),
        html.Div([_shown(way) for way in ways], className="snippets"),
    ]
    return [
        section("Log to this experiment", content, actions=make),
        confirm_dialog(DIALOG, "Make a key for logging?", body=offer, confirm_label="Make the key"),
    ]


def words(found: Detail, actor: Actor) -> str:
    """Who logs to it, and what that does as it is now."""
    if found.deleted is not None:
        return "It is deleted: what is logged is refused until it is restored."
    if not for_logging.scopes(actor, is_own=found.is_own):
        who = f"{found.owner} and admins" if found.owner else "Only admins"
        return f"{who} log to this experiment; with a key of yours the lines below are refused."
    key = f"The lines read the key from the environment ({KEY_VARIABLE})."
    if found.source not in REPORTED:
        return f"No program reports this one: points are added to its curves, and its status stays. {key}"
    if found.is_active:
        return f"It runs: points are in its curves as they come. MLflow and Lightning end it with the script. {key}"
    return (
        "It has ended: points are added to what is there. MLflow lets it run again until the script ends, Lightning "
        f"sets its end anew, curl leaves its status. {key}"
    )


def refresh(found: Detail, actor: Actor) -> None:
    """Say it anew where the experiment has ended, was deleted or restored while somebody looks."""
    dash.set_props(WORDS, {"children": words(found, actor)})


def _offer(scopes: list[str]) -> list[Component]:
    rights = [permission_words(scope) for scope in scopes]
    listed = ", ".join(rights[:-1]) + f" and {rights[-1]}" if rights else ""
    limit = f"{keys.usual_rate(scopes):,}"
    return [
        html.P(f"A program acts as you with it. It may {listed}: all that you may write to, not this one alone."),
        html.P(f"It works for {keys.DAYS} days, {limit} requests an hour, unless you revoke it under API keys."),
    ]


def _shown(way: Snippet) -> Component:
    return html.Div(
        [
            html.Div(
                [html.H3(way.title, className="snippet-title"), copy_button(way.text, label=f"Copy for {way.title}")],
                className="snippet-head",
            ),
            html.Pre(html.Code(way.text), className="snippet-lines", tabIndex=0),
        ],
        className="snippet",
    )


def register(page: Page) -> None:
    """Bind the button."""

    @page.callback(
        Output(DIALOG, "is_open"),
        Input(OPEN, "n_clicks"),
        Input(f"{DIALOG}-cancel", "n_clicks"),
        Input(f"{DIALOG}-confirm", "n_clicks"),
        permission=Permission.RUN_EXPERIMENTS,
        prevent_initial_call=True,
    )
    def ask(clicks: Any, _cancel: Any, _confirm: Any) -> bool:
        """Say first what the key may do."""
        return ctx.triggered_id == OPEN and bool(clicks)

    @page.callback(
        Output(KEY, "children"),
        Input(f"{DIALOG}-confirm", "n_clicks"),
        State(f"{PREFIX}-ids", "data"),
        permission=Permission.RUN_EXPERIMENTS,
        prevent_initial_call=True,
        sudo=True,
    )
    def make(clicks: Any, ids: Any) -> Any:
        """Make the key and show it once."""
        if not clicks:
            return no_update
        with transaction() as session:
            text = for_logging.create(session, current_actor(), first_id(ids))
        told = "The new key; from now on it is listed under API keys."
        return _key_dialog.shown_once(text, told, export_line(text), "For the terminal in which the script starts:")
