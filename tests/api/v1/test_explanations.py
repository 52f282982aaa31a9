"""Explanations through our own API: kept by programs, read by who sees the experiment, removed by its owner."""

from typing import Any

import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot
from models import Explanation, SystemLog
from models.permissions import Role
from tests.support.rest import Rest

SHAP = {"signal_id": "s1", "method": "shap", "explanation_data": {"values": [0.5, -0.25]}}


def explained(api: Rest, number: int, **more: Any) -> Any:
    answer = api.post("/explanations", {"experiment_id": number, **SHAP, **more})
    assert answer.status_code == 201, answer.text
    return answer


def test_one_that_is_kept_is_found_by_what_it_explains(api: Rest) -> None:
    number = api.experiment()
    made = explained(api, number)
    explained(api, number, method="lime")
    (row,) = api.get("/explanations", experiment_id=number, method="shap").json["items"]
    assert row == made.json
    assert made.headers["Location"] == f"/api/v1/explanations/{row['id']}"
    assert api.get(f"/explanations/{row['id']}").json == row
    assert {name: row[name] for name in SHAP} == SHAP


def test_those_of_deleted_experiments_are_not_seen(api: Rest) -> None:
    number = api.experiment()
    one = explained(api, number).json["id"]
    api.ask("DELETE", f"/experiments/{number}")
    assert api.get("/explanations").json["items"] == []
    assert api.get(f"/explanations/{one}").status_code == 404


def test_none_is_kept_of_what_is_not_there(lone_api: Rest) -> None:
    gone = lone_api.experiment()
    lone_api.ask("DELETE", f"/experiments/{gone}")
    for number in (gone, 2**31 - 1):
        answer = lone_api.post("/explanations", {"experiment_id": number, **SHAP})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "experiment_id")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("signal_id", ""), ("method", "x" * 51), ("method", "a\nb"), ("explanation_data", [1]), ("experiment_id", 0)],
)
def test_what_cannot_be_kept_is_told_at_its_field(lone_api: Rest, field: str, wrong: Any) -> None:
    answer = lone_api.post("/explanations", {"experiment_id": 1, **SHAP, field: wrong})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)


def test_the_owner_of_the_experiment_and_admins_remove_it_and_nobody_else(dash_app: Any, database: Engine) -> None:
    author = Rest(dash_app.server)
    mine, second = (explained(author, author.experiment()).json["id"] for _ in range(2))
    assert Rest(dash_app.server, name="other").ask("DELETE", f"/explanations/{mine}").status_code == 403
    assert author.ask("DELETE", f"/explanations/{mine}").status_code == 204
    assert Rest(dash_app.server, role=Role.ADMIN).ask("DELETE", f"/explanations/{second}").status_code == 204
    assert author.ask("DELETE", f"/explanations/{second}").status_code == 404
    with snapshot() as session:
        assert session.scalars(select(Explanation.id)).all() == []
        actions = session.scalars(select(SystemLog.action).where(SystemLog.action.startswith("explanation."))).all()
    assert sorted(actions) == ["explanation.create"] * 2 + ["explanation.delete"] * 2


def test_the_same_request_again_keeps_one(lone_api: Rest) -> None:
    body = {"experiment_id": lone_api.experiment(), **SHAP}
    told = [lone_api.post("/explanations", body, Idempotency_Key="once").json["id"] for _ in range(2)]
    assert told[0] == told[1]
    assert len(lone_api.get("/explanations").json["items"]) == 1
