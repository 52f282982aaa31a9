"""Tabs that one test after the other uses: to load the app anew takes Chromium most of a second each time.

A tab loads the app once and follows links from there on, as people do. Between two tests it rests on an address that
is no page; only where all around the pages is then as at first (what is stored, the theme, dialogs) is it used again as
it is. Any other forgets whose it was and what it kept, and loads the app anew, which takes 40 % of what a new one does.
"""

import os
from typing import Any

from playwright.sync_api import BrowserContext, Error

from tests.support.following import follow

ALWAYS_NEW = os.environ.get("PFD_TEST_NEW_TABS") == "1"  # to see whether a failure comes from a tab's earlier days
RESTING = "/resting-between-two-tests"
PATIENCE = 60_000  # how long a busy machine may take says nothing of the product
MOST_TESTS = 40  # of one tab, whose memory grows
AROUND_PAGES = """() => {
    const around = document.documentElement.cloneNode(true);
    around.querySelector("#_pages_content").remove();
    around.querySelectorAll("[name=csrf_token]").forEach((one) => one.removeAttribute("value"));
    for (const name of ["class", "style"]) {
        const body = around.querySelector("body");
        if (!body.getAttribute(name)) body.removeAttribute(name);
    }
    around.querySelectorAll("script, style, link, #js-plotly-tester, #announcer").forEach((one) => one.remove());
    const stored = [localStorage, sessionStorage].map((store) => JSON.stringify(Object.entries(store).sort()));
    return [location.href, document.title, around.outerHTML, ...stored].join("\\n");
}"""
# A refusal that comes once the next test has begun, with a database that knows no such session, would lead it away.
COUNT_UNANSWERED = """(() => {
    const own = window.fetch;
    window.unanswered = 0;
    window.fetch = (...asked) => {
        window.unanswered += 1;
        return own(...asked).finally(() => { window.unanswered -= 1; });
    };
})()"""
FORGET_STORED = "() => { localStorage.clear(); sessionStorage.clear(); }"
CLOSE_TOASTS = 'document.querySelectorAll(".toast-item [aria-label=Dismiss]").forEach((one) => one.click())'


class Tab:
    """A tab in a browser's profile of its own."""

    def __init__(self, context: BrowserContext, server: str) -> None:
        self.context, self.server = context, server
        context.set_default_timeout(PATIENCE)
        context.add_init_script(COUNT_UNANSWERED)
        self.page = context.new_page()
        self.tests = 0
        self._heard: list[tuple[str, Any]] = []
        self._on = self.page.on
        self._at_first: str | None = None
        self._elsewhere: Any = None
        self.page.on = self._note  # type: ignore[method-assign, assignment]

    def _note(self, event: Any, heard: Any) -> None:
        self._heard.append((event, heard))
        self._on(event, heard)

    def look(self, width: int, scheme: Any) -> None:
        """Make it as wide and as light as this."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme, reduced_motion="no-preference")

    def live_in(self, zone: str) -> None:
        """Have the clock of another time zone, until it forgets."""
        self._elsewhere = self.context.new_cdp_session(self.page)
        self._elsewhere.send("Emulation.setTimezoneOverride", {"timezoneId": zone})

    def forget(self) -> bool:
        """Keep nothing of who was here; False where that cannot be."""
        self._at_first = None
        if self.tests >= MOST_TESTS or len(self.context.pages) != 1:
            return False
        try:
            self._stop_listening()
            self.context.clear_cookies()
            self.context.clear_permissions()
            self.page.set_default_timeout(PATIENCE)
            self.page.evaluate(FORGET_STORED)  # it may have been under another name of ours
            self.page.goto(f"{self.server}/healthz")  # of the same origin, and without a script
            self.page.evaluate(FORGET_STORED)
            if self._elsewhere is not None:
                self._elsewhere.detach()
                self._elsewhere = None
        except Error:  # the test closed it
            return False
        return True

    def come(self, address: str, width: int, scheme: str) -> None:
        """Load an address of ours."""
        self.tests += 1
        self.look(width, scheme)
        self.page.goto(address)
        self.page.wait_for_selector(".page-header, .empty")

    def load(self) -> None:
        """Load the app where it rests, and remember how that looks."""
        self.look(1440, "light")
        self.page.goto(self.server + RESTING)
        self.page.wait_for_selector(".empty")
        self._at_first = self._around()

    def visit(self, path: str, width: int, scheme: str) -> None:
        """Follow a link to an address of ours."""
        self.tests += 1
        self.look(width, scheme)
        follow(self.page, path)

    def rest(self) -> bool:
        """Leave the page that a test was on; False where the tab is not as it was."""
        if self._at_first is None:
            return False
        try:
            self._leave()
            is_as_before = self.tests < MOST_TESTS and self._around() == self._at_first
        except Error:  # the test closed it, or went where no app is
            is_as_before = False
        return is_as_before

    def _leave(self) -> None:
        if self.page.query_selector("#_pages_content") is None:
            raise Error("there is no app here")
        self._stop_listening()
        self.page.set_default_timeout(10_000)
        self.look(1440, "light")
        follow(self.page, RESTING)
        self.page.wait_for_function("() => !window.unanswered")
        self.page.evaluate(CLOSE_TOASTS)
        self.page.set_default_timeout(PATIENCE)

    def _stop_listening(self) -> None:
        for event, heard in self._heard:
            self.page.remove_listener(event, heard)
        self._heard.clear()
        self.page.unroute_all()

    def _around(self) -> str:
        found: str = self.page.evaluate(AROUND_PAGES)
        return found

    def close(self) -> None:
        """Close it and forget its profile."""
        self.context.close()
