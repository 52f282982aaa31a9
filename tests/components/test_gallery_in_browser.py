"""The gallery in a real Chromium: what the scripts in assets/ do, in both themes."""

import csv
import io
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from tests.components import gallery
from tests.support.axe import serious_faults_in_each_look

pytestmark = pytest.mark.browser
DRAWN = ".main-svg"


ELEMENTS = """() => [...document.querySelectorAll("#react-entry-point *:not(.dash-graph, .dash-graph *)")].map((one) =>
    one.tagName === "TIME" ? one.tagName : [one.tagName, one.children.length ? "" : one.textContent,
     [...one.attributes].map((part) => `${part.name}=${part.value}`).sort().join(" ")].join("|"))"""


@pytest.fixture(scope="module")
def address():
    """Where the gallery is."""
    server = make_server("127.0.0.1", 0, gallery.create_app().server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def resting(chromium):
    """A page for each kind of viewer, to be loaded anew: what is fetched and compiled already makes that faster."""
    kept = {}
    yield kept
    for page in kept.values():
        page.context.close()


@pytest.fixture(scope="module")
def left_open():
    """Pages that several tests look at in turn, by what they show: charts take a browser seconds to draw."""
    kept = {}
    yield kept
    for page in kept.values():
        page.context.close()


@pytest.fixture
def visit(chromium, address, resting, left_open):
    """Open the gallery; whatever the console complains about, a broken content policy too, fails the test."""
    pages, kinds, complaints = [], {}, []

    def note(message):
        if message.type in {"error", "warning"} and "status of 401" not in message.text:
            complaints.append(message.text)

    def failed(error):
        complaints.append(str(error))

    def open_page(width=1440, scheme="light", part="neither", shared=False, **options):
        if shared and part in left_open:
            page = left_open.pop(part)
            page.evaluate("scrollTo(0, 0)")
            page.on("console", note)
            page.on("pageerror", failed)
        else:
            page = load(width, scheme, part, **options)
        pages.append((page, part if shared else None))
        return page

    def load(width, scheme, part, reduced_motion="no-preference", **options):
        kind = tuple(options.items())
        page = resting.pop(kind, None)
        if page is None:
            page = chromium.new_context(**options).new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion=reduced_motion)
        page.context.add_cookies([{"name": gallery.PART, "value": part, "url": address}])
        kinds[page] = kind
        page.on("console", note)
        page.on("pageerror", failed)
        page.goto(address)
        with_charts = gallery.PARTS[part]["charts"]
        page.wait_for_selector(f"#confusion {DRAWN}" if with_charts else ".page-header", state="attached")
        return page

    yield open_page
    for page, part in pages:
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        page.remove_listener("console", note)
        page.remove_listener("pageerror", failed)
        page.mouse.move(5, 5)
        page.unroute_all()
        if part is not None:
            left_open[part] = page
        elif kinds[page] not in resting:
            page.goto("about:blank")
            resting[kinds[page]] = page
        else:
            page.context.close()
    assert complaints == []


def settle(page):
    """Wait until the page's own first requests are over, or they would be taken for those of the test."""
    page.wait_for_load_state("networkidle")


def line(page):
    return page.locator("#loss .scatterlayer .js-line").last


class TestAccessibility:
    def test_axe_finds_nothing_serious(self, visit):
        page = visit(390, "dark", part="rows")  # charts are looked at on the pages
        page.locator("#grid").scroll_into_view_if_needed()
        page.wait_for_selector(".ag-row .status")
        assert serious_faults_in_each_look(page) == {}


class TestTheme:
    def test_switch_starts_no_transition_for_those_who_want_no_motion(self, visit):
        """A transition of whatever length on all elements makes each line of text a chart measures cost 60 ms."""
        page = visit(scheme="dark", reduced_motion="reduce")
        moving = """() => {
            document.querySelector("button[data-theme-choice=light]").click();
            getComputedStyle(document.querySelector("h1")).color;
            return document.getAnimations().filter((one) => one instanceof CSSTransition).length;
        }"""
        assert page.evaluate(moving) == 0
        assert page.evaluate("document.documentElement.dataset.bsTheme") == "light"

    def test_first_paint_has_the_theme_of_the_system(self, visit):
        page = visit(scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 18, 23)"

    def test_choice_recolours_charts_without_asking_the_server_and_is_remembered(self, visit):
        page = visit(part="charts", shared=True)
        settle(page)
        before, asked = line(page).evaluate("e => getComputedStyle(e).stroke"), []
        page.on("request", lambda request: asked.append(request.url))
        page.locator(".account-button").click()
        page.get_by_role("button", name="Dark").click()
        expect(line(page)).not_to_have_css("stroke", before)
        page.wait_for_timeout(600)
        assert asked == []
        page.reload()
        page.wait_for_selector(f"#confusion {DRAWN}", state="attached")
        assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
        page.locator(".account-button").click()
        page.get_by_role("button", name="Light").click()


