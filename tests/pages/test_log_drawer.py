"""Facts about the drawer of the system log, as it is made."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pages import _log_drawer as drawer
from services.trail import Entry


def links_of(component: Any) -> list[str]:
    """Where the links in it lead."""
    if isinstance(component, list | tuple):
        return [href for item in component for href in links_of(item)]
    own = [component.href] if getattr(component, "href", None) else []
    return own + links_of(getattr(component, "children", None) or [])


def entry_of(details: dict[str, Any]) -> Entry:
    return Entry(
        1, datetime(2026, 1, 1, tzinfo=UTC), "ada", "experiment.tag", "success", details, None, None, None, None, None
    )


def body_of(details: dict[str, Any]) -> Any:
    return drawer.body(entry_of(details))


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"experiments": [3]}, "experiment 3"),
        ({"experiments": [3, 12]}, "experiments 3, 12"),
        ({"experiments": 1200, "datasets": 4}, "1,200 experiments"),
        ({"tag": "good", "experiments": [3]}, "good"),
        ({"job": 7, "kind": "import"}, "job 7"),
        ({"user": "ada"}, "ada"),
        ({}, "–"),
    ],
)
def test_the_list_says_on_what_a_number_is(details: dict[str, Any], words: str) -> None:
    assert drawer.subject_of(entry_of(details)) == words


def test_experiments_lead_to_their_pages() -> None:
    assert links_of(body_of({"tag": "good", "experiments": [3, 12]})) == ["/experiments/3", "/experiments/12"]


def test_of_many_experiments_the_first_twenty_lead_there() -> None:
    assert len(links_of(body_of({"experiments": list(range(1, 500))}))) == 20


@pytest.mark.parametrize("told", [7, "x", ["../admin"], [True], [{"a": 1}], None])
def test_what_is_no_list_of_numbers_is_no_link(told: Any) -> None:
    assert links_of(body_of({"experiments": told})) == []
