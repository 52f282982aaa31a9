"""How the installation is: machine, workers and queue, failed jobs, database, versions."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.attributes import attributes
from components.figures import Curve, curves_figure, message_figure
from components.graph import chart_panel, panel_grid
from components.icons import icon
from components.plain_table import plain_table
from components.shell import PAGE_VISIBLE_ID, page_header, section
from components.toasts import TOASTS_ID, toast
from components.values import duration_text, key_value_list, number, size_text, stat, stat_row, time_tag
from database.engine import snapshot, transaction
from models.permissions import Permission
from pages._page import register_page
from pages._presses import number_in, presses, store
from services import database_size, failed_jobs, health, machine, machine_courses
from services.database_size import Size, Table
from services.failed_jobs import FailedJob
from services.machine import Reading
from services.machine_courses import Course
from web.identity import current_actor

page = register_page(__name__, path="/admin/health", title="Health", permission=Permission.VIEW_SYSTEM_HEALTH)

MACHINE, QUEUE, FAILED, SEEN, DATABASE, SPAN, TICK, SLOW_TICK, RETRY = (
    f"health-{word}"
    for word in ("machine", "queue", "failed", "seen", "database", "span", "tick", "slow-tick", "retry")
)
POLL_MILLISECONDS, SLOW_POLL_MILLISECONDS = 10_000, 60_000
LOOKED_AT = 0.1  # seconds over which the load of the processor is measured
TABLES_SHOWN = 20
HEADERS_OF_TABLES = ("Table", "Rows", "Size with indexes")
CHARTS = {"cpu": "Processor", "memory": "Memory", "disk": "Disk", "jobs": "Jobs"}
DAY = "24 h"


@page.layout
def layout(**_: str) -> Component:
    """All of it as it is now."""
    reading = machine.look(LOOKED_AT)
    actor = current_actor()
    with snapshot() as session:
        found = failed_jobs.failed(session, actor)
        queue, about = health.queue(session, actor), health.about(session, actor)
        courses = machine_courses.courses(session, actor, machine_courses.SPANS[DAY])
        size = database_size.size(session, actor)
    figures = _figures(courses, DAY)
    spans = dbc.Select(
        id=SPAN, value=DAY, options=[{"value": word, "label": f"Last {word}"} for word in machine_courses.SPANS]
    )
    return html.Div(
        [
            page_header("Health"),
            html.Div(_machine(reading), id=MACHINE),
            section(
                "History",
                panel_grid(
                    [
                        chart_panel(
                            f"health-{name}",
                            title,
                            figure=figures[name],
                            unit=None if name == "jobs" else "%",
                            height=200,
                        )
                        for name, title in CHARTS.items()
                    ]
                ),
                hint="one sample a minute",
                actions=html.Div(
                    [dbc.Label("Time", html_for=SPAN, class_name="visually-hidden"), spans], className="inline-controls"
                ),
            ),
            section("Workers and queue", html.Div(_queue(queue), id=QUEUE)),
            section("Failed jobs", html.Div(_failed(found), id=FAILED), hint="the last that failed"),
            section("Database", html.Div(_database(size), id=DATABASE)),
            section("About", _about(about)),
            dcc.Interval(id=TICK, interval=POLL_MILLISECONDS),
            dcc.Interval(id=SLOW_TICK, interval=SLOW_POLL_MILLISECONDS),
            dcc.Store(id=SEEN, data=[item.id for item in found]),
            store(RETRY),
        ]
    )


def _machine(now: Reading) -> Component:
    return stat_row(
        [
            stat("Processor", f"{now.cpu_percent:.0f} %", hint="of all cores, just now"),
            _share("Memory", now.memory_used, now.memory_total),
            _share("Disk of the data folder", now.disk_used, now.disk_total),
        ]
    )


def _share(label: str, used: int, total: int) -> Component:
    share = 100 * used / total if total else 0.0
    return stat(label, f"{share:.0f} %", hint=f"{size_text(used)} of {size_text(total)}")


def _figures(courses: Mapping[str, Course], span: str) -> dict[str, Any]:
    if not courses["cpu"].times.size:
        return dict.fromkeys(CHARTS, message_figure("No samples yet; the worker takes one a minute"))
    made: dict[str, Any] = {}
    for name, title in CHARTS.items():
        parts = {"running": "Running", "waiting": "Waiting"} if name == "jobs" else {name: title}
        curves = [
            Curve(label, courses[part].times, courses[part].values, colour)
            for colour, (part, label) in enumerate(parts.items())
        ]
        made[name] = curves_figure(
            curves, dates=True, y_range=(0.0, _top(courses) if name == "jobs" else 100.0), height=200, revision=span
        )
    return made


def _top(courses: Mapping[str, Course]) -> float:
    """A little above the most jobs there were, and high enough for an axis that counts in whole jobs."""
    return 1.1 * max(4.0, *(float(courses[part].values.max()) for part in ("running", "waiting")))


def _queue(found: health.Queue) -> Component:
    silent = found.is_silent
    sign: Component | str = html.Span(
        [icon("exclamation-triangle" if silent else "check-circle"), "None lately" if silent else "Alive"],
        className=f"status status-{'failed' if silent else 'completed'}",
    )
    oldest = None if found.oldest is None else found.oldest.total_seconds()
    later = f"{found.later:,} more for later" if found.later else "none for later"
    busy = f"in {found.workers:,} {'process' if found.workers == 1 else 'processes'}" if found.workers else "idle"
    return stat_row(
        [
            stat("Workers", sign, hint=["last sign of life ", time_tag(found.last_sign)]),  # type: ignore[arg-type]
            stat("Running", f"{found.running:,}", hint=busy),
            stat("Waiting", f"{found.waiting:,}", hint=later),
            stat("Longest wait", duration_text(oldest)),
        ]
    )


def _failed(found: Sequence[FailedJob]) -> Component:
    if not found:
        return html.P("No job has failed.", className="muted")
    headers = ("Job", "Reason", "Tried", "Ended", "")
    return plain_table(headers, [_failed_row(item) for item in found], label="Failed jobs", numeric=(2,))


def _failed_row(item: FailedJob) -> Sequence[Component | str]:
    lines: list[Component | str] = [html.Code(f"{item.kind} #{item.id}")]
    if item.experiment_id is not None:
        lines.append(dcc.Link("its experiment", href=f"/experiments/{item.experiment_id}", className="cell-second"))
    again = html.Button(
        [icon("arrow-clockwise"), "Try again"],
        id={"type": RETRY, "id": item.id},
        type="button",
        className="btn btn-sm btn-outline-secondary",
        title=f"Try job {item.id} again",
        **attributes({"aria-label": f"Try job {item.id} again"}),
    )
    return (
        html.Span(lines, className="cell-lines"),
        html.Span(item.reason, className="cell-wrapped"),
        f"{item.attempts:,}",
        time_tag(item.ended),
        again if item.may_retry else "",
    )


def _database(found: Size) -> list[Component]:
    tables = [item for item in found.tables if item.rows][:TABLES_SHOWN]
    told = f" in {len(found.tables)} tables, of which these are the largest with rows in them."
    return [
        html.P([html.Strong(size_text(found.bytes)), told]),
        plain_table(HEADERS_OF_TABLES, [_table_row(item) for item in tables], label="Tables", numeric=(1, 2)),
    ]


def _table_row(item: Table) -> Sequence[Component | str]:
    return html.Code(item.name), f"{'about ' if item.about else ''}{number(item.rows)}", size_text(item.bytes)


def _about(found: health.About) -> Component:
    is_at_head = found.revision == found.head
    return key_value_list(
        [
            ("Version", found.version),
            ("Migrations", f"at head ({found.head})" if is_at_head else f"at {found.revision}, head is {found.head}"),
            ("Database", found.database),
            ("Python", found.python),
            ("Files of runs", html.Code(found.artifacts)),
            ("Web server since", time_tag(found.web_since)),
            ("Machine since", time_tag(found.machine_since)),
        ]
    )


@page.callback(
    Output(MACHINE, "children"),
    Output(QUEUE, "children"),
    Output(FAILED, "children"),
    Output(SEEN, "data"),
    Input(TICK, "n_intervals"),
    State(PAGE_VISIBLE_ID, "data"),
    State(SEEN, "data"),
    prevent_initial_call=True,
)
def look_again(_tick: Any, visible: Any, seen: Any) -> tuple[Any, ...]:
    """What moves, while somebody looks."""
    if visible is False:
        return (no_update,) * 4
    reading = machine.look(LOOKED_AT)
    with snapshot() as session:
        queue = health.queue(session, current_actor())
        found = failed_jobs.failed(session, current_actor())
    ids = [item.id for item in found]
    table = (no_update, no_update) if ids == seen else (_failed(found), ids)
    return _machine(reading), _queue(queue), *table


@page.callback(
    *(Output(f"health-{name}", "figure") for name in CHARTS),
    Output(DATABASE, "children"),
    Input(SPAN, "value"),
    Input(SLOW_TICK, "n_intervals"),
    State(PAGE_VISIBLE_ID, "data"),
    prevent_initial_call=True,
)
def draw_again(span: Any, _tick: Any, visible: Any) -> tuple[Any, ...]:
    """The curves and the tables, once a minute or over another time."""
    if visible is False and ctx.triggered_id == SLOW_TICK:
        return (no_update,) * (len(CHARTS) + 1)
    wanted = span if isinstance(span, str) and span in machine_courses.SPANS else DAY
    with snapshot() as session:
        courses = machine_courses.courses(session, current_actor(), machine_courses.SPANS[wanted])
        size = None if ctx.triggered_id == SPAN else database_size.size(session, current_actor())
    figures = _figures(courses, wanted)
    return *(figures[name] for name in CHARTS), no_update if size is None else _database(size)


@page.callback(
    Output(FAILED, "children", allow_duplicate=True),
    Output(SEEN, "data", allow_duplicate=True),
    presses(RETRY),
    permission=Permission.RUN_EXPERIMENTS,
    prevent_initial_call=True,
)
def retry(press: Any) -> tuple[Any, Any]:
    """Queue the job whose button was pressed once more."""
    number = number_in(press)
    if number is None:
        return no_update, no_update
    with transaction() as session:
        failed_jobs.retry(session, current_actor(), number)
    dash.set_props(TOASTS_ID, {"data": toast("success", f"Job {number} waits for a worker again.")})
    with snapshot() as session:
        found = failed_jobs.failed(session, current_actor())
    return _failed(found), [item.id for item in found]
