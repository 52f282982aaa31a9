"""Parts of a page that nothing listens to are sent as one component.

Dash asks each component on a page, and there may be thousands, several times at each change, so a click on a long page
took seconds. An element without an id can be neither read, changed nor pressed by a callback: it is markup alone.
"""

import copy
from collections.abc import Sequence
from typing import Any

from dash.development.base_component import Component

NAMESPACE, KIND = "pfd_still", "Still"  # assets/still.js
_HTML = "dash_html_components"
_LINK = ("dash_core_components", "Link")
_LISTENED_TO = ("id", "n_clicks", "n_clicks_timestamp")
_WORDS = ("data-", "aria-")
_SEVERAL = ""  # what has no element of its own around it

Tree = list[Any]  # the element's name, its attributes, and what stands in it: text, numbers and trees


def still(value: Any) -> Any:
    """The same page, or the same answer of a callback, with as few components as it can do with.

    What is given stays as it is. Only components and lists of them are looked into, no other data.
    """
    if isinstance(value, Component):
        tree, lighter = _made(value)
        return _one([tree]) if tree is not None and _has_parts(tree) else lighter
    if type(value) in (list, tuple) and any(isinstance(part, Component | list | tuple) for part in value):
        return type(value)(still(part) for part in value)
    return value


def _made(component: Component) -> tuple[Tree | None, Component]:
    """It as markup, if it is nothing else, and it as a component with lighter parts."""
    children = getattr(component, "children", None)
    parts = _parts(children)
    if parts is None:
        return None, component
    made = [_made(part) if isinstance(part, Component) else (part, part) for part in parts]
    attributes = _attributes(component)
    if attributes is not None and all(tree is not None for tree, _ in made):
        return [_name(component), attributes, *(tree for tree, _ in made)], component
    found = _together(made)
    if len(found) == len(parts) and all(one is part for one, part in zip(found, parts, strict=True)):
        return None, component
    lighter = copy.copy(component)
    lighter.children = found if isinstance(children, Sequence) else found[0]
    return None, lighter


def _parts(children: Any) -> list[Any] | None:
    """What stands in an element; None where something stands there that is no part of a page."""
    listed = [] if children is None else list(children) if isinstance(children, list | tuple) else [children]
    kept = [part for part in listed if part is not None]
    return kept if all(isinstance(part, Component | str | int | float) for part in kept) else None


def _name(component: Component) -> str | None:
    if component._namespace == _HTML and not component._type.endswith("El"):
        return component._type.lower()
    return component._type if (component._namespace, component._type) == _LINK else None


def _attributes(component: Component) -> dict[str, Any] | None:
    """Those of an element or a link that nothing can listen to; None of any other."""
    if _name(component) is None:
        return None
    known, found = set(component._prop_names), {}
    for name, value in vars(component).items():
        if (name in known or name.startswith(_WORDS)) and name not in {"children", "disable_n_clicks"}:
            if name in _LISTENED_TO or not (value is None or isinstance(value, str | int | float | dict)):
                return None
            if value is not None:
                found[name] = value
    return found


def _together(made: Sequence[tuple[Any, Any]]) -> list[Any]:
    """The parts in order, those that are markup alone together as long as they stand side by side."""
    found: list[Any] = []
    run: list[tuple[Any, Any]] = []
    for tree, lighter in made:
        if tree is not None:
            run.append((tree, lighter))
            continue
        found += [*_run(run), lighter]
        run = []
    return found + _run(run)


def _run(run: Sequence[tuple[Any, Any]]) -> list[Any]:
    trees = [tree for tree, _ in run]
    elements = [tree for tree in trees if isinstance(tree, list)]
    if len(elements) > 1 or any(map(_has_parts, elements)):
        return [_one(trees)]
    return [lighter for _, lighter in run]


def _has_parts(tree: Tree) -> bool:
    return any(isinstance(part, list) for part in tree[2:])


def _one(trees: Sequence[Any]) -> dict[str, Any]:
    tree = trees[0] if len(trees) == 1 else [_SEVERAL, {}, *trees]
    return {"namespace": NAMESPACE, "type": KIND, "props": {"tree": tree}}
