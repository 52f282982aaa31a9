"""A hostile page in Chromium, on another site and on another port of ours: it sends all it can and changes nothing."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import request, request_finished
from playwright.sync_api import Page
from sqlalchemy import Engine, select

from database.engine import transaction
from models import Base
from models.permissions import Role
from services import accounts
from tests.support import people
from tests.support.list_page import make
from web import policy_reports
from web.identity import cookie_name

pytestmark = pytest.mark.browser
DISPATCH = "/_dash-update-component"
TRACKING, SOME = "/api/2.0/mlflow/", {"/api/2.0/mlflow/runs/create", "/api/2.0/mlflow/runs/log-batch"}
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}

# Everything that a page may send to another origin without asking it first, and two things for which it has to ask.
ATTACK = """async ({target, paths, reads, bodies, dispatcher}) => {
  const send = (path, options) => fetch(target + path, {credentials: "include", ...options}).catch(() => null);
  const form = "application/x-www-form-urlencoded";
  const enctypes = [form, "multipart/form-data", "text/plain"];
  const fields = "username=mallory&email=m%40evil.example&password=a+long+enough+passphrase&again=x&csrf_token=x";
  const all = [];
  // Four frames take the forms and pages in turn: a frame for each would be as many processes of the browser.
  const frames = [0, 1, 2, 3].map((place) => document.body.appendChild(
    Object.assign(document.createElement("iframe"), {name: "frame" + place})));
  const lanes = frames.map(() => Promise.resolve());
  let turn = 0;
  const inFrame = (go) => {
    const place = turn++ % frames.length, frame = frames[place];
    lanes[place] = lanes[place].then(() => new Promise(done => {
      frame.onload = done;
      setTimeout(done, 30000);  // only a frame that hangs: a form that leaves it before it has sent is lost
      go(frame);
    }));
  };
  for (const path of paths) {
    all.push(send(path, {method: "POST", mode: "no-cors", headers: {"Content-Type": form}, body: fields}));
    all.push(send(path, {method: "POST", mode: "no-cors", body: "{}"}));
    all.push(send(path, {method: "POST", mode: "cors", body: "{}"}));
    const parts = new FormData();
    for (const pair of fields.split("&")) parts.append(...pair.split("="));
    all.push(send(path, {method: "POST", mode: "no-cors", body: parts}));
    // By a form the same bodies in turn: a page for each would be most of the work, and what is sent is the same.
    const made = document.body.appendChild(Object.assign(document.createElement("form"),
      {action: target + path, method: "post", enctype: enctypes[paths.indexOf(path) % enctypes.length]}));
    for (const [name, value] of parts) {
      made.appendChild(Object.assign(document.createElement("input"), {name, value}));
    }
    inFrame((frame) => { made.target = frame.name; made.submit(); });
  }
  for (const body of bodies) {
    all.push(send(dispatcher, {method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}, body}));
  }
  const json = {"Content-Type": "application/json"};
  for (const body of bodies.slice(0, 5)) {
    all.push(send(dispatcher, {method: "POST", mode: "cors", headers: json, body}));
  }
  for (const path of reads) {
    all.push(send(path, {mode: "no-cors"}));
    const image = document.createElement("img");
    all.push(new Promise(done => { image.onload = image.onerror = done; setTimeout(done, 30000); }));
    image.src = target + path;
    inFrame((frame) => { frame.src = target + path; });
  }
  await Promise.all(lanes);
  await Promise.all(all);
}"""


class _Hostile(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """An empty page, without any policy of its own."""
        body = b"<!doctype html><title>hostile</title><body></body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hostile_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture
def heard(dash_app: Any) -> Iterator[list[tuple[str, str, int, bool]]]:
    """Method, path, status, and whether the session's cookie came along, of each request of the test."""
    noted: list[tuple[str, str, int, bool]] = []

    def note(_sender: Any, response: Any, **_: Any) -> None:
        noted.append((request.method, request.path, response.status_code, cookie_name() in request.cookies))

    request_finished.connect(note, dash_app.server)
    yield noted
    request_finished.disconnect(note, dash_app.server)


def everything(engine: Engine) -> dict[str, str]:
    """A digest of each table; a refusal may leave a row in the system log, and a link a sign of life in the session."""
    digests = {}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name != "system_logs":
                kept = [column for column in table.columns if column.name not in {"last_active", "updated_at"}]
                rows = connection.execute(select(*kept).order_by(*table.primary_key.columns)).all()
                digests[table.name] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return digests


