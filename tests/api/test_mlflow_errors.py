"""Refusals below MLflow's addresses: its codes, its statuses, and who may do what."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from database import engine as engines
from models.permissions import Permission
from tests.support import tracking
from tests.support.tracking import LOGGING, Tracking

# Each operation and the one permission that opens it.
OPERATIONS: dict[tuple[str, str], str] = {
    ("POST", "/experiments/create"): "create_experiments",
    ("GET", "/experiments/get"): "view_experiments",
    ("GET", "/experiments/get-by-name"): "view_experiments",
    ("GET", "/experiments/search"): "view_experiments",
    ("POST", "/experiments/search"): "view_experiments",
    ("GET", "/experiments/list"): "view_experiments",
    ("POST", "/experiments/update"): "create_experiments",
    ("POST", "/experiments/delete"): "delete_own_experiments",
    ("POST", "/experiments/restore"): "delete_own_experiments",
    ("POST", "/experiments/set-experiment-tag"): "create_experiments",
    ("POST", "/experiments/delete-experiment-tag"): "create_experiments",
    ("POST", "/runs/create"): "create_experiments",
    ("GET", "/runs/get"): "view_experiments",
    ("POST", "/runs/update"): "run_experiments",
    ("POST", "/runs/delete"): "delete_own_experiments",
    ("POST", "/runs/restore"): "delete_own_experiments",
    ("POST", "/runs/search"): "view_experiments",
    ("POST", "/runs/log-metric"): "run_experiments",
    ("POST", "/runs/log-batch"): "run_experiments",
    ("POST", "/runs/log-parameter"): "run_experiments",
    ("POST", "/runs/set-tag"): "run_experiments",
    ("POST", "/runs/delete-tag"): "run_experiments",
    ("POST", "/runs/log-inputs"): "run_experiments",
    ("POST", "/runs/outputs"): "run_experiments",
    ("POST", "/runs/log-model"): "run_experiments",
    ("GET", "/metrics/get-history"): "view_experiments",
    ("GET", "/metrics/get-history-bulk"): "view_experiments",
    ("GET", "/metrics/get-history-bulk-interval"): "view_experiments",
    ("POST", "/logged-models"): "create_experiments",
    ("POST", "/logged-models/search"): "view_experiments",
    ("GET", "/logged-models/<model_id>"): "view_experiments",
    ("PATCH", "/logged-models/<model_id>"): "run_experiments",
    ("DELETE", "/logged-models/<model_id>"): "delete_own_experiments",
    ("PATCH", "/logged-models/<model_id>/tags"): "run_experiments",
    ("DELETE", "/logged-models/<model_id>/tags/<path:key>"): "run_experiments",
    ("POST", "/logged-models/<model_id>/params"): "run_experiments",
    ("GET", "/artifacts/list"): "view_experiments",
    ("GET", "-artifacts/artifacts"): "view_experiments",
    ("GET", "-artifacts/artifacts/<path:path>"): "view_experiments",
    ("PUT", "-artifacts/artifacts/<path:path>"): "run_experiments",
    ("DELETE", "-artifacts/artifacts/<path:path>"): "delete_own_experiments",
}


def offered(app: Any) -> dict[tuple[str, str], Any]:
    """Each operation of the protocol and what it declares."""
    return {
        (method, rule.rule.removeprefix(tracking.PREFIX)): app.server.view_functions[rule.endpoint].permission
        for rule in app.server.url_map.iter_rules()
        if rule.rule.startswith(tracking.PREFIX)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_each_operation_declares_the_permission_that_stands_here(dash_app: Any) -> None:
    assert offered(dash_app) == {operation: Permission(needed) for operation, needed in OPERATIONS.items()}


@pytest.mark.parametrize("scope", [*LOGGING, "view_datasets"])
def test_a_key_opens_what_its_scopes_name_and_nothing_else(dash_app: Any, sqlite: Engine, scope: str) -> None:
    api = Tracking(dash_app.server, tracking.key(scope))
    wrong = []
    for (method, path), needed in OPERATIONS.items():
        address = tracking.PREFIX + re.sub(r"<[^>]+>", "x", path)
        body = {} if method in {"POST", "PATCH"} else None
        answer = api.client.open(address, method=method, json=body, headers=api.headers)
        refused = answer.status_code == 403
        if needed != scope:
            if not refused or answer.json["error_code"] != "PERMISSION_DENIED":
                wrong.append((method, path, answer.status_code))
        elif refused and needed.replace("_", " ") in answer.json["message"]:
            wrong.append((method, path, answer.text))
        assert answer.status_code < 500, (method, path, answer.text)
    assert wrong == []


@pytest.mark.parametrize(("method", "path"), list(OPERATIONS))
def test_without_a_key_nothing_is_open(dash_app: Any, sqlite: Engine, method: str, path: str) -> None:
    address = tracking.PREFIX + re.sub(r"<[^>]+>", "x", path)
    answer = dash_app.server.test_client().open(address, method=method)
    assert (answer.status_code, answer.json["error_code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.fixture
def api(dash_app: Any, sqlite: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "registered-models/create"),
        ("GET", "model-versions/search"),
        ("POST", "traces"),
        ("GET", "nothing"),
        ("POST", "runs/nothing/at/all"),
    ],
)
def test_what_is_not_offered_says_so_as_mlflow_does(api: Tracking, method: str, path: str) -> None:
    answer = api.client.open(f"{tracking.PREFIX}/{path}", method=method, headers=api.headers, json={})
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert answer.json["error_code"] == "ENDPOINT_NOT_FOUND"


def test_another_method_is_refused_with_those_that_there_are(api: Tracking) -> None:
    answer = api.client.put(f"{tracking.PREFIX}/runs/search", headers=api.headers)
    assert (answer.status_code, answer.json["error_code"]) == (405, "ENDPOINT_NOT_FOUND")
    assert answer.headers["Allow"] == "OPTIONS, POST"


def test_a_body_that_is_too_large_is_refused(api: Tracking) -> None:
    answer = api.raw("runs/log-batch", b" " * 2_000_000)
    assert (answer.status_code, answer.json["error_code"]) == (413, "BAD_REQUEST")


def test_another_kind_of_body_is_refused(api: Tracking) -> None:
    answer = api.raw("runs/log-batch", b"a=b", "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json["error_code"]) == (400, "BAD_REQUEST")


def test_too_many_requests_say_when_to_come_again(api: Tracking, dash_app: Any, chosen: Callable[..., None]) -> None:
    chosen(PFD_API_RATE_LIMIT_MAX=2)
    for _ in range(3):
        answer = api.get("experiments/get", experiment_id="0")
    assert (answer.status_code, answer.json["error_code"]) == (429, "REQUEST_LIMIT_EXCEEDED")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_database_that_is_away_is_said_to_be_away(api: Tracking, tmp_path: Any) -> None:
    engines.use_engine(engines.build_engine(f"sqlite:///{tmp_path / 'gone.sqlite3'}"))
    answer = api.get("experiments/get", experiment_id="0")
    assert (answer.status_code, answer.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "5"


def test_a_bug_tells_nothing(api: Tracking, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.tracking import groups

    def broken(*_: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(groups, "create", broken)
    answer = api.post("experiments/create", name="x")
    assert (answer.status_code, answer.json["error_code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in answer.text


def test_our_own_api_still_answers_with_problems(api: Tracking) -> None:
    answer = api.client.get("/api/v1/nothing", headers=api.headers)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
