"""Points a second that are committed before the answer, beside MLflow's and Trackio's own servers and beside a bare
Flask view that commits each request: `python -m benchmarks.ingest`.

Raw HTTP on connections that are kept, each client with a run of its own; what the real client costs stands beside it.
"""

import argparse
import os
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from benchmarks import floors, peers, product, tables
from benchmarks.floor_server import floor_server
from benchmarks.timing import Timing, summed
from database import migrations
from database.engine import build_engine, transaction, use_engine

PREFIX = "/api/2.0/mlflow"
BATCH, SECONDS, CLIENTS = 500, 8.0, (1, 8)
START = 1_700_000_000_000
# How many times what each peer comes to in the same run, and what Trackio 0.43 reached on the machine on which that was
# set, which had two cores as well.
TIMES_MLFLOW = {"log-batch": 12, "log-metric": 7}
TIMES_TRACKIO = {("log-batch", 1): 1, ("log-batch", 8): 1, ("log-metric", 1): 2, ("log-metric", 8): 5}
TRACKIO = {("log-batch", 1): 56_800, ("log-batch", 8): 66_500, ("log-metric", 1): 194, ("log-metric", 8): 194}


@dataclass(frozen=True, slots=True)
class Server:
    """Somebody who takes in points."""

    port: int
    headers: Mapping[str, str]
    speaks: "type[MLflow] | type[Trackio] | type[Bare]"


@dataclass(frozen=True, slots=True)
class Rate:
    """What clients got through."""

    points: float  # a second
    errors: int
    times: Timing
    p99: float  # milliseconds


class Connection:
    """One that is kept; a client of a few lines, so that what is measured is the server."""

    def __init__(self, server: Server) -> None:
        self._port = server.port
        lines = {"Host": f"127.0.0.1:{server.port}", "Content-Type": "application/json", **server.headers}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: object) -> tuple[int, bytes]:
        """Send JSON and wait for the answer; over another connection where the server has closed a resting one."""
        data = orjson.dumps(body)
        first = f"POST {path} HTTP/1.1\r\nContent-Length: {len(data)}\r\n".encode()
        request = first + self._headers + b"\r\n" + data
        try:
            return self._ask(request)
        except ConnectionError:
            self._connect()
            return self._ask(request)

    def _ask(self, request: bytes) -> tuple[int, bytes]:
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(rest) < length:
            rest += self._more()
        return int(head[9:12]), rest

    def _more(self) -> bytes:
        part = self._socket.recv(65_536)
        if not part:
            raise ConnectionError("the server has hung up")
        return part

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class MLflow:
    """Its protocol, which we speak as well."""

    @staticmethod
    def new_run(connection: Connection) -> str:
        """A run in the default experiment."""
        status, answer = connection.post(f"{PREFIX}/runs/create", {"experiment_id": "0", "start_time": START})
        assert status == 200, answer
        return str(orjson.loads(answer)["run"]["info"]["run_id"])

    @staticmethod
    def call(kind: str, run_id: str, steps: range) -> tuple[str, object]:
        """The address and the body that log a loss at these steps."""
        points = [
            {"key": "loss", "value": 1 / (step + 1), "timestamp": START + 37 * step, "step": step} for step in steps
        ]
        its = points[0] if kind == "log-metric" else {"metrics": points}
        return f"{PREFIX}/runs/{kind}", {"run_id": run_id, **its}


class Trackio:
    """The one call that its client makes for whatever is logged; each entry has a name, under which it is kept once."""

    @staticmethod
    def new_run(connection: Connection) -> str:
        """A name; the run is made with its first entry."""
        return secrets.token_hex(16)

    @staticmethod
    def call(kind: str, run_id: str, steps: range) -> tuple[str, object]:
        """The address and the body that log a loss at these steps."""
        its = {"project": "bench", "run": run_id, "run_id": run_id, "config": None}
        logs = [
            {**its, "metrics": {"loss": 1 / (step + 1)}, "step": step, "log_id": f"{run_id}-{step}"} for step in steps
        ]
        return "/api/bulk_log", {"logs": logs, "hf_token": None}


class Bare:
    """A bare Flask view with a commit for each request: no key, no limit, no record, a plain row for each point."""

    @staticmethod
    def new_run(connection: Connection) -> str:
        """A name."""
        return secrets.token_hex(16)

    @staticmethod
    def call(kind: str, run_id: str, steps: range) -> tuple[str, object]:
        """The address and the body that log a loss at these steps."""
        return "/points", {"points": [{"run": run_id, "step": step, "value": 1 / (step + 1)} for step in steps]}


POINTS = {"log-batch": BATCH, "log-metric": 1}


def measure(server: Server, kind: str, clients: int, seconds: float = SECONDS) -> Rate:
    """Let clients log, each as fast as it is answered."""
    points = POINTS[kind]
    taken: list[float] = []
    failed = 0
    lock, ready = threading.Lock(), threading.Barrier(clients)

    def client() -> None:
        nonlocal failed
        mine, errors = [], 0
        connection = Connection(server)
        run_id = server.speaks.new_run(connection)

        def log(number: int) -> bool:
            steps = range(number * points, (number + 1) * points)
            return connection.post(*server.speaks.call(kind, run_id, steps))[0] == 200

        for number in range(3):
            log(number)
        ready.wait()
        ends, number = time.perf_counter() + seconds, 3
        while (began := time.perf_counter()) < ends:
            errors += not log(number)
            mine.append((time.perf_counter() - began) * 1000)
            number += 1
        connection.close()
        with lock:
            taken.extend(mine)
            failed += errors

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Rate(len(taken) * points / seconds, failed, summed(taken), float(np.quantile(taken, 0.99)))


