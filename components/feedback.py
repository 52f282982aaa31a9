"""What tells a person how things stand: status, waiting, nothing there, something wrong, are you sure."""

from collections.abc import Sequence
from typing import Literal

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from components.dialog import modal
from components.icons import IconName, icon

STATUS_ICONS: dict[str, IconName] = {
    "pending": "clock",
    "running": "play-circle",
    "paused": "pause-circle",
    "completed": "check-circle",
    "failed": "exclamation-circle",
    "cancelled": "ban",
}

SkeletonKind = Literal["text", "stats", "chart", "table", "page"]


def status_badge(status: str) -> html.Span:
    """Status as colour, icon and word; one it does not know stays grey."""
    known = status if status in STATUS_ICONS else "unknown"
    return html.Span(
        [icon(STATUS_ICONS.get(status, "info-circle")), status.replace("_", " ").capitalize() or "Unknown"],
        className=f"status status-{known}",
    )


def empty_state(
    title: str, text: str | None = None, *, action: Component | None = None, icon_name: IconName = "folder"
) -> html.Div:
    """Say that nothing is here yet, and what to do next."""
    return html.Div(
        [
            html.Div(icon(icon_name), className="empty-icon"),
            html.Div(title, className="empty-title"),
            html.Div(text, className="empty-text") if text else None,
            html.Div(action, className="empty-action") if action is not None else None,
        ],
        className="empty",
    )


def error_state(
    title: str, text: str | None = None, *, request_id: str | None = None, action: Component | None = None
) -> html.Div:
    """Say in a sentence what failed, with the request id that finds it in the log."""
    return html.Div(
        [
            html.Div(icon("exclamation-triangle"), className="empty-icon"),
            html.Div(title, className="empty-title"),
            html.Div(text, className="empty-text") if text else None,
            html.Div(["Request ", html.Code(request_id)], className="empty-request") if request_id else None,
            html.Div(action, className="empty-action") if action is not None else None,
        ],
        className="empty empty-error",
        role="alert",
    )


def notice(
    text: Component | str | Sequence[Component | str],
    *,
    kind: Literal["info", "success", "warning", "error"] = "info",
    action: Component | None = None,
) -> html.Div:
    """One line that stays on the page, such as “demo data” or a reason for a failure."""
    icons: dict[str, IconName] = {
        "info": "info-circle",
        "success": "check-circle",
        "warning": "exclamation-triangle",
        "error": "exclamation-circle",
    }
    return html.Div(
        [icon(icons[kind]), html.Div(text, className="notice-text"), action],
        className=f"notice notice-{kind}",
        role="alert" if kind == "error" else "note",
    )


def skeleton(kind: SkeletonKind = "text", *, lines: int = 3) -> html.Div:
    """Grey shapes of the content to come, so that nothing jumps when it arrives."""
    shapes: dict[SkeletonKind, list[str]] = {
        "text": ["sk-line"] * lines,
        "stats": ["sk-stat"] * 4,
        "chart": ["sk-chart"],
        "table": ["sk-row"] * max(lines, 6),
        "page": ["sk-title", "sk-line", "sk-chart"],
    }
    return html.Div(
        [html.Div(className=f"sk {shape}") for shape in shapes[kind]]
        + [html.Span("Loading", className="visually-hidden")],
        className=f"skeleton skeleton-{kind}",
        role="status",
    )


def confirm_dialog(
    id: str,
    title: str,
    *,
    body: Component | str | Sequence[Component | str] = (),
    confirm_label: str = "Confirm",
    cancel_label: str = "Cancel",
    danger: bool = False,
) -> Component:
    """Ask before a step that is hard to undo; a page fills `<id>-body`, listens to `<id>-confirm` and `<id>-cancel`."""
    title_id = f"{id}-title"
    return modal(
        [
            html.Div(html.H2(title, id=title_id, className="dialog-title"), className="dialog-head"),
            html.Div(body, id=f"{id}-body", className="dialog-body"),
            html.Div(
                [
                    dbc.Button(cancel_label, id=f"{id}-cancel", color="secondary", outline=True),
                    dbc.Button(confirm_label, id=f"{id}-confirm", color="danger" if danger else "primary"),
                ],
                className="dialog-foot",
            ),
        ],
        id=id,
        title_id=title_id,
    )


def preview_list(items: Sequence[str], *, total: int | None = None, shown: int = 8) -> html.Div:
    """The first few of the things that a bulk action will touch, and how many more there are."""
    count = len(items) if total is None else total
    rest = count - min(len(items), shown)
    return html.Div(
        [
            html.Ul([html.Li(item) for item in items[:shown]]),
            html.Div(f"and {rest:,} more", className="preview-more") if rest > 0 else None,
        ],
        className="preview-list",
    )