class TestPalette:
    def test_experiment_is_found_by_name_and_opened_by_keyboard(self, visit):
        page = visit()
        page.keyboard.press("Control+k")
        field = page.get_by_role("combobox", name="Search pages and experiments")
        expect(field).to_be_focused()
        field.fill("<b>x")
        expect(page.get_by_role("option", name="<b>x cnn-lstm-00000")).to_be_visible()
        page.keyboard.press("Enter")
        page.wait_for_url("**/experiments/1")

    def test_slash_opens_it_and_escape_gives_the_focus_back(self, visit):
        page = visit(shared=True)
        page.locator("#f1").focus()
        page.keyboard.press("/")
        assert page.locator("dialog[open]").count() == 0
        page.locator("#toast-info").focus()
        page.keyboard.press("/")
        expect(page.locator("dialog[open]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#toast-info")).to_be_focused()


class TestShell:
    def test_drawer_keeps_the_focus_and_gives_it_back(self, visit):
        page = visit(390)
        opener = page.get_by_role("button", name="Open navigation")
        opener.click()
        expect(page.get_by_role("link", name="Compare")).to_be_visible()
        assert page.evaluate("document.getElementById('main-content').inert")
        page.keyboard.press("Escape")
        expect(opener).to_be_focused()
        assert not page.evaluate("document.getElementById('main-content').inert")

    def test_active_entry_follows_navigation(self, visit):
        page = visit()
        page.get_by_role("link", name="Compare").first.click()
        expect(page.locator(".nav-entry[aria-current=page]")).to_have_text("Compare")

    def test_toast_shows_text_as_text_and_goes_away_by_its_button(self, visit):
        page = visit(shared=True)
        page.locator("#toast-error").click()
        expect(page.get_by_role("alert").filter(has_text="A message: <img")).to_be_visible()
        page.get_by_role("button", name="Dismiss").click()
        expect(page.locator(".toast-item")).to_have_count(0)

    def test_ended_session_leads_to_sign_in_and_back(self, visit):
        page = visit()
        settle(page)
        page.route("**/_dash-update-component*", lambda route: route.fulfill(status=401, body="{}"))
        page.route("**/login*", lambda route: route.fulfill(status=200, body="sign in"))
        with page.expect_navigation(url="**/login?next=%2F"):
            page.evaluate("() => { fetch('/_dash-update-component', {method: 'POST'}); }")

    def test_time_is_shown_in_the_zone_of_the_viewer(self, visit):
        page = visit(timezone_id="Asia/Tokyo")
        page.evaluate("""() => {
            const t = document.createElement('time');
            t.setAttribute('datetime', '2026-01-05T20:00:00Z'); t.dataset.format = 'datetime'; t.id = 'probe';
            document.getElementById('main-content').append(t); }""")
        expect(page.locator("#probe")).to_have_text("6 Jan 2026, 05:00")


