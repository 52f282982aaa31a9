"""Home: what it says of the machine, of failures and of what waits."""

import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from database.engine import transaction
from models import Dataset
from services.experiments import lifecycle
from tests.support.experiments import completed, running, with_series

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def test_jobs_and_the_load_of_the_machine_are_told_apart(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (64.0, 64.0, 64.0))
    line = visit("/").locator(".health-line")
    expect(line).to_contain_text("All is well")
    expect(line).to_contain_text("no jobs running · machine: load 64.0 on")


def test_first_visit_looks_back_a_week_and_says_so(visit: Visit) -> None:
    page = visit("/")
    expect(page.get_by_role("heading", name="Failed in the last seven days")).to_be_visible()
    expect(page.locator("#home-failed")).to_have_text("None in the last seven days.")


def test_what_failed_and_what_is_best_follow_what_ends(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["pages.home"], "POLL_MILLISECONDS", 400)
    with transaction() as session:
        dataset = Dataset(name="Small")
        session.add(dataset)
        session.flush()
        dataset_id = dataset.id
    page = visit("/")
    best, lately = page.locator("#home-best"), page.locator("#home-failed")
    expect(best).to_have_text("No experiment on a dataset has a validation accuracy yet.")
    completed("good", epochs=3, dataset_id=dataset_id)
    expect(best).to_contain_text("good")
    broken = running("broken", epochs=2)
    with transaction() as session:
        lifecycle.fail(session, broken, "It ran out of memory.")
    expect(lately).to_contain_text("It ran out of memory.")


def test_curve_names_its_metric_and_what_waits_stands_beside_what_runs(visit: Visit) -> None:
    running("one", epochs=3)
    with_series("two", {"val_loss": [2.0, 1.0]})
    table = visit("/").locator("table", has_text="Running and waiting experiments")
    expect(table.locator("tr", has_text="one")).to_contain_text("validation accuracy")
    expect(table.locator("tr", has_text="two")).to_contain_text("validation loss")
    expect(table.locator("tr", has_text="two")).to_contain_text("Pending")


def test_all_that_runs_or_waits_leads_to_a_list_of_just_these(visit: Visit) -> None:
    completed(epochs=2)
    for number in range(9):
        with_series(f"waits {number}", {"val_loss": [2.0, 1.0]})
    page = visit("/")
    page.get_by_role("link", name="All 9").click()
    expect(page.locator("#experiments-count")).to_have_text("9 experiments")
    expect(page.get_by_label("Status", exact=True)).to_have_value("active")


def test_words_of_a_row_stand_on_one_line(visit: Visit) -> None:
    running("one", epochs=3)
    page = visit("/")
    bottoms = page.locator("#home-live tbody tr").first.evaluate("""row => ["a", ".status", ".curve-name", "time"].map(
        (part) => { const range = document.createRange(), words = row.querySelector(part);
            range.selectNodeContents(words.lastChild); const box = range.getBoundingClientRect();
            return box.bottom - (box.height - parseFloat(getComputedStyle(words).fontSize)) / 2; })""")
    assert max(bottoms) - min(bottoms) < 1


def test_curves_and_comparisons_take_the_width_of_a_wide_screen(visit: Visit) -> None:
    number = completed(epochs=2)
    for address in (f"/experiments/{number}", f"/compare?ids={number}"):
        page = visit(address, width=2560)
        box = page.locator(".page-header").bounding_box()
        assert box and 2560 - (box["x"] + box["width"]) < 64
        assert page.evaluate("document.documentElement.scrollWidth") == 2560


def test_home_and_an_experiment_begin_where_the_list_does(visit: Visit) -> None:
    number = completed(epochs=2)
    left = []
    for address in ("/experiments", "/", f"/experiments/{number}", f"/compare?ids={number}"):
        box = visit(address, width=2560).locator(".page-title").bounding_box()
        left.append(box and box["x"])
    assert len(set(left)) == 1


@pytest.mark.parametrize(
    ("typed", "path"), [("2fa", "/account/security"), ("audit", "/admin/logs"), ("health", "/admin/health")]
)
def test_a_page_is_found_by_what_it_is_looked_for(visit: Visit, typed: str, path: str) -> None:
    page = visit("/")
    page.keyboard.press("Control+k")
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")
