"""Home: what runs, what ended, what failed since the last visit, what is best, how the installation is."""

from typing import Any

import dash
from dash import Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from components.feedback import confirm_dialog, empty_state, notice, status_badge
from components.figures.sparkline import sparkline
from components.icons import icon
from components.plain_table import plain_table
from components.shell import PAGE_VISIBLE_ID, page_header, section
from components.toasts import TOASTS_ID, toast
from components.values import duration_text, number, progress, time_tag
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages._alert_line import alert_line, word_of
from pages._page import register_page
from services import demo, health, home
from services.api_alerts import rules
from web.identity import current_actor, current_session

page = register_page(__name__, path="/", title="Home", permission=Permission.VIEW_EXPERIMENTS)

LIVE, TICK, SEEN = "home-live", "home-tick", "home-seen"
FAILED, BEST = "home-failed", "home-best"
REMOVE_DEMO, DEMO_DIALOG, DEMO_NOTICE = "home-remove-demo", "home-demo-dialog", "home-demo-notice"
POLL_MILLISECONDS = 3000


@page.layout
def layout(**_: str) -> Component:
    """The page as it is now; its upper half is asked for again while it is looked at."""
    actor = current_actor()
    with snapshot() as session:
        demos = home.demo_count(session, actor)
        live, version = _live(session)
        before = home.last_visit(session, actor, current_session().session_id)
        failed = _failures(session)
        best = home.best_per_dataset(session, actor)
        state = health.overview(session)
    return html.Div(
        [
            page_header("Home", subtitle=_health_line(state)),
            html.Div(_demo_notice(demos, actor.may(Permission.MANAGE_DEMO)), id=DEMO_NOTICE),
            html.Div(live, id=LIVE),
            section(
                "Failed since your last visit" if before else "Failed in the last seven days",
                html.Div(failed, id=FAILED),
            ),
            section("Best on each dataset", html.Div(_best(best), id=BEST), hint="highest validation accuracy"),
            dcc.Interval(id=TICK, interval=POLL_MILLISECONDS),
            dcc.Store(id=SEEN, data=version),
            confirm_dialog(
                DEMO_DIALOG,
                "Remove the demo?",
                body="The demo dataset, its signals and its experiments go for good. Your own experiments stay.",
                confirm_label="Remove demo",
                danger=True,
            ),
        ]
    )


def _live(session: Any, seen: str | None = None) -> tuple[Component | None, str]:
    """The upper half and what it shows in a word; nothing where that word was seen before."""
    actor = current_actor()
    raised = rules.raised(session, actor)
    version = f"{home.version(session, actor)} {word_of(raised)}"
    if version == seen:
        return None, version
    line = alert_line(raised)
    rows = home.active(session, actor)
    total = home.count_active(session, actor)
    ended = home.finished(session, actor)
    if not rows and not ended:
        return html.Div([line, _first_steps()]), version
    more = [dcc.Link(f"All {total}", href="/experiments?status=active")] if total > len(rows) else []
    halves = [
        section("Running and waiting", _running(rows), actions=more),
        section("Last finished", _finished(ended), hint="by when they ended"),
    ]
    return html.Div([line, *halves]), version


def _first_steps() -> Component:
    return empty_state(
        "No experiments yet",
        html.Div(
            [
                html.P("Bring in the runs that you have:"),
                html.Pre(
                    html.Code(
                        ".venv/bin/pfd import tensorboard runs/\n"
                        ".venv/bin/pfd import mlflow mlruns/\n"
                        ".venv/bin/pfd import csv metrics.csv"
                    )
                ),
            ]
        ),  # type: ignore[arg-type]
        icon_name="activity",
    )


def _health_line(state: health.Health) -> Component:
    words = {"healthy": "All is well", "degraded": "Memory or disk is filling up", "unhealthy": "Needs attention"}
    kind = {"healthy": "completed", "degraded": "paused", "unhealthy": "failed"}[state.level]
    icons = {"completed": "check-circle", "paused": "exclamation-circle", "failed": "exclamation-triangle"}
    running = f"{state.jobs_running or 'no'} {'job' if state.jobs_running == 1 else 'jobs'} running"
    queue = f"{running}, {state.jobs_waiting} waiting" if state.jobs_waiting else running
    return html.Span(
        [
            html.Span([icon(icons[kind]), words[state.level]], className=f"status status-{kind}"),  # type: ignore[arg-type]
            html.Span(
                f"{queue} · machine: load {state.load:.1f} on {state.cores} cores, "
                f"memory {state.memory_percent:.0f} %, disk {state.disk_percent:.0f} % · "
                f"{'PostgreSQL' if state.database == 'postgresql' else 'SQLite'}",
                className="num",
            ),
        ],
        className="health-line",
    )


def _demo_notice(demos: int, may_remove: bool) -> Component | None:
    if not demos:
        return None
    return notice(
        f"{demos} experiments are the demo: small models for this machine to train, on generated signals.",
        action=html.Button("Remove demo", id=REMOVE_DEMO, type="button", className="btn btn-sm btn-outline-secondary")
        if may_remove
        else None,
    )


def _name(row: dict[str, Any]) -> Component:
    return dcc.Link(row["name"], href=f"/experiments/{row['id']}", className="grid-link")


