"""Search for runs in MLflow's language, page by page."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support import experiments, tracking
from tests.support.tracking import Tracking


@pytest.fixture
def api(dash_app: Any, database: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


@pytest.fixture
def light(dash_app: Any, sqlite: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


START = 1_700_000_000_000


@pytest.fixture
def filled(api: Tracking) -> Tracking:
    """Four runs: a, B, c, d in the order of their start."""
    facts: list[tuple[str, Any, str | None, str | None, str]] = [
        ("a", 0.9, "0.1", "x", "FINISHED"),
        ("B", 0.5, "0.01", "y", "FAILED"),
        ("c", "NaN", "0.1", None, "RUNNING"),
        ("d", None, None, "it's", "FINISHED"),
    ]
    for place, (name, accuracy, rate, team, status) in enumerate(facts):
        labels = [{"key": "team", "value": team}] if team else []
        run = api.run(run_name=name, start_time=START + place * 1000, tags=labels)
        metrics = [] if accuracy is None else [{"key": "val acc", "value": accuracy, "timestamp": START, "step": 1}]
        said = [] if rate is None else [{"key": "lr", "value": rate}]
        api.post("runs/log-batch", run_id=run, metrics=metrics, params=said)
        api.post("runs/update", run_id=run, status=status)
    return api


FILTERS = [
    ("", "dcBa"),
    ("metrics.`val acc` > 0.6", "a"),
    ('metrics."val acc" >= 0.5', "Ba"),
    ("metric.`val acc` != 0.9", "cB"),
    ("metrics.`val acc` < 1e3", "Ba"),
    ("metrics.missing > 0", ""),
    ("params.lr = '0.1'", "ca"),
    ('params.lr = "0.1"', "ca"),
    ("params.lr != '0.1'", "B"),
    ("params.lr LIKE '0.0%'", "B"),
    ("params.lr IS NULL", "d"),
    ("params.lr IS NOT NULL", "cBa"),
    ("tags.team = 'x'", "a"),
    ("tags.team = 'it''s'", "d"),
    ("tags.team LIKE 'X'", ""),
    ("tags.team ILIKE 'X'", "a"),
    ("tags.team is null", "c"),
    ("attributes.status = 'FINISHED'", "da"),
    ("status IN ('FAILED', 'RUNNING')", "cB"),
    ("attributes.run_name = 'B'", "B"),
    ("run_name LIKE 'b'", ""),
    ("run_name ILIKE 'b'", "B"),
    ("tags.mlflow.runName = 'a'", "a"),
    ("tags.`mlflow.runName` != 'a'", "dcB"),
    ("attributes.user_id = 'operator-person'", "dcBa"),
    (f"attributes.start_time >= {START + 2000}", "dc"),
    (f"start_time < {START + 1000} and params.lr = '0.1'", "a"),
    ("metrics.`val acc` > 0.1 AND tags.team = 'y' AND status = 'FAILED'", "B"),
    ("params.lr LIKE '[0]%'", ""),
    ("params.lr LIKE '*'", ""),
    ("tags.team LIKE '_'", "Ba"),
]


def test_each_filter_finds_what_mlflow_would_find(filled: Tracking) -> None:
    found = {text: "".join(filled.names(experiment_ids=["0"], filter=text)) for text, _ in FILTERS}
    assert found == dict(FILTERS)


ORDERS = [
    ([], "dcBa"),
    (["start_time ASC"], "aBcd"),
    (["metrics.`val acc` DESC"], "aBcd"),
    (["metrics.`val acc`"], "Bacd"),
    (["params.lr ASC", "start_time ASC"], "Bacd"),
    (["params.lr DESC", "attributes.start_time DESC"], "caBd"),
    (["tags.team DESC"], "Badc"),
    (["attributes.status", "run_name"], "Badc"),
]


def paged(api: Tracking, order: list[str]) -> str:
    names, token = "", None
    for _ in range(10):
        more = {"page_token": token} if token else {}
        answer = api.post("runs/search", experiment_ids=["0"], order_by=order, max_results=1, **more).json
        names += "".join(run["info"]["run_name"] for run in answer["runs"])
        token = answer.get("next_page_token")
        if token is None:
            break
    return names


def test_an_order_of_several_columns_is_kept_over_pages(filled: Tracking) -> None:
    assert [(order, paged(filled, order)) for order, _ in ORDERS] == ORDERS


def test_runs_that_begin_while_somebody_pages_shift_nothing(api: Tracking) -> None:
    wanted = [api.run(run_name=f"r{place}", start_time=START + place) for place in range(9)]
    seen: list[str] = []
    token = None
    while True:
        more = {"page_token": token} if token else {}
        answer = api.post("runs/search", experiment_ids=["0"], max_results=2, **more).json
        seen += [run["info"]["run_id"] for run in answer["runs"]]
        token = answer.get("next_page_token")
        if token is None:
            break
        api.run(run_name="late", start_time=START + 1_000_000)
    assert seen == wanted[::-1]


def test_a_token_of_another_search_is_refused(light: Tracking) -> None:
    for _ in range(3):
        light.run()
    token = light.post("runs/search", experiment_ids=["0"], max_results=1).json["next_page_token"]
    bad = [token[:-2] + "xx", "x", "", 5, "é", "A" * 60_000, token + "A" * 8]
    for given in bad[:2] + bad[3:]:
        answer = light.post("runs/search", experiment_ids=["0"], max_results=1, page_token=given)
        assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), given
    other = light.post("runs/search", experiment_ids=["0"], filter="status = 'RUNNING'", page_token=token)
    assert other.status_code == 400


def test_a_page_costs_as_many_statements_however_long_it_is(
    light: Tracking, sqlite: Engine, count_queries: Callable[..., int]
) -> None:
    def ask() -> None:
        assert light.post("runs/search", experiment_ids=["0"], order_by=["metrics.f1 DESC"]).status_code == 200

    def more() -> None:
        run = light.run(tags=[{"key": "a", "value": "b"}])
        light.log(run, "f1", (0, 1.0))
        light.post("runs/log-parameter", run_id=run, key="lr", value="1")

    more()
    more()
    few = count_queries(sqlite, ask)
    for _ in range(8):
        more()
    assert count_queries(sqlite, ask) == few


def test_a_page_of_long_texts_is_cut_where_it_becomes_too_large(
    light: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.tracking import reading

    monkeypatch.setattr(reading, "MOST_BYTES", 20_000)
    for n in range(5):
        light.run(run_name=f"r{n}", start_time=START + n, tags=[{"key": "long", "value": "x" * 8000}])
    names: list[str] = []
    sizes, token = [], None
    while True:
        answer = light.post("runs/search", experiment_ids=["0"], **({"page_token": token} if token else {})).json
        names += [run["info"]["run_name"] for run in answer["runs"]]
        sizes.append(len(answer["runs"]))
        token = answer.get("next_page_token")
        if token is None:
            break
    assert (names, max(sizes)) == (["r4", "r3", "r2", "r1", "r0"], 2)


def test_only_the_groups_that_are_named_are_searched(light: Tracking) -> None:
    first, second = light.group("first"), light.group("second")
    light.run(first, run_name="1")
    light.run(second, run_name="2")
    light.run(run_name="0")
    assert light.names(experiment_ids=[first]) == ["1"]
    assert sorted(light.names(experiment_ids=[first, second, "0", "12345"])) == ["0", "1", "2"]
    assert light.names(experiment_ids=[]) == []


def test_a_run_is_found_by_its_id(light: Tracking) -> None:
    runs = [light.run(run_name=name) for name in "ab"]
    number = experiments.completed("trained here", 2)
    assert light.names(experiment_ids=["0"], filter=f"attributes.run_id = '{runs[0]}'") == ["a"]
    assert light.names(experiment_ids=["0"], filter=f"run_id IN ('{runs[1]}', 'x')") == ["b"]
    assert light.names(experiment_ids=["0"], filter=f"run_id = '{number:032x}'") == ["trained here"]
    assert "a" not in light.names(experiment_ids=["0"], filter=f"run_id != '{runs[0]}'")


@pytest.mark.parametrize(
    "text",
    [
        "metrics",
        "metrics.a",
        "metrics.a >",
        "metrics.a > 'x'",
        "metrics.a LIKE 1",
        "params.a = 1",
        "params.a > '1'",
        "params.a = b",
        "x.y = 'z'",
        "attributes.nothing = 'x'",
        "a = 1 OR b = 2",
        "params.a = 'x' OR params.b = 'y'",
        "params.a = 'x' params.b = 'y'",
        "params.a = 'x' AND",
        "AND params.a = 'x'",
        "(params.a = 'x')",
        "params.a = 'x'; DROP TABLE experiments",
        "params.a = 'x' -- ",
        "status IN ()",
        "status IN ('a'",
        "status IN ('a',)",
        "start_time = 'x'",
        "start_time > 1e300",
        "run_id LIKE 'a'",
        "params.a = '\x00'",
        "params.a LIKE '\x1f'",
        "é = 'x'",
        " AND ".join(["params.a = 'x'"] * 51),
        "params.a = '" + "x" * 10_000 + "'",
        5,
        ["x"],
        {},
    ],
    ids=lambda text: str(text)[:40],
)
def test_what_is_no_filter_is_refused(light: Tracking, text: Any) -> None:
    answer = light.post("runs/search", experiment_ids=["0"], filter=text)
    assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    "body",
    [
        {"order_by": "start_time"},
        {"order_by": ["start_time UP"]},
        {"order_by": ["start_time DESC, run_name"]},
        {"order_by": ["nothing"]},
        {"order_by": ["start_time", "start_time DESC"]},
        {"order_by": ["dataset.name"]},
        {"order_by": [""]},
        {"order_by": [5]},
        {"order_by": ["params.a"] * 11},
        {"max_results": 0},
        {"max_results": 50_001},
        {"max_results": "x"},
        {"run_view_type": "SOME"},
        {"run_view_type": 9},
        {"run_view_type": []},
        {"experiment_ids": ["x"]},
        {"experiment_ids": [[]]},
        {"experiment_ids": ["1"] * 1001},
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused(light: Tracking, body: dict[str, Any]) -> None:
    answer = light.post("runs/search", **({"experiment_ids": ["0"]} | body))
    assert answer.status_code in {400, 404}
    assert answer.json["error_code"] in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}
