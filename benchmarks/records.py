"""What the record of a request and its limit cost, in per cent of a request: `python -m benchmarks.records`."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

ROUNDS, EACH = 60, 40


def main() -> None:
    """Ask with and without, in turns, and print the middle of each."""
    os.environ.setdefault("PFD_DATA_DIR", tempfile.mkdtemp(prefix="pfd-bench-"))
    os.environ["PFD_API_ANONYMOUS_LIMIT"] = os.environ["PFD_API_RATE_LIMIT_MAX"] = "1000000000"
    from flask import Blueprint

    from api.v1 import about
    from cli.database import prepare
    from web.guard import public
    from web.server import create_server

    prepare()
    server = create_server()
    server.register_blueprint(about.blueprint)
    blueprint = Blueprint("bench", __name__)
    blueprint.get("/api/bench/nothing")(public(lambda: ""))
    server.register_blueprint(blueprint)
    client, headers = server.test_client(), {"Authorization": f"Bearer {_key()}"}
    for path in ("/api/v1/me", "/api/bench/nothing"):
        ask = partial(client.get, path, headers=headers)
        print(path)
        _compare("the record", ask, "web.api_record._append", "web.api_record._record")
        _compare("the limit", ask, "web.bearer.api_limits.count")


def _key() -> str:
    from sqlalchemy import select

    from database.engine import transaction
    from models import User
    from models.permissions import Role
    from services.actor import actor_of
    from services.api_keys import keys

    with transaction() as session:
        user = session.scalar(select(User).where(User.username == "bench"))
        if user is None:
            user = User(username="bench", email="b@example.org", role=Role.OPERATOR.value, password_hash="x")
            session.add(user)
            session.flush()
        return keys.create(session, actor_of(user), name="b", scopes=["view_experiments"], rate_limit=1_000_000_000)


def _compare(what: str, ask: Callable[[], Any], *names: str) -> None:
    off = [mock.patch(name, _nothing) for name in names]
    whole, without = [], []
    for _ in range(ROUNDS):
        whole.append(_timed(ask))
        for patch in off:
            patch.start()
        without.append(_timed(ask))
        for patch in off:
            patch.stop()
    ours, floor = statistics.median(whole), statistics.median(without)
    print(f"  {what}: {ours - floor:.0f} µs of {ours:.0f} µs, {100 * (ours - floor) / floor:.1f} % more than without")


def _nothing(*_: Any) -> None:
    """In place of what is measured."""


def _timed(ask: Callable[[], Any]) -> float:
    began = time.perf_counter()
    for _ in range(EACH):
        ask()
    return (time.perf_counter() - began) / EACH * 1e6


if __name__ == "__main__":
    main()
