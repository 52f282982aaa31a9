"""A service that is asked to end under load answers all that it has taken in before it goes (I9)."""

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator

import orjson
import pytest
from sqlalchemy import select

from database.engine import build_engine
from models import MetricKey, MetricSeries
from tests.support import scale
from tests.support.installation import Installation
from tests.support.waiting import wait_until

STOPS = scale.of("STOPS", 1)
CLIENTS, LONGEST = 8, 60
ADMIN = {
    "PFD_ADMIN_USERNAME": "ada",
    "PFD_ADMIN_EMAIL": "ada@example.org",
    "PFD_ADMIN_PASSWORD": "correct horse battery staple",
}


class Client(threading.Thread):
    """Logs a point after the other until nobody takes one any more."""

    def __init__(self, installation: Installation, key: str, number: int, place: int) -> None:
        super().__init__(daemon=True)
        self.port, self.number, self.place = installation.port, number, place
        self.path = f"/api/v1/experiments/{number}/metrics"
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.sent: list[float] = []
        self.answered = 0

    def run(self) -> None:
        """One connection for each, as for programs that log now and then."""
        while True:
            body = {"points": [{"metric": f"m{self.place}", "step": len(self.sent), "value": 1}]}
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST)
            try:
                connection.connect()
            except OSError:
                return
            try:
                connection.request("POST", self.path, orjson.dumps(body), self.headers)
                self.sent.append(time.monotonic())
                answer = connection.getresponse()
                assert (answer.status, orjson.loads(answer.read())["stored"]) == (200, 1)
                self.answered += 1
            except (OSError, http.client.HTTPException):
                return
            finally:
                connection.close()


def ask(installation: Installation, key: str, method: str, path: str, body: object = None) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=LONGEST)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request(method, f"/api/v1{path}", None if body is None else orjson.dumps(body), headers)
    answer = connection.getresponse()
    told: dict[str, object] = orjson.loads(answer.read())
    assert answer.status in {200, 201}, told
    connection.close()
    return told


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, installation: Installation) -> Iterator[Installation]:
    if request.param == "postgresql":
        installation.env["DATABASE_URL"] = request.getfixturevalue("postgresql_url")
    yield installation


def begin(service: Installation, key: str) -> list[Client]:
    """Clients of a new experiment, each of which was answered a few times."""
    number = int(str(ask(service, key, "POST", "/experiments", {"name": "goes on"})["id"]))
    clients = [Client(service, key, number, place) for place in range(CLIENTS)]
    for client in clients:
        client.start()
    wait_until(lambda: min(client.answered for client in clients) >= 3)
    return clients


def stop(service: Installation, clients: list[Client]) -> int:
    """Ask it to end, and say how many requests were on their way then."""
    answered = sum(client.answered for client in clients)
    asked = time.monotonic()
    assert service.supervisor is not None
    os.kill(service.supervisor.pid, signal.SIGTERM)
    for client in clients:
        client.join(LONGEST + 5)
    assert service.supervisor.wait(LONGEST) == 0
    for client in clients:
        assert client.answered >= sum(moment < asked for moment in client.sent)
    return sum(moment < asked for client in clients for moment in client.sent) - answered


def kept(service: Installation, clients: list[Client]) -> list[int]:
    """How many points of each client its database has."""
    engine = build_engine(service.env.get("DATABASE_URL", f"sqlite:///{service.data}/pfd.sqlite3"))
    query = (
        select(MetricKey.name, MetricSeries.points)
        .join(MetricSeries, MetricSeries.key_id == MetricKey.id)
        .where(MetricSeries.experiment_id == clients[0].number)
    )
    with engine.connect() as connection:
        found = dict(connection.execute(query).all())
    engine.dispose()
    return [found[f"m{client.place}"] for client in clients]


@pytest.mark.timeout(540 + 60 * STOPS)
def test_what_was_sent_before_is_answered_and_stored(service: Installation) -> None:
    in_flight, key = 0, ""
    scopes = [word for name in ("view", "create", "run") for word in ("--scope", f"{name}_experiments")]
    for _ in range(STOPS):
        service.serve(**ADMIN)
        key = key or service.run("key", "create", "--user", "ada", *scopes, "--days", "1").stdout.strip()
        clients = begin(service, key)
        in_flight += stop(service, clients)
        for points, client in zip(kept(service, clients), clients, strict=True):
            assert points in (client.answered, client.answered + 1)
    assert in_flight > 0
    print(f"\n{STOPS} stops, {in_flight} requests in flight, all answered; none that was answered is missing")
