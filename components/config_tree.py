"""A nested configuration that folds and can be searched in the browser."""

from collections.abc import Mapping, Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from components.attributes import attributes
from components.values import copy_button, number

Value = object


def config_tree(config: Mapping[str, Value], *, id: str, label: str = "Configuration", open_depth: int = 2) -> html.Div:
    """Show a mapping as nested <details>; config-tree.js filters names and values while one types."""
    search_id = f"{id}-search"
    if not config:
        return html.Div("Nothing recorded.", className="muted", id=id)
    return html.Div(
        [
            html.Label(f"Filter {label.lower()}", htmlFor=search_id, className="visually-hidden"),
            dbc.Input(
                id=search_id,
                type="search",
                placeholder=f"Filter {label.lower()}",
                class_name="tree-search",
                autocomplete="off",
                size="sm",
            ),
            html.Div(_branches(config, "", open_depth), className="tree-body"),
            html.Div("Nothing matches.", className="tree-nothing muted", hidden=True),
        ],
        id=id,
        className="config-tree",
        **attributes({"data-config-tree": "true"}),
    )


def _branches(mapping: Mapping[str, Value], prefix: str, depth: int) -> list[Component]:
    return [_branch(str(name), value, f"{prefix}{name}", depth) for name, value in mapping.items()]


def _branch(name: str, value: Value, path: str, depth: int) -> Component:
    if isinstance(value, Mapping) and value:
        return _folder(name, len(value), _branches(value, f"{path}.", depth - 1), depth)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and any(map(_nests, value)):
        items = {str(index): item for index, item in enumerate(value)}
        return _folder(name, len(items), _branches(items, f"{path}.", depth - 1), depth)
    text = _text(value)
    return html.Div(
        [
            html.Span(name, className="tree-key"),
            html.Span(text, className=f"tree-value tree-{_kind(value)}"),
            copy_button(text, label=f"Copy {path}"),
        ],
        className="tree-leaf",
        **attributes({"data-search": f"{path} {text}".lower()}),
    )


def _folder(name: str, size: int, children: list[Component], depth: int) -> html.Details:
    return html.Details(
        [
            html.Summary([html.Span(name, className="tree-key"), html.Span(f"{size}", className="tree-count")]),
            html.Div(children, className="tree-children"),
        ],
        open=depth > 0,
        className="tree-folder",
        **attributes({"data-search": name.lower()}),
    )


def _nests(value: Value) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str | bytes))


def _kind(value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else "text"


def _text(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value != value:
        return number(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    return str(value)
