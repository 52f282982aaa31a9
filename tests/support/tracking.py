"""Keys for tracking clients, and requests as they send them."""

from typing import Any

import orjson
from flask import Flask

from database.engine import transaction
from models.permissions import Permission, Role
from services.api_keys import keys
from tests.support.people import person

LOGGING = ("view_experiments", "create_experiments", "run_experiments", "stop_experiments", "delete_own_experiments")
PREFIX = "/api/2.0/mlflow"


def key(*scopes: Permission | str, role: Role = Role.OPERATOR, name: str | None = None) -> str:
    """A key that may do what a training script does, or just these scopes."""
    with transaction() as session:
        wanted = [str(scope) for scope in scopes] or list(LOGGING)
        return keys.create(session, person(role, name), name="script", scopes=wanted, rate_limit=1_000_000)


class Tracking:
    """Raw requests of a tracking client."""

    def __init__(self, server: Flask, token: str) -> None:
        self.client = server.test_client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def post(self, route: str, **body: Any) -> Any:
        return self.client.post(f"{PREFIX}/{route}", json=body, headers=self.headers)

    def raw(self, path: str, data: bytes, content_type: str = "application/json") -> Any:
        return self.client.post(f"{PREFIX}/{path}", data=data, content_type=content_type, headers=self.headers)

    def get(self, route: str, **args: Any) -> Any:
        return self.client.get(f"{PREFIX}/{route}", query_string=args, headers=self.headers)

    def group(self, name: str = "group") -> str:
        """A new group's id."""
        return str(self.post("experiments/create", name=name).json["experiment_id"])

    def run(self, group: str = "0", **body: Any) -> str:
        """A new run's id."""
        answer = self.post("runs/create", experiment_id=group, **body)
        assert answer.status_code == 200, answer.text
        return str(answer.json["run"]["info"]["run_id"])

    def log(self, run_id: str, key: str, *points: tuple[int, float], time: int = 1_700_000_000_000) -> Any:
        """Points of one metric, in one batch."""
        metrics = [{"key": key, "value": value, "timestamp": time + step, "step": step} for step, value in points]
        return self.raw("runs/log-batch", orjson.dumps({"run_id": run_id, "metrics": metrics}))

    def names(self, **search: Any) -> list[str]:
        """The names of the runs that a search finds."""
        answer = self.post("runs/search", **search)
        assert answer.status_code == 200, answer.text
        return [run["info"]["run_name"] for run in answer.json["runs"]]
