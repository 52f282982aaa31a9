"""Requests of files of runs, and what the page of an experiment is told of them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from database.engine import snapshot
from models import Experiment
from tests.support.tracking import Tracking

FILES = "/api/2.0/mlflow-artifacts/artifacts"


class Body:
    """Bytes that are made while they are read."""

    def __init__(self, size: int, during: Callable[[int], None]) -> None:
        self.size, self.sent, self.during = size, 0, during

    def read(self, most: int) -> bytes:
        """The next of them."""
        self.during(self.sent)
        size = min(most, self.size - self.sent)
        self.sent += size
        return b"x" * size

    def tell(self) -> int:
        """How far it was read."""
        return self.sent

    def seek(self, *_: int) -> None:
        """The client of the tests looks how long a body is, and goes back to the beginning."""

    def close(self) -> None:
        """Nothing is open."""


def put(api: Tracking, run: str, path: str, data: bytes = b"x") -> Any:
    """Send a file."""
    return api.client.put(f"{FILES}/0/{run}/artifacts/{path}", data=data, headers=api.headers)


def send(api: Tracking, run: str, size: int, during: Callable[[int], None]) -> Any:
    """Send a file “a” of so many bytes; `during` is told how many were sent before each further piece."""
    return api.client.put(
        f"{FILES}/0/{run}/artifacts/a",
        input_stream=Body(size, during),
        headers=api.headers,
        environ_overrides={"CONTENT_LENGTH": str(size)},
    )


def fetch(api: Tracking, run: str, path: str) -> Any:
    """Ask for a file."""
    return api.client.get(f"{FILES}/0/{run}/artifacts/{path}", headers=api.headers)


def listed(api: Tracking, run: str, path: str = "") -> list[tuple[str, bool]]:
    """What lies below a path of a run, and whether each is a folder."""
    files = api.get("artifacts/list", run_id=run, path=path).json["files"]
    return [(one["path"], one["is_dir"]) for one in files]


def noted(run: str) -> list[str] | None:
    """What the page of the experiment names."""
    with snapshot() as session:
        return session.scalar(select(Experiment.artifact_paths).where(Experiment.source_id == run))
