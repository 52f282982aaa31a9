"""One experiment: how far it is, its curves, its confusion, what it was made of; it grows while one looks."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from components.config_tree import config_tree
from components.shell import page_header, section
from components.values import copy_button, key_value_list, time_tag
from database.engine import snapshot
from models.permissions import Permission
from pages import _curve_callbacks, _curve_figures
from pages import _experiment_changes as changes
from pages import _experiment_head as head
from pages import _experiment_live as live
from pages import _experiment_logging as logging
from pages import _experiment_results as results
from pages import _experiment_tags as tags
from pages._curve_controls import choices_from
from pages._experiment_ids import PREFIX, first_id, number_of
from pages._page import register_page
from services.actor import Actor
from services.curves.panels import Panel, panels
from services.errors import NotFound
from services.experiments import details
from services.experiments.details import Detail
from web.identity import current_actor


def exists(experiment_id: str) -> bool:
    """Whether the address leads to an experiment, for the status of the answer."""
    try:
        number = number_of(experiment_id)
    except NotFound:
        return False
    with snapshot() as session:
        return details.exists(session, current_actor(), number)


page = register_page(
    __name__,
    path_template="/experiments/<experiment_id>",
    title="Experiment",
    permission=Permission.VIEW_EXPERIMENTS,
    exists=exists,
)


@page.layout
def layout(
    experiment_id: str = "", x: str = "", smoothing: str = "", show: str = "", panels: str = "", **query: str
) -> Component:
    """The page as it is now; what runs grows from here."""
    number, actor = number_of(experiment_id), current_actor()
    zoom = {"axis": x or "step", "low": query.get("low"), "high": query.get("high")}
    choices = choices_from(x, smoothing, show, panels, zoom)
    with snapshot() as session:
        found = details.detail(session, actor, number)
        seen = details.cursor(session, actor, number)
        curves = _curve_callbacks.panels_part(session, PREFIX, [number], _source, choices, True)
        parts = results.parts(session, found, actor)
        without = not found.is_active and not details.has_metrics(session, actor, number)
    return html.Div(
        [
            page_header(
                found.name,
                breadcrumbs=[("Experiments", "/experiments")],
                badge=html.Span(head.badge(found), id=head.BADGE),
                actions=changes.actions(found, actor),
                subtitle=head.subtitle(found),
            ),
            html.Div(head.summary(found), id=head.SUMMARY),
            *head.children(found),
            # Hidden, not left out: the page's callbacks read what stands in them.
            html.P(
                "No metric was logged.",
                id=live.NO_CURVES,
                className="muted",
                style=live.seen_if(without and not found.children),
            ),
            html.Div(section("Curves", curves), id=live.CURVES, style=live.seen_if(not without)),
            *parts,
            _made_of(found, actor),
            changes.notes_section(found, actor),
            _artefacts(found),
            *logging.parts(found, actor),
            *live.stores(found, seen),
            *changes.dialogs(),
            *tags.parts(),
            dcc.Store(id=f"{PREFIX}-search"),
        ],
        className="experiment",
    )


def _source(session: Any, ids: Any) -> tuple[list[Panel], _curve_figures.Naming]:
    return panels(session, current_actor(), [first_id(ids)]), _curve_figures.by_role


def _made_of(found: Detail, actor: Actor) -> Component:
    parent = found.parent
    started, ended = head.moments(found)
    facts = key_value_list(
        [
            ("Model", found.model),
            ("Dataset", found.dataset),
            ("Group", found.group),
            ("Owner", found.owner),
            ("Source", found.source),
            ("Part of", None if parent is None else dcc.Link(parent[1], href=f"/experiments/{parent[0]}")),
            ("Created", time_tag(found.created, "datetime")),
            ("Started", html.Span(started, id=head.STARTED)),
            ("Ended", html.Span(ended, id=head.ENDED)),
            ("Tags", tags.tags(found, actor)),
        ]
    )
    return html.Div(
        [
            section("Details", facts),
            section("Hyper-parameters", config_tree(found.hyperparameters, id="experiment-params", label="Parameters")),
            section("Configuration", config_tree(found.config, id="experiment-config", open_depth=1)),
        ],
        className="experiment-columns",
    )


def _artefacts(found: Detail) -> Component:
    if not found.paths:
        return section("Artefacts", html.P("No files were recorded.", className="muted"))
    rows = [
        html.Li(
            [html.Span(kind, className="muted"), html.Code(path), copy_button(path, label=f"Copy {path[:80]}")],
            className="artefact",
        )
        for kind, path in found.paths
    ]
    return section("Artefacts", html.Ul(rows, className="artefacts"))


_curve_callbacks.register(page, PREFIX, _source, labels=True)
live.register(page)
results.register(page)
changes.register(page)
logging.register(page)
tags.register(page)
