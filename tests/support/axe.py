"""What axe finds on a page, in the looks that differ most."""

from collections.abc import Iterator
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

COUNTED = {"serious", "critical"}
IS_THERE = "() => 'axe' in window"
# Rules whose worst is less than what is counted are left out, and what was found right stays in the browser.
RUN = """async ([context, counted]) => {
    const less = axe._audit.rules.filter((rule) => rule.impact && !counted.includes(rule.impact));
    const rules = Object.fromEntries(less.map((rule) => [rule.id, { enabled: false }]));
    return (await axe.run(context || document, { resultTypes: ["violations"], rules })).violations;
}"""

# Colours that are inherited change one element after the other: at rest is what has not moved for some frames.
AT_REST = """() => new Promise((done) => {
    let still = 0;
    const frame = () => {
        still = document.getAnimations().some((one) => one instanceof CSSTransition) ? 0 : still + 1;
        if (still < 6) requestAnimationFrame(frame); else done();
    };
    requestAnimationFrame(frame);
})"""
LOOKS = ((390, "dark"), (1440, "light"))


def serious_faults(page: Page, but: str = "") -> list[tuple[str, Any]]:
    """Rules broken seriously, with the first elements that break them; axe looks once, so all must be there.

    What is like what stands beside it can be left out: axe looks at each element, and takes its time for it.
    """
    if not page.evaluate(IS_THERE):  # to read and compile it takes longer than a look
        page.evaluate(AXE_SCRIPT)
    violations = page.evaluate(RUN, [{"exclude": [[but]]} if but else None, sorted(COUNTED)])
    return [
        (found["id"], [(node["target"], node["failureSummary"]) for node in found["nodes"][:3]])
        for found in violations
        if found["impact"] in COUNTED
    ]


def looks(page: Page) -> Iterator[str]:
    """Turn a page to each look in turn, without loading it again; it must never be wider than its window."""
    for width, scheme in LOOKS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("scheme => document.documentElement.dataset.bsTheme === scheme", arg=scheme)
        page.wait_for_function("width => document.documentElement.scrollWidth === width", arg=width)
        page.evaluate(AT_REST)
        yield f"{width} {scheme}"


def serious_faults_in_each_look(page: Page, but: str = "") -> dict[str, list[tuple[str, Any]]]:
    """What axe finds in the looks in which it finds something."""
    found = {look: serious_faults(page, but) for look in looks(page)}
    return {look: faults for look, faults in found.items() if faults}