@contextmanager
def ours() -> Iterator[tuple[Server, product.Product]]:
    """The product with its own command, and a key of an operator."""
    with product.data_folder() as folder:
        engine = build_engine(os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'pfd.sqlite3'}")
        use_engine(engine)
        migrations.upgrade()
        with product.running(folder) as running:
            yield Server(running.port, {"Authorization": f"Bearer {_key()}"}, MLflow), running
        if engine.dialect.name == "postgresql":
            migrations.downgrade("base")
        use_engine(None)


def _key() -> str:
    from sqlalchemy import select

    from models import User
    from services.actor import actor_of
    from services.api_keys import keys

    with transaction() as session:
        user = session.scalars(select(User).where(User.username == product.USER)).one()
        scopes = ["view_experiments", "create_experiments", "run_experiments"]
        return keys.create(session, actor_of(user), name="bench", scopes=scopes, rate_limit=1_000_000)


def rows(server: Server, mlflow: Server | None, trackio: Server | None) -> list[tables.Row]:
    """Each kind of call with one client and with eight, ours and the peers' in turn."""
    made = []
    for kind, points in POINTS.items():
        for clients in CLIENTS:
            mine = measure(server, kind, clients)
            told, times = [], []
            for name, peer in (("MLflow", mlflow), ("Trackio", trackio)):
                its = peer and measure(peer, kind, clients)
                told.append(f"{name} {its.points:,.0f}/s, {its.times.median:,.1f} ms" if its else f"no {name} here")
                times.append(f"{mine.points / its.points:.1f} ×" if its else "–")
            what = f"{kind}{f' of {points}' if points > 1 else ''}, {clients} client{'s' * (clients > 1)}"
            wanted = TIMES_TRACKIO[kind, clients]
            made.append(
                (
                    what,
                    f"{mine.points:,.0f} points/s, {mine.times.median:,.1f} ms, {mine.errors} errors",
                    " · ".join(told),
                    " · ".join(times),
                    f"≥ {TIMES_MLFLOW[kind]} × · {wanted} × (there {wanted * TRACKIO[kind, clients]:,}/s)",
                )
            )
    return made


def bare_rows(server: Server) -> list[tables.Row]:
    """Single points beside the least that a server of ours could do."""
    made = []
    with tempfile.TemporaryDirectory(prefix="pfd-bench-bare-") as folder:
        file = Path(folder, "bare.sqlite3")
        file.touch()
        url = os.environ.get("DATABASE_URL") or f"sqlite:///{file}"
        with floor_server("ingest", url) as port:
            for clients in CLIENTS:
                mine, floor = (measure(one, "log-metric", clients) for one in (server, Server(port, {}, Bare)))
                made.append(
                    (
                        f"log-metric beside bare Flask and a commit, {clients} client{'s' * (clients > 1)}",
                        f"{mine.points:,.0f} points/s, p99 {mine.p99:,.1f} ms, {mine.errors} errors",
                        f"{floor.points:,.0f}/s, p99 {floor.p99:,.1f} ms, {floor.errors} errors",
                        f"{mine.points / floor.points:.2f} ×, p99 {mine.p99 / floor.p99:.1f} ×",
                        "≥ 0.5 ×, p99 ≤ 3 ×",
                    )
                )
        floors.forget_points(url)
    return made


def client_rows(server: Server) -> list[tables.Row]:
    """The same calls through the real client, beside the bare request."""
    os.environ["MLFLOW_TRACKING_TOKEN"] = server.headers["Authorization"].removeprefix("Bearer ")
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient(f"http://127.0.0.1:{server.port}")
    run_id = client.create_run("0").info.run_id

    def log_metric(number: int) -> None:
        client.log_metric(run_id, "loss", 1 / (number + 1), timestamp=START + number, step=number)

    def log_batch(number: int) -> None:
        steps = range(number * BATCH, (number + 1) * BATCH)
        client.log_batch(run_id, [Metric("acc", 1 / (step + 1), START + step, step) for step in steps])

    made = []
    for kind, call in (("log-batch", log_batch), ("log-metric", log_metric)):
        taken = []
        for number in range(60):
            began = time.perf_counter()
            call(number)
            taken.append((time.perf_counter() - began) * 1000)
        real, bare = summed(taken[10:]), measure(server, kind, 1, 2.0).times
        made.append(
            (f"{kind} through mlflow-skinny, 1 client", str(real), str(bare), f"{real.median / bare.median:.2f} ×", "")
        )
    return made


def main() -> None:
    """Measure on the database of DATABASE_URL, or on SQLite."""
    token = secrets.token_hex(16)
    with ours() as (server, _), peers.mlflow_server() as mlflow, peers.trackio_server(token) as trackio:
        made = rows(
            server,
            None if mlflow is None else Server(mlflow, {}, MLflow),
            None if trackio is None else Server(trackio, {"X-Trackio-Write-Token": token}, Trackio),
        )
        tables.show("Ingest", made + bare_rows(server) + client_rows(server))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
