"""When a page is painted in Chromium, measured by a reload in the same tab."""

import shutil
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, sync_playwright

RUNS = 7
SETTLES = 1000.0  # ms


@contextmanager
def browser() -> Iterator[BrowserContext]:
    """A headless Chromium."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path=executable, args=flags)
        yield started.new_context(viewport={"width": 1440, "height": 900})
        started.close()


def in_turn(context: BrowserContext, pages: Sequence[tuple[str, str]]) -> list[float]:
    """Median milliseconds from a reload to the moment when the page's script holds and a frame has been drawn.

    Each address has a tab of its own, and they are reloaded in turn: how fast the machine is changes meanwhile.
    """
    tabs = []
    for address, ready in pages:
        tabs.append(context.new_page())
        tabs[-1].goto(address)
        tabs[-1].wait_for_function(ready, timeout=60_000)
    taken: list[list[float]] = [[] for _ in pages]
    for _ in range(RUNS):
        for tab, (_, ready), times in zip(tabs, pages, taken, strict=True):
            tab.bring_to_front()
            tab.reload(wait_until="commit")
            tab.wait_for_function(ready, timeout=60_000, polling="raf")
            times.append(tab.evaluate("performance.now()"))
            tab.wait_for_timeout(SETTLES)  # what it does later must not fall into the time of the next one
    return [statistics.median(times) for times in taken]


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
