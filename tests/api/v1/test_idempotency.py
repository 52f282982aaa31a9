"""A request that is sent again under its word is done once and answered alike (D8)."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import Experiment, IdempotencyKey
from services import retention, vault
from services.idempotency import KEPT
from tests.support.rest import Rest

KEY = {"Idempotency_Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


def experiments() -> int:
    with snapshot() as session:
        return session.scalar(select(func.count()).select_from(Experiment)) or 0


def test_the_same_again_gets_the_same_answer_and_is_done_once(api: Rest) -> None:
    first = api.post("/experiments", {"name": "a", "notes": "b"}, **KEY)
    again = api.raw(
        "/experiments", b'{"notes": "b",  "name": "a"}', **{"Idempotency-Key": f'"{KEY["Idempotency_Key"]}"'}
    )
    assert (again.status_code, again.data) == (201, first.data)
    assert [again.headers[name] for name in ("Location", "ETag")] == [first.headers[n] for n in ("Location", "ETag")]
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert experiments() == 1


def test_another_body_under_the_same_word_is_refused(api: Rest) -> None:
    api.post("/experiments", {"name": "a"}, **KEY)
    answer = api.post("/experiments", {"name": "b"}, **KEY)
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert experiments() == 1


def test_the_word_belongs_to_its_owner_and_the_address(dash_app: Any, database: Engine) -> None:
    one, other = Rest(dash_app.server), Rest(dash_app.server, name="other")
    numbers = [one.post("/experiments", {"name": "a"}, **KEY).json["id"] for _ in range(2)]
    assert numbers[0] == numbers[1] != other.post("/experiments", {"name": "a"}, **KEY).json["id"]
    assert one.post(f"/experiments/{numbers[0]}/cancel", **KEY).json["status"] == "cancelled"


def test_what_was_refused_can_be_sent_again(api: Rest) -> None:
    number = api.experiment()
    api.ask("DELETE", f"/experiments/{number}")
    body = {"points": [{"metric": "a", "step": 1, "value": 1}]}
    assert api.post(f"/experiments/{number}/metrics", body, **KEY).status_code == 409
    api.post(f"/experiments/{number}/restore")
    assert api.post(f"/experiments/{number}/metrics", body, **KEY).json["stored"] == 1


def test_of_many_at_once_one_is_done_and_all_are_answered_alike(dash_app: Any, database: Engine) -> None:
    rest, answers = Rest(dash_app.server), []
    begin = threading.Barrier(12)

    def send() -> None:
        client = dash_app.server.test_client()
        headers = rest.headers | {"Idempotency-Key": "once"}
        begin.wait()
        answers.append(client.post("/api/v1/experiments", json={"name": "a"}, headers=headers))

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer.status_code, answer.data) for answer in answers} == {(201, answers[0].data)}
    assert experiments() == 1


@pytest.mark.parametrize("word", ["", "ü", "a b", "x" * 256, '"', "a\x07"])
def test_what_is_no_word_is_refused(lone_api: Rest, word: str) -> None:
    answer = lone_api.post("/experiments", {"name": "a"}, Idempotency_Key=word)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert experiments() == 0


def test_the_answer_lies_encrypted(lone_api: Rest) -> None:
    lone_api.post("/experiments", {"name": "a very private name"}, **KEY)
    with snapshot() as session:
        stored = session.scalars(select(IdempotencyKey.answer)).one()
    assert stored is not None and "private" not in stored
    assert "private" in vault.decrypt("idempotent-answer", stored)


def test_it_is_forgotten_after_two_days(api: Rest) -> None:
    api.post("/experiments", {"name": "a"}, **KEY)
    with transaction() as session:
        assert retention.purge(session, 100) == 0
        session.execute(update(IdempotencyKey).values(created_at=now() - KEPT - timedelta(seconds=1)))
        assert retention.purge(session, 100) == 1
    assert api.post("/experiments", {"name": "another"}, **KEY).status_code == 201
