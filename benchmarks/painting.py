"""When a page is painted in Chromium, measured by a reload in the same tab."""

import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

RUNS = 7


@contextmanager
def tab() -> Iterator[Page]:
    """One tab of a headless Chromium."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        yield browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        browser.close()


def painted(page: Page, url: str, ready: str) -> float:
    """Median milliseconds from the reload to the moment when the script `ready` holds and a frame has been drawn."""
    page.goto(url)
    page.wait_for_function(ready, timeout=60_000)
    taken = []
    for _ in range(RUNS):
        page.reload(wait_until="commit")
        page.wait_for_function(ready, timeout=60_000, polling="raf")
        taken.append(page.evaluate("performance.now()"))
    return float(statistics.median(taken))


GRID_READY = "() => document.querySelectorAll('.ag-center-cols-container .ag-row [role=gridcell]').length > 50"
CURVES_READY = "() => document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length >= 50"
BARE_READY = (
    "() => document.querySelectorAll('.ag-row [role=gridcell]').length > 50"
    " && document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length >= 50"
)
# TensorBoard shows no more than 40 runs unless somebody ticks them; each chart on screen has a table of them below it.
TENSORBOARD_RUNS = 40
TENSORBOARD_READY = (
    f"() => document.querySelectorAll('scalar-card tb-data-table-content-row').length >= {2 * TENSORBOARD_RUNS}"
)