class TestCharts:
    def test_store_names_the_panels_on_screen(self, visit):
        page = visit(part="charts", shared=True)
        expect(page.locator("#visible-now")).to_contain_text("Loss, Loss that blew up")
        page.locator("#config").scroll_into_view_if_needed()
        expect(page.locator("#visible-now")).to_have_text("visible: ")

    def test_hover_on_one_panel_moves_the_cursor_of_the_others(self, visit):
        page = visit(part="charts", shared=True)
        other = page.locator(".panel", has=page.locator("#six"))
        for panel in (other, page.locator(".panel", has=page.locator("#loss"))):
            expect(panel.locator("[data-chart-points]")).to_contain_text("points")  # it is drawn
        page.locator("#loss .nsewdrag").hover(position={"x": 50, "y": 80})
        expect(other.locator(".chart-cursor.is-on")).to_have_count(1)
        # Each of the six by its name: three of them without one said little.
        expect(other.locator(".chart-reading .cursor-name")).to_have_count(6)
        page.mouse.move(5, 5)
        expect(other.locator(".chart-reading")).to_have_count(0)
        expect(other.locator("[data-chart-points]")).to_have_text("600 points")

    def test_panel_is_saved(self, visit):
        page = visit(part="charts", shared=True)
        panel = page.locator(".panel", has=page.locator("#loss"))
        for what, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"\xef\xbb\xbfseries,")):
            panel.locator("summary").click()
            with page.expect_download() as download:
                panel.get_by_role("button", name=what).click()
            assert Path(download.value.path()).read_bytes().startswith(start), what
            assert download.value.suggested_filename == f"cnn-lstm-00042-Loss.{what.lower()}"

    def test_no_cell_of_what_is_saved_is_a_formula(self, visit):
        names = ["=1", " @x", "\n+1", "＝1", "a;-1"]
        traces = [{"name": name, "type": "scatter"} for name in names]
        points = [[{"x": 1, "y": -0.5}]] * len(names)
        saved = visit(shared=True).evaluate(
            "([_fullData, calcdata]) => pfd.charts.csv({ layout: {}, _fullLayout: {}, _fullData, calcdata })",
            [traces, points],
        )
        rows = list(csv.reader(io.StringIO(saved, newline="")))[1:]
        assert rows == [[name, "scatter", "1", "-0.5"] for name in ("'=1", "' @x", "'\n+1", "'＝1", "a;'-1")]

    def test_expanded_panel_fills_the_window_and_escape_closes_it(self, visit):
        page = visit(part="charts", shared=True)
        page.get_by_role("button", name="Expand Loss", exact=True).click()
        panel = page.locator(".panel.is-expanded")
        assert panel.bounding_box()["width"] == 1440
        page.evaluate("pfd.toast({ text: 'One message.' })")
        message, drawn = page.locator(".toast-item").bounding_box(), panel.locator(".js-plotly-plot").bounding_box()
        assert message["y"] + message["height"] <= drawn["y"] + 1
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)
        assert not page.evaluate("document.querySelector('.side-bar').inert")


class TestGrid:
    def test_row_menu_is_used_by_keyboard_and_offers_what_the_status_allows(self, visit):
        page = visit(part="rows", shared=True)
        page.locator("#grid").scroll_into_view_if_needed()
        page.get_by_role("button", name="Actions for cnn-lstm-00001").press("Enter")
        expect(page.get_by_role("menuitem")).to_have_text(["Open", "Cancel", "Delete"])
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("menuitem", name="Cancel")).to_be_focused()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Actions for cnn-lstm-00002").click()
        expect(page.get_by_role("menuitem")).to_have_text(["Open", "Delete"])

    def test_stored_script_address_never_becomes_a_link(self, visit):
        page = visit(part="rows", shared=True)
        page.locator("#grid").scroll_into_view_if_needed()
        page.wait_for_selector(".ag-row .status")
        assert page.locator("a[href^='javascript']").count() == 0


class TestConfigTree:
    def test_filter_leaves_what_matches_and_the_way_to_it(self, visit):
        page = visit(shared=True)
        leaves = page.locator(".tree-leaf:visible")
        before = leaves.count()
        page.get_by_placeholder("Filter configuration").fill("heads")
        expect(leaves).to_have_count(1)
        expect(leaves).to_contain_text("heads")
        page.get_by_placeholder("Filter configuration").fill("")
        expect(leaves).to_have_count(before)


class TestStill:
    """What nothing listens to is drawn as one component (components/still.py)."""

    def test_a_page_of_fewer_components_is_the_same_element_by_element(self, visit):
        drawn = []
        for part in ("neither", "element-by-element"):
            page = visit(part=part)
            settle(page)
            page.wait_for_selector("[data-chart][data-state=empty]")  # told by the chart's script once it is drawn
            drawn.append(page.evaluate(ELEMENTS))
        assert len(drawn[0]) > 300
        assert drawn[0] == drawn[1]

    def test_an_address_that_would_run_something_is_none(self, visit):
        page = visit(shared=True)
        tree = ["a", {"href": "javascript:alert(1)", "className": "run"}, ["b", {}, "x"]]
        made = page.evaluate("tree => window.pfd_still.Still({tree}).props", tree)
        assert (made["className"], made["href"]) == ("run", "about:blank")

    def test_its_links_are_followed_without_loading_the_app_anew(self, visit):
        page = visit()
        page.evaluate("window.is_the_same = true")
        page.get_by_role("link", name="Compare").click()
        page.wait_for_url("**/compare")
        assert page.evaluate("window.is_the_same")
