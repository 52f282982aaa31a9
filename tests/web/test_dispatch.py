"""The dispatcher: what no page of ours sends is a 400, never a 500."""

import copy
import json
import random
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.people import client, dispatch, filled, filled_outputs

HOSTILE: list[Any] = [
    None, True, 0, -1, 2**70, 1e308, "", "x" * 2000, "\x00", "\ud800", [], {}, [[]], {"a": {"b": []}},
    "../../etc/passwd", "{\"index\":1}", "..a.b...c.d..", ["a"] * 50, {"id": 1, "property": 2},
]  # fmt: skip


def well_formed(app: Any) -> list[dict[str, Any]]:
    bodies = []
    for output, spec in app.callback_map.items():
        if not spec.get("callback"):
            continue  # it runs in the browser
        outputs, _ = filled_outputs(output)
        bodies.append(
            {
                "output": output,
                "outputs": outputs,
                "inputs": filled(spec["inputs"], **{"_pages_location.pathname": "/", "_pages_location.search": ""}),
                "state": filled(spec.get("state", [])),
                "changedPropIds": [f"{item['id']}.{item['property']}" for item in spec["inputs"][:1]],
            }
        )
    return bodies


def test_no_callback_listens_to_the_buttons_of_rows_themselves(dash_app: Any) -> None:
    """Dash asks such a one anew when they are drawn anew, and throws away the answer to a press that is under way."""
    listened = [given["id"] for spec in dash_app.callback_map.values() for given in spec["inputs"]]
    assert [identity for identity in listened if '["ALL"]' in identity] == []


def mutate(body: Any, chance: random.Random) -> Any:
    """Change one place of the body: replace it, take it away, double it, or add something."""
    body = copy.deepcopy(body)
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            walk(value[key])

    walk(body)
    holder, key = chance.choice(places)
    match chance.randrange(4):
        case 0:
            holder[key] = chance.choice(HOSTILE)
        case 1:
            del holder[key]
        case 2 if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case _:
            if isinstance(holder, dict):
                holder[chance.choice(["id", "property", "value", "x", "output"])] = chance.choice(HOSTILE)
            else:
                holder[key] = chance.choice(HOSTILE)
    return body


def test_what_pages_send_is_accepted(dash_app: Any, sqlite: Engine) -> None:
    visitor = client(dash_app.server, "super_admin")
    for body in well_formed(dash_app):
        _, as_shared = filled_outputs(body["output"])
        for outputs in (body["outputs"], as_shared):
            answer = visitor.post("/_dash-update-component", json={**body, "outputs": outputs})
            assert answer.status_code not in {400, 401, 403, 404}, (body, answer.text)