def _running(rows: list[dict[str, Any]]) -> Component:
    if not rows:
        return html.P("Nothing is running or waiting.", className="muted")
    return plain_table(
        ("Experiment", "Status", "Curve", "Epochs", "Started"),
        [
            (
                _name(row),
                status_badge(row["status"]),
                _curve(row),
                _epochs(row),
                time_tag(row["started"]),
            )
            for row in rows
        ],
        label="Running and waiting experiments",
        numeric=(3,),
    )


def _curve(row: dict[str, Any]) -> Component:
    drawn = sparkline(row["curve"], label=f"{row['metric'] or 'Curve'} of {row['name']}")
    name = html.Span(row["metric"], className="muted curve-name") if row["metric"] else None
    return html.Span([drawn, name], className="curve-cell")


def _epochs(row: dict[str, Any]) -> Component:
    if not row["total_epochs"]:
        return html.Span(str(row["epochs"]), className="num")
    return html.Span(
        [
            html.Span(f"{row['epochs']} / {row['total_epochs']}", className="num"),
            progress(row["epochs"], row["total_epochs"], label=f"Epochs of {row['name']}"),
        ],
        className="epochs-cell",
    )


def _finished(rows: list[dict[str, Any]]) -> Component:
    if not rows:
        return html.P("Nothing has finished yet.", className="muted")
    return plain_table(
        ("Experiment", "Status", "Model", "Dataset", "Took", "Ended"),
        [
            (
                _name(row),
                status_badge(row["status"]),
                row["model"] or "–",
                row["dataset"] or "–",
                duration_text(row["duration"]),
                time_tag(row["ended"]),
            )
            for row in rows
        ],
        label="Experiments that ended last",
        numeric=(4,),
    )


def _failures(session: Any) -> Component:
    actor = current_actor()
    before = home.last_visit(session, actor, current_session().session_id)
    since = before or home.first_visit_looks_back_to()
    total, rows = home.failures_since(session, actor, since)
    if not rows:
        text = ["None since you were here ", time_tag(before), "."] if before else "None in the last seven days."
        return html.P(text, className="muted")
    table = plain_table(
        ("Experiment", "Reason", "Ended"),
        [(_name(row), row["reason"] or "No reason was given.", time_tag(row["ended"])) for row in rows],
        label="Experiments that failed lately",
    )
    if total <= len(rows):
        return table
    return html.Div([table, dcc.Link(f"All {total} failures", href="/experiments?status=failed")])


def _best(rows: list[dict[str, Any]]) -> Component:
    if not rows:
        return html.P("No experiment on a dataset has a validation accuracy yet.", className="muted")
    return plain_table(
        ("Dataset", "Experiment", "Model", "Accuracy", "Epoch", "Compared"),
        [
            (
                row["dataset"],
                _name(row),
                row["model"] or "–",
                number(row["accuracy"]),
                str(row["epoch"]),
                str(row["compared"]),
            )
            for row in rows
        ],
        label="Best experiment on each dataset",
        numeric=(3, 4, 5),
    )


@page.callback(
    Output(LIVE, "children"),
    Output(SEEN, "data"),
    Output(FAILED, "children", allow_duplicate=True),
    Output(BEST, "children", allow_duplicate=True),
    Input(TICK, "n_intervals"),
    State(SEEN, "data"),
    State(PAGE_VISIBLE_ID, "data"),
    prevent_initial_call=True,
)
def refresh(_tick: int | None, seen: str | None, visible: bool | None) -> tuple[Any, Any, Any, Any]:
    """Draw the upper half again, but only when something moved and somebody looks; all of it once something ended."""
    if visible is False:
        return no_update, no_update, no_update, no_update
    with snapshot() as session:
        children, version = _live(session, seen)
        if version == seen:
            return no_update, no_update, no_update, no_update
        if home.ended_part(version) == home.ended_part(str(seen)):
            return children, version, no_update, no_update
        return children, version, _failures(session), _best(home.best_per_dataset(session, current_actor()))


@page.callback(
    Output(DEMO_DIALOG, "is_open"),
    Input(REMOVE_DEMO, "n_clicks"),
    Input(f"{DEMO_DIALOG}-cancel", "n_clicks"),
    Input(f"{DEMO_DIALOG}-confirm", "n_clicks"),
    permission=Permission.MANAGE_DEMO,
    prevent_initial_call=True,
)
def ask_to_remove_demo(_open: int | None, _cancel: int | None, _confirm: int | None) -> bool:
    """Ask first."""
    return dash.ctx.triggered_id == REMOVE_DEMO and bool(_open)


@page.callback(
    Output(DEMO_NOTICE, "children"),
    Output(FAILED, "children"),
    Output(BEST, "children"),
    Input(f"{DEMO_DIALOG}-confirm", "n_clicks"),
    permission=Permission.MANAGE_DEMO,
    prevent_initial_call=True,
)
def remove_demo(clicks: int | None) -> tuple[Any, Any, Any]:
    """Remove the demo for good; the upper half of the page follows by itself."""
    if not clicks:
        return no_update, no_update, no_update
    actor = current_actor()
    with transaction() as session:
        removed = demo.remove(session, actor)
    with snapshot() as session:
        failed = _failures(session)
        best = home.best_per_dataset(session, actor)
    dash.set_props(TOASTS_ID, {"data": toast("success", f"The demo is gone: {removed} experiments removed.")})
    return None, failed, _best(best)
