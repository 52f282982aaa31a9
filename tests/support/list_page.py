"""The list of experiments for tests: rows with a metric, and what a hand does to them."""

from typing import Any

from playwright.sync_api import Page

from database.engine import transaction
from services.actor import SYSTEM
from services.curves import writing
from services.curves.packing import Points
from services.experiments import lifecycle


def make(name: str, accuracy: float = 0.5, params: dict[str, Any] | None = None, **columns: Any) -> int:
    """An experiment with a metric that rises to this."""
    with transaction() as session:
        experiment = lifecycle.create(
            session, SYSTEM, name=name, model_type="mlp", hyperparameters=params or {"lr": accuracy / 10}, **columns
        )
        writing.append(session, experiment.id, {"val_accuracy": Points.of([1, 2], [0.1, accuracy])})
        return experiment.id


# All at one moment: rows without a name yet may be gone when they are looked at one after the other.
NAMES = """() => {
    const rows = [...document.querySelectorAll(".ag-pinned-left-cols-container .ag-row")];
    rows.sort((one, other) => one.getAttribute("row-index") - other.getAttribute("row-index"));
    const links = rows.map((row) => row.querySelector("a"));
    return links.length && links.every((link) => link) && links.map((link) => link.innerText);
}"""


def names(page: Page) -> list[str]:
    """The names in the order in which they stand, once each row has one."""
    found: list[str] = page.wait_for_function(NAMES).json_value()
    return found


def choose(page: Page, *wanted: str) -> None:
    """Tick the rows of these names."""
    for name in wanted:
        row = page.locator(".ag-pinned-left-cols-container .ag-row", has_text=name).first
        row.locator("input[type=checkbox]").click()