def test_two_thousand_mutated_bodies_give_no_server_error(dash_app: Any, sqlite: Engine) -> None:
    chance = random.Random(20261121)
    visitor = client(dash_app.server, "super_admin")
    bodies = well_formed(dash_app)
    seen: dict[int, int] = {}
    for _ in range(2000):
        body = mutate(chance.choice(bodies), chance)
        if chance.random() < 0.3:
            body = mutate(body, chance) if body else body
        answer = visitor.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
        assert answer.status_code < 500, (body, answer.text[:300])
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
    assert seen.get(400, 0) > 500, seen


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"output": NaN}', b'{"output": 1e999}', b"[" * 100_000, b'"text"',
     b'{"output": "\\ud800"}', b'{"output": "x", "inputs": ' + b"[" * 200 + b"]" * 200 + b"}"],
)  # fmt: skip
def test_a_body_that_is_no_object_is_a_400(dash_app: Any, sqlite: Engine, raw: bytes) -> None:
    answer = client(dash_app.server, "viewer").post(
        "/_dash-update-component", data=raw, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert set(answer.json) >= {"type", "title", "status", "detail", "instance"}


@pytest.mark.parametrize("name", ["{", "{bad.n_clicks", "{}", "{'a':1}.n_clicks", "{[].n_clicks"])
def test_a_trigger_that_is_no_pattern_is_a_400(dash_app: Any, sqlite: Engine, name: str) -> None:
    visitor = client(dash_app.server, "super_admin")
    for body in well_formed(dash_app):
        answer = visitor.post("/_dash-update-component", json={**body, "changedPropIds": [name]})
        assert answer.status_code == 400, body["output"]


@pytest.mark.parametrize("path", ["", "x", "?ids=1", "\\", "//evil.example", "/\r\nx"])
def test_a_path_that_no_browser_has_is_no_bug_of_ours(
    dash_app: Any, sqlite: Engine, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    router = ".._pages_content.children..._pages_store.data.."
    answer = dispatch(client(dash_app.server, "viewer"), dash_app, router, **{"_pages_location.pathname": path})
    assert answer.status_code == (200 if path.startswith("/") else 400)
    assert "callback failed" not in caplog.text


def test_another_content_type_is_a_415(dash_app: Any, sqlite: Engine) -> None:
    answer = client(dash_app.server, "viewer").post("/_dash-update-component", data="{}", content_type="text/plain")
    assert answer.status_code == 415


def test_a_body_over_the_limit_is_a_413(dash_app: Any, sqlite: Engine) -> None:
    answer = client(dash_app.server, "viewer").post(
        "/_dash-update-component", data=b"{" + b" " * 1_100_000 + b"}", content_type="application/json"
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_a_request_from_another_site_is_refused(dash_app: Any, sqlite: Engine, headers: dict[str, str]) -> None:
    answer = client(dash_app.server, "super_admin").post("/_dash-update-component", json={}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere"])
def test_a_host_that_can_be_none_is_a_400(dash_app: Any, sqlite: Engine, path: str) -> None:
    environ = {"HTTP_HOST": "x" * 3000, "HTTP_ACCEPT": "text/html"}
    assert dash_app.server.test_client().get(path, environ_overrides=environ).status_code == 400


def test_an_error_in_a_callback_is_a_toast_with_a_request_id_and_no_trace(
    dash_app: Any, sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.experiments import options

    def broken(*_: Any) -> str:
        raise RuntimeError("secret detail of a bug")

    monkeypatch.setattr(options, "version", broken)
    answer = dispatch(client(dash_app.server, "viewer"), dash_app, "experiments-version.data")
    assert answer.status_code == 200
    assert "Something went wrong on our side" in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_polling_does_not_keep_a_session_alive(dash_app: Any, sqlite: Engine) -> None:
    from datetime import timedelta

    from sqlalchemy import select, update

    from database.engine import snapshot, transaction
    from database.types import now
    from models import SessionLog

    visitor = client(dash_app.server, "viewer")
    then = now() - timedelta(minutes=30)
    with transaction() as session:
        session.execute(update(SessionLog).values(last_active=then))
    dispatch(visitor, dash_app, "experiments-version.data")
    with snapshot() as session:
        assert session.scalar(select(SessionLog.last_active)) == then
    visitor.get("/experiments")
    with snapshot() as session:
        assert session.scalar(select(SessionLog.last_active)) > then


@pytest.mark.parametrize("number", [2**63, 2**64 - 1])
def test_a_number_that_no_database_holds_is_a_400(dash_app: Any, sqlite: Engine, number: int) -> None:
    visitor = client(dash_app.server, "viewer")
    output = next(name for name in dash_app.callback_map if name.startswith("..experiments-count"))
    answer = dispatch(visitor, dash_app, output, **{"experiments-status.value": number})
    assert answer.status_code == 400


@pytest.mark.parametrize("value", [None, 5, ["/"], {"x": 1}, True])
def test_an_address_that_is_no_text_is_a_400(dash_app: Any, sqlite: Engine, value: Any) -> None:
    router = next(name for name in dash_app.callback_map if "_pages_content" in name)
    answer = dispatch(
        client(dash_app.server, "viewer"),
        dash_app,
        router,
        **{"_pages_location.pathname": value, "_pages_location.search": ""},
    )
    assert answer.status_code == 400


def test_a_query_parameter_never_stands_for_a_part_of_the_path(dash_app: Any, sqlite: Engine) -> None:
    from database.engine import transaction
    from services.actor import SYSTEM
    from services.experiments import lifecycle

    with transaction() as session:
        first = lifecycle.create(session, SYSTEM, name="the one in the path").id
        second = lifecycle.create(session, SYSTEM, name="the one in the query").id
    router = next(name for name in dash_app.callback_map if "_pages_content" in name)
    answer = dispatch(
        client(dash_app.server, "viewer"),
        dash_app,
        router,
        **{"_pages_location.pathname": f"/experiments/{first}", "_pages_location.search": f"?experiment_id={second}"},
    )
    assert "the one in the path" in answer.text
    assert "the one in the query" not in answer.text


@pytest.mark.parametrize("path", ["nope/x.js", "dash/nope.js", "dash/../app.py"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_bundle_that_is_not_there_is_a_404(dash_app: Any, sqlite: Engine, path: str, method: str) -> None:
    answer = dash_app.server.test_client().open(f"/_dash-component-suites/{path}", method=method)
    assert answer.status_code in {401, 404}