def paths_of(app: Any, token: str) -> tuple[list[str], list[str], set[str]]:
    """The addresses that take a change, those that are read, and those of the first that take a POST."""
    changing, reading, posted = set(), set(), set()
    for rule in app.server.url_map.iter_rules():
        path = rule.rule.replace("<token>", token).replace("<path:path>", "experiments/1")
        if "<" in path or (path.startswith(TRACKING) and path not in SOME):
            continue  # files, and what takes a key and no cookie: of that two addresses stand for all
        if (rule.methods or set()) & CHANGING:
            changing.add(path)
        if "POST" in (rule.methods or set()):
            posted.add(path)
        if "GET" in (rule.methods or set()):
            reading.add(path)
    # What is called by a form may be tried by an address that names its fields, too.
    reading |= {f"{path}?csrf_token=x&username=m" for path in changing}
    return sorted(changing), sorted(reading), posted


def bodies_of(app: Any) -> list[str]:
    """A well-formed body of each callback of the server."""
    bodies = []
    for output, spec in app.callback_map.items():
        if spec.get("callback"):
            values = {"_pages_location.pathname": "/", "_pages_location.search": ""}
            bodies.append(
                {
                    "output": output,
                    "outputs": people.filled_outputs(output)[0],
                    "inputs": people.filled(spec["inputs"], **values),
                    "state": people.filled(spec.get("state", []), **values),
                    "changedPropIds": [f"{item['id']}.{item['property']}" for item in spec["inputs"][:1]],
                }
            )
    return [json.dumps(body) for body in bodies]


def follow_links(chromium: Any, cookie: dict[str, str], addresses: list[str]) -> None:
    """Go where a link leads, which takes the cookie from any site; its own request is what counts, and no script."""
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies([{**cookie, "sameSite": "Lax"}])
    page: Page = context.new_page()
    for address in addresses:
        page.goto(address, wait_until="commit")
    context.close()


@pytest.mark.parametrize(("host", "same_site"), [("localhost", False), ("127.0.0.1", True)])
def test_changes_nothing(
    chromium: Any,
    live_server: str,
    hostile_port: int,
    dash_app: Any,
    sqlite: Engine,
    heard: Any,
    host: str,
    same_site: bool,
) -> None:
    make("one")
    with transaction() as session:
        token = accounts.new_setup_token(session)
    context = chromium.new_context()
    cookie = {"name": cookie_name(), "value": people.token_of(people.person(Role.SUPER_ADMIN)), "url": live_server}
    context.add_cookies([{**cookie, "sameSite": "Lax"}])
    page: Page = context.new_page()
    page.goto(f"http://{host}:{hostile_port}/")
    before = everything(sqlite)
    changing, reading, posted = paths_of(dash_app, token)
    bodies = bodies_of(dash_app)
    asked = {"target": live_server, "paths": changing, "reads": reading, "bodies": bodies, "dispatcher": DISPATCH}
    page.evaluate(ATTACK, asked)
    context.close()
    if not same_site:
        follow_links(chromium, cookie, [live_server + path for path in reading])
    assert everything(sqlite) == before

    sent = [entry for entry in heard if entry[0] in CHANGING]
    assert {path for _, path, _, _ in sent} == set(changing)
    assert len(sent) >= 5 * len(changing) + len(bodies)
    # What takes no POST takes none by a form: there it is the method that is refused.
    assert {status for _, path, status, _ in sent if path in posted} == {403}
    assert {status for _, path, status, _ in sent if path not in posted} <= {403, 405}
    # Browsers take all ports of a host for one site, so there the cookie comes along and only we refuse.
    # (Reports of a content policy are the browser's own and carry none.)
    assert {with_cookie for _, path, _, with_cookie in sent if path != policy_reports.PATH} == {same_site}


def test_the_same_from_a_page_of_ours_is_let_in(
    chromium: Any, live_server: str, dash_app: Any, sqlite: Engine, heard: Any
) -> None:
    context = chromium.new_context()
    cookie = {"name": cookie_name(), "value": people.token_of(people.person(Role.SUPER_ADMIN)), "url": live_server}
    context.add_cookies([cookie])
    page: Page = context.new_page()
    page.goto(f"{live_server}/healthz")
    for body in bodies_of(dash_app)[:5]:
        page.evaluate(
            """([path, body]) => fetch(path, {method: "POST", headers: {"Content-Type": "application/json"}, body})""",
            [DISPATCH, body],
        )
    context.close()
    answered = [status for method, path, status, _ in heard if (method, path) == ("POST", DISPATCH)]
    assert len(answered) == 5 and set(answered) <= {200, 204}
