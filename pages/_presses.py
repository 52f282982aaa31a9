"""Which button of a row was pressed: a store holds its id (`assets/presses.js`), and a callback listens to that.

Dash asks a callback that listens to the buttons themselves whenever they are drawn anew, and throws away the answer to
a press that is under way then.
"""

from typing import Any

from dash import Input, dcc


def store_of(kind: str) -> str:
    """The id of the store in which presses of this type of button are."""
    return f"pressed-{kind}"


def store(kind: str) -> dcc.Store:
    """The store, which a page holds beside what is drawn anew."""
    return dcc.Store(id=store_of(kind))


def presses(kind: str) -> Input:
    """What a callback listens to."""
    return Input(store_of(kind), "data")


def number_in(press: Any, name: str = "id") -> int | None:
    """The number that a press names, if it names one."""
    number = press.get(name) if isinstance(press, dict) else None
    return number if type(number) is int else None


def text_in(press: Any, name: str, longest: int = 300) -> str | None:
    """The text that a press names, if it names one."""
    text = press.get(name) if isinstance(press, dict) else None
    return text[:longest] if isinstance(text, str) else None
