"""The icon set: Bootstrap Icons as CSS masks, so that an icon takes the colour of its text."""

from typing import Literal, get_args

from dash import html

from components.attributes import attributes

IconName = Literal[
    "activity",
    "arrow-clockwise",
    "arrow-down",
    "arrow-left",
    "arrow-right",
    "arrow-up",
    "arrows-angle-expand",
    "ban",
    "bar-chart",
    "bell",
    "box-arrow-right",
    "calendar",
    "check-circle",
    "check-lg",
    "chevron-down",
    "chevron-right",
    "circle-half",
    "clipboard",
    "clock",
    "columns-gap",
    "database",
    "diagram-3",
    "download",
    "exclamation-circle",
    "exclamation-triangle",
    "eye",
    "file-earmark",
    "filter",
    "flag",
    "folder",
    "gear",
    "graph-up",
    "grid-3x3",
    "house",
    "info-circle",
    "key",
    "layout-sidebar",
    "layout-split",
    "link-45deg",
    "list",
    "moon",
    "pause-circle",
    "pencil",
    "people",
    "person",
    "play-circle",
    "plug",
    "plus-lg",
    "search",
    "shield-lock",
    "sliders",
    "stop-circle",
    "sun",
    "tag",
    "three-dots",
    "trash",
    "trophy",
    "upload",
    "x-circle",
    "x-lg",
]

ICON_NAMES: frozenset[str] = frozenset(get_args(IconName))


def icon(name: IconName, *, label: str | None = None, class_name: str = "") -> html.Span:
    """Draw an icon; without a label it is decoration and hidden from screen readers."""
    classes = f"icon icon-{name} {class_name}".strip()
    if label is None:
        return html.Span(className=classes, **attributes({"aria-hidden": "true"}))
    return html.Span(className=classes, role="img", title=label, **attributes({"aria-label": label}))
