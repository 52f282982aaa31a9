"""Programs that speak our own API; each answer they get is held against the document."""

import re
from functools import lru_cache
from typing import Any

import jsonschema_rs
from flask import Flask
from werkzeug.test import TestResponse

import api.v1.blueprints  # noqa: F401 - declares the operations, for tests that walk over them
from database.engine import transaction
from models.permissions import Role
from services.api_keys import keys
from tests.support.people import person
from web.rest.document import document

PREFIX = "/api/v1"


class Rest:
    """Requests with a key that may all that a role's key may, or just these scopes."""

    def __init__(self, server: Flask, *scopes: str, role: Role = Role.OPERATOR, name: str | None = None) -> None:
        self.server = server
        self.actor = person(role, name)
        wanted = list(scopes) or [scope.value for scope in keys.scopes_for(self.actor)]
        with transaction() as session:
            self.token = keys.create(session, self.actor, name="program", scopes=wanted, rate_limit=1_000_000)
        self.client = server.test_client()
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        """A request; its answer is one that the document tells of."""
        answer = self.client.open(f"{PREFIX}{path}", method=method, headers=self.headers | (headers or {}), **more)
        check(method, f"{PREFIX}{path}", answer)
        return answer

    def get(self, path: str, **args: Any) -> TestResponse:
        """Something is read."""
        return self.ask("GET", path, query_string=args)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Something is made."""
        return self.ask(
            "POST", path, json=body, headers={name.replace("_", "-"): said for name, said in headers.items()}
        )

    def raw(self, path: str, data: bytes, content_type: str = "application/json", **headers: str) -> TestResponse:
        """A body as it is."""
        return self.ask("POST", path, data=data, content_type=content_type, headers=headers)

    def experiment(self, name: str = "run", **more: Any) -> int:
        """The number of a new experiment."""
        answer = self.post("/experiments", {"name": name, **more})
        assert answer.status_code == 201, answer.text
        return int(answer.json["id"])

    def log(self, number: int, metric: str, *points: tuple[int, Any], **more: Any) -> TestResponse:
        """Points of one metric."""
        rows = [{"metric": metric, "step": step, "value": value, **more} for step, value in points]
        return self.post(f"/experiments/{number}/metrics", {"points": rows})


@lru_cache(maxsize=1)
def _routes() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [
        (re.compile(re.sub(r"\{metric\}", "(.+)", address).replace("{", "(?P<").replace("}", ">[^/]+)")), methods)
        for address, methods in document()["paths"].items()
    ]


@lru_cache(maxsize=200)
def _validator(reference: str) -> Any:
    whole = {"$ref": reference, "components": document()["components"]}
    return jsonschema_rs.validator_for(whole)


def check(method: str, path: str, answer: TestResponse) -> None:
    """Fail unless the document tells of this answer: its status, its type, its form."""
    if method in {"HEAD", "OPTIONS", "TRACE"} or answer.status_code in {404, 405}:
        return
    known = next((methods for route, methods in _routes() if route.fullmatch(path.split("?")[0])), None)
    assert known is not None, path
    told = known[method.lower()]["responses"]
    assert str(answer.status_code) in told, (method, path, answer.status_code, answer.text)
    if answer.status_code == 204:
        assert answer.data == b""
        return
    content = told[str(answer.status_code)]["content"]
    assert answer.mimetype in content, (method, path, answer.mimetype)
    if answer.is_json:
        _validator(content[answer.mimetype]["schema"]["$ref"]).validate(answer.json)
