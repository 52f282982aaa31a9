"""Going from page to page as a link of ours does, without loading the app again."""

from playwright.sync_api import Page

DISPATCH = "/_dash-update-component"
# What Dash's own links do: the address changes, and the router hears of it.
FOLLOW = """path => {
    const content = document.getElementById("_pages_content");
    window.leftBehind = content?.innerHTML ?? "";
    window.isChanged = false;
    window.changes?.disconnect();
    window.changes = new MutationObserver(() => { window.isChanged = true; });
    window.changes.observe(content ?? document.body,
        { attributes: true, characterData: true, childList: true, subtree: true });
    history.pushState({}, "", path);
    dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    scrollTo(0, 0);
    window.framesAtRest = 0;
}"""
# To write down a whole page takes milliseconds, and this is asked in each frame: only what has changed is looked at.
ARRIVED = """() => {
    if (!window.isChanged) return false;
    window.isChanged = false;
    const content = document.getElementById("_pages_content");
    const has = content && content.querySelector(".page-header, .empty") && content.innerHTML !== window.leftBehind;
    if (has) window.changes.disconnect();
    return Boolean(has);
}"""
# What a page asks for when it comes is asked some frames after it.
SETTLED = """() => {
    const busy = document.querySelector("[data-dash-is-loading], .skeleton:not(details:not([open]) .skeleton)");
    window.framesAtRest = busy ? 0 : (window.framesAtRest || 0) + 1;
    return window.framesAtRest > 20;
}"""


def follow(page: Page, path: str) -> None:
    """Follow a link to a page of ours, until it stands there."""
    with page.expect_response(
        lambda answer: DISPATCH in answer.url and "_pages_content.children" in (answer.request.post_data or "")
    ):
        page.evaluate(FOLLOW, path)
    page.wait_for_function(ARRIVED)


def settle(page: Page) -> None:
    """Wait until what a page asks for when it comes is there and drawn."""
    page.evaluate("window.framesAtRest = 0")
    page.wait_for_function(SETTLED)
