"""The aria-* and data-* attributes of an element; Dash's stubs have no type for them."""

from collections.abc import Mapping
from typing import Any


def attributes(names: Mapping[str, str]) -> dict[str, Any]:
    """Pass aria-* and data-* attributes on as keyword arguments; any other name is a mistake."""
    for name in names:
        if not name.startswith(("aria-", "data-")):
            raise ValueError(f"{name} is not an aria-* or data-* attribute")
    return dict(names)
