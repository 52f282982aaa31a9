"""Sixty texts that would be scripts, in every stored field that a page shows, with the content policy switched off."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import dash
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from database.engine import transaction
from database.types import now
from models import (
    APIKey,
    Dataset,
    ExperimentTag,
    LoginHistory,
    Passkey,
    SessionLog,
    SystemLog,
    Tag,
    User,
)
from models.experiment import ExperimentStatus
from models.permissions import Role
from services.actor import SYSTEM
from services.curves import writing
from services.curves.packing import Points
from services.experiments import epochs, lifecycle
from services.experiments.epochs import Epoch
from tests.support import people
from tests.support.following import SETTLED, follow, settle
from tests.support.tabs import RESTING
from web.identity import cookie_name

pytestmark = pytest.mark.browser

RUN = "top.__xss=1"
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg/onload={RUN}//",
    f"<body onload={RUN}>",
    f"<iframe src=javascript:{RUN}>",
    f"<iframe srcdoc='<script>{RUN}</script>'>",
    f"<details open ontoggle={RUN}>x",
    f"<input autofocus onfocus={RUN}>",
    f"<select autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}>",
    f"<audio src=x onerror={RUN}>",
    f"<marquee onstart={RUN}>",
    f"<object data=javascript:{RUN}>",
    f"<embed src=javascript:{RUN}>",
    f"<a href=javascript:{RUN}>x</a>",
    f"<a href='java\tscript:{RUN}'>x</a>",
    f"<math href=javascript:{RUN}>x</math>",
    f"<svg><a xlink:href=javascript:{RUN}><text>x</text></a></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x>",
    f"<style>@import'javascript:{RUN}'</style>",
    f"<b style=color:red onclick={RUN}>x</b>",
    f"<meta http-equiv=refresh content=0;url=javascript:{RUN}>",
    "<base href=http://evil.example/>",
    "<form action=http://evil.example/><button>x",
    "<img src=http://evil.example/leak.png>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    f'"><script>{RUN}</script>',
    f"'><script>{RUN}</script>",
    f'" onmouseover={RUN} x="',
    f"' onmouseover={RUN} x='",
    f"`onmouseover={RUN}`",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"<!--><img src=x onerror={RUN}>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<script >{RUN}</script >",
    f"<img/src=x/onerror={RUN}>",
    f"<img src=x\nonerror={RUN}>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"#{{{RUN}}}",
    f"javascript:{RUN}",
    f"[x](javascript:{RUN})",
    f"![x](javascript:{RUN})",
    f"[x]: javascript:{RUN}\n[x]",
    f"<javascript:{RUN}>",
    f'![x](x"onerror="{RUN})',
    f"$\\href{{javascript:{RUN}}}{{x}}$",
    f"data:text/html,<script>{RUN}</script>",
    f"=cmd|'/c {RUN}'!A1",
]
FOUND = """() => {
  const bad = [];
  for (const element of document.querySelectorAll("*")) {
    for (const attribute of element.attributes) {
      const name = attribute.name.toLowerCase(), value = attribute.value.replace(/[\\s\\0]/g, "").toLowerCase();
      const leads = ["href", "src", "action", "formaction", "data", "xlink:href", "srcdoc"].includes(name);
      const link = element.localName === "a" && /^https?:/.test(value);  // which notes may hold
      if (name.startsWith("on") || (leads && !link && /^(javascript|vbscript|data:text)|evil|__xss/.test(value))) {
        bad.push(element.outerHTML.slice(0, 200));
      }
    }
    const kind = element.tagName.toLowerCase();
    if (["script", "style"].includes(kind) && element.textContent.includes("__xss") ||
        ["iframe", "object", "embed", "base", "marquee", "video", "audio"].includes(kind)) {
      bad.push(element.outerHTML.slice(0, 200));
    }
  }
  return bad;
}"""
SHOWN = "[...new Set(document.body.innerText.match(/p[0-9]{2}-/g) || [])].length"
# So many of the sixty must stand on the page as text, else the test looks at nothing.
AT_LEAST = {
    "/": 4,
    "/experiments": 40,
    "/compare": 0,
    "/account/keys": 40,
    "/account/logins": 20,
    "/admin/users": 40,
}


def pages_without_number() -> list[str]:
    """The paths of all pages but that of one experiment."""
    return [entry["path"] for entry in dash.page_registry.values() if not entry.get("path_template")]


def hostile(longest: int) -> list[str]:
    """Each payload with a mark by which it is found, cut to what the column holds."""
    return [f"p{number:02}-{text}"[:longest] for number, text in enumerate(PAYLOADS)]


def store(admin: int) -> tuple[int, list[int]]:
    """Put them wherever a row has text, past every check of the services; the main experiment, and all."""
    texts = hostile(255)
    moment = now()
    with transaction() as session:
        datasets = [Dataset(name=text, description=text, fault_types=[text]) for text in texts]
        tags = [
            Tag(name=text, slug=f"slug-{number}", usage_count=1, color="#aa0000")
            for number, text in enumerate(hostile(50))
        ]
        session.add_all([*datasets, *tags])
        session.flush()
        numbers = []
        for place, text in enumerate(texts):
            made = lifecycle.create(
                session,
                SYSTEM,
                name=text,
                group_name=text,
                model_type=text[:50],
                dataset_id=datasets[place].id,
                notes=text,
                config={text: text},
                hyperparameters={text: text, "same": text},
                failure_reason=text,
                artifact_paths=[text],
                model_path=text,
                results_dir=text,
                source="csv",
                source_id=text,
                parent_id=numbers[0] if numbers and place % 9 == 0 else None,
            )
            made.given_name = text
            made.status = list(ExperimentStatus)[place % len(ExperimentStatus)]
            made.ended_at = moment
            session.add(ExperimentTag(experiment_id=made.id, tag_id=tags[place].id))
            writing.append(
                session, made.id, {"loss": Points.of([1, 2], [1.0, place]), text[:250]: Points.of([1], [1.0])}
            )
            numbers.append(made.id)
        main = lifecycle.create(
            session,
            SYSTEM,
            name=f"main {texts[0]}",
            notes="\n\n".join(texts),
            config={text: [text] for text in texts},
            hyperparameters={text[:250]: text for text in texts},
            parent_id=numbers[1],
            total_epochs=3,
        )
        lifecycle.start(session, main.id)
        writing.append(session, main.id, {text[:250]: Points.of([1, 2], [1.0, 2.0]) for text in texts})
        labels = texts[:8]
        epoch = Epoch(1, train_loss=1.0, val_loss=1.0, val_accuracy=0.5)
        epochs.record_epoch(session, main.id, epoch, metrics={}, confusion=(labels, [[1] * 8] * 8))
        accounts_of(session, admin, moment)
        return main.id, numbers


def accounts_of(session: Any, admin: int, moment: Any) -> None:
    """People, keys, sessions, attempts and the system log."""
    for place, text in enumerate(hostile(255)):
        short, later = text[:100], moment + timedelta(days=1)
        session.add_all(
            [
                User(username=short, email=f"{place}{text}"[:255], display_name=short, password_hash="!"),
                APIKey(
                    user_id=admin,
                    key_hash=str(place),
                    name=short,
                    prefix=text[:20],
                    scopes=[text],
                    expires_at=later,
                    last_used_ip=text[:45],
                    last_used_at=moment,
                    revoked_reason=text,
                    is_active=place % 2 == 0,
                ),
                SessionLog(
                    user_id=admin,
                    session_token=f"{place}",
                    ip_address=text[:45],
                    user_agent=text,
                    location=text,
                    device_type=text[:50],
                    browser=text[:100],
                    expires_at=later,
                    factors=text[:50],
                ),
                LoginHistory(
                    user_id=admin,
                    ip_address=text[:45],
                    user_agent=text,
                    location=text,
                    success=False,
                    login_method=text[:20],
                    failure_reason=text,
                ),
                SystemLog(
                    user_id=admin,
                    action=short,
                    status=text[:20],
                    details={text: text},
                    error_message=text,
                    ip_address=text[:45],
                    request_id=text[:64],
                ),
                Passkey(user_id=admin, name=short, credential_id=f"{place}", public_key=b"x", transports=[text]),
            ]
        )


@pytest.fixture
def look(chromium: Any, live_server: str, sqlite: Engine) -> Iterator[tuple[Page, int, dict[str, list[str]]]]:
    """A very high page of a super admin, without the content policy; what it asked for and said."""
    actor = people.person(Role.SUPER_ADMIN)
    context = chromium.new_context(viewport={"width": 1440, "height": 3200}, bypass_csp=True)
    context.add_cookies(
        [{"name": cookie_name(), "value": people.token_of(actor), "url": live_server, "httpOnly": True}]
    )
    page = context.new_page()
    heard: dict[str, list[str]] = {"dialogs": [], "outside": [], "errors": []}

    def dismiss(dialog: Any) -> None:
        heard["dialogs"].append(dialog.message)
        dialog.dismiss()

    def asked(request: Any) -> None:
        if not request.url.startswith((live_server, "data:image", "blob:")):
            heard["outside"].append(request.url)

    page.on("dialog", dismiss)
    page.on("request", asked)
    page.on("pageerror", lambda error: heard["errors"].append(str(error)))
    yield page, actor.user_id or 0, heard
    context.close()


def test_none_of_sixty_texts_runs_on_any_page(look: tuple[Page, int, dict[str, list[str]]], live_server: str) -> None:
    assert len(set(PAYLOADS)) == 60
    page, admin, heard = look
    main, numbers = store(admin)

    def check(where: str) -> None:
        assert page.evaluate("window.__xss") is None, where
        assert page.evaluate(FOUND) == [], where
        assert heard == {"dialogs": [], "outside": [], "errors": []}, where

    columns = quote(",".join(quote(f"param:{text}") for text in hostile(250)[:4]))
    paths = pages_without_number()
    paths += [f"/experiments?columns={columns}", f"/experiments/{main}", f"/experiments/{numbers[1]}"]
    paths += [f"/compare?ids={main},{','.join(map(str, numbers[:5]))}"]
    page.goto(live_server + RESTING)
    page.wait_for_selector(".empty")
    for path in paths:
        page.set_viewport_size({"width": 1440, "height": 3200 if path in AT_LEAST else 900})
        follow(page, path)
        if path in AT_LEAST:
            page.wait_for_function(f"{SHOWN} >= {AT_LEAST[path]}")
        page.wait_for_function(SETTLED)
        check(path)
    hover_and_open(page, main, check)


def hover_and_open(page: Page, main: int, check: Callable[[str], None]) -> None:
    """What appears only under a hand: hover texts, dialogs, the palette."""
    follow(page, f"/experiments/{main}")
    matrix = page.locator("#experiment-matrix .nsewdrag")
    matrix.scroll_into_view_if_needed()
    settle(page)  # what is drawn above it moves it
    box = matrix.bounding_box()
    assert box is not None
    for share in (0.3, 0.5):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * share)
    expect(page.locator(".hovertext").first).to_contain_text("p0")
    check("hover")
    page.keyboard.press("Control+k")
    page.keyboard.type("p0")
    expect(page.get_by_role("option").filter(has_text="p0").first).to_be_visible()
    check("palette")
    page.keyboard.press("Escape")
    for path, opener in (("/admin/users", "Change p"), ("/account/keys", "Revoke p")):
        follow(page, path)
        page.get_by_title(opener).first.click()
        page.locator(".dialog.show, .modal.show").first.wait_for()
        check(f"dialog of {path}")


def test_the_check_would_notice(look: tuple[Page, int, dict[str, list[str]]], live_server: str) -> None:
    page, _, _ = look
    page.goto(f"{live_server}/account/keys")
    elements = [text for text in PAYLOADS[:12] if not text.startswith(("<body", "<svg/"))]  # those two make none
    for text in elements:
        page.evaluate("text => { document.body.innerHTML = text; }", text)
        assert page.evaluate(FOUND) != [], text


def test_no_secret_stays_in_the_browser(look: tuple[Page, int, dict[str, list[str]]], live_server: str) -> None:
    page, _, _ = look
    secrets = [cookie["value"] for cookie in page.context.cookies()]
    addresses: list[str] = []
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    page.goto(f"{live_server}/account/keys")
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name", exact=True).fill("notebook")
    page.get_by_role("button", name="Make the key").click()
    secrets.append(page.locator("#key-dialog .one-time-link").first.inner_text())
    page.goto(f"{live_server}/admin/users")
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("User name").fill("ada")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_role("button", name="Make the link").click()
    secrets.append(page.locator(".one-time-link").first.inner_text().rsplit("/", 1)[1])
    secrets.append(page.locator("input[name=csrf_token]").first.get_attribute("value") or "")
    for path in [path for path in pages_without_number() if path != "/admin/users"]:
        follow(page, path)
    page.wait_for_function(SETTLED)
    kept = page.evaluate("""async () => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie,
        await indexedDB.databases(), await caches.keys(), history.state])""")
    assert all(len(secret) > 20 for secret in secrets) and len(secrets) == 4
    for secret, place in itertools.product(secrets, [kept, *addresses]):
        assert secret not in place
