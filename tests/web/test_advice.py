"""Advice on a password: for everybody, of no consequence, and not to be broken."""

from typing import Any

import pytest
from sqlalchemy import Engine


def test_is_given_to_who_is_not_signed_in(sqlite: Engine, dash_app: Any) -> None:
    answer = dash_app.server.test_client().post("/password-advice", json={"password": "password1234567"})
    assert answer.status_code == 200
    assert answer.get_json()["score"] == 1
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"[]", "application/json"),
        (b'{"password": 7}', "application/json"),
        (b'{"password": "' + b"x" * 4097 + b'"}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"{", "application/json"),
        (b"password=abc", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/json"),
    ],
)
def test_anything_but_a_password_is_refused(sqlite: Engine, dash_app: Any, body: bytes, kind: str) -> None:
    answer = dash_app.server.test_client().post("/password-advice", data=body, content_type=kind)
    assert 400 <= answer.status_code < 500
