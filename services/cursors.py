"""Where the next page of a list begins: a sealed word, good for the same question alone."""

from typing import Any

from services.errors import Invalid
from services.tracking import paging
from services.tracking.errors import TrackingError


def write(about: Any, place: list[Any]) -> str:
    """The word for a place in the answer to a question."""
    return paging.write(about, place)


def read(cursor: str, about: Any) -> list[Any]:
    """The place; a word that is not ours, or belongs to another question, is refused."""
    try:
        return paging.read(cursor, about)
    except TrackingError as error:
        raise Invalid("This cursor does not belong to this list.", field="cursor") from error
