"""How the template of a route is written for people."""

import re

_VALUE = re.compile(r"<(?:[a-z]+:)?(\w+)>")


def shown(route: str) -> str:
    """What stands for a value in braces, as the API's documentation writes it, in place of Flask's `<int:name>`."""
    return _VALUE.sub(r"{\1}", route)
