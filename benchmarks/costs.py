"""What requests cost of the processor, in the product's processes and in PostgreSQL's: `python -m benchmarks.costs`.

The figure is what all processes of the product have used, the drain of the records included, divided by the requests.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import orjson
import psutil
from sqlalchemy import text

from benchmarks import ingest, product
from benchmarks.scaling import METRICS
from database.engine import engine, snapshot

REQUESTS, WARM_UP, SETTLES = 400, 60, 3.0


Row = tuple[str, str, str, str]


def rows(server: ingest.Server, running: product.Product) -> list[Row]:
    """Each kind of request with what it costs the product and PostgreSQL, and both of them a point."""
    connection = ingest.Connection(server)
    run_id = ingest.MLflow.new_run(connection)
    logged = {kind: partial(_points, kind, run_id) for kind in ingest.POINTS}
    kinds: list[tuple[str, Callable[[int], None], int]] = [
        ("one metric", partial(_post, connection, logged["log-metric"]), 1),
        ("four metrics of an epoch", partial(_post, connection, partial(_epoch, run_id)), len(METRICS)),
        (f"a batch of {ingest.BATCH} points", partial(_post, connection, logged["log-batch"]), ingest.BATCH),
        ("a run read", partial(_read, running, server, run_id), 0),
    ]
    made = []
    for name, ask, points in kinds:
        ours, its = _cost(running, ask)
        each = f"{(ours + its) / points:,.3f} ms" if points else "–"
        made.append((name, f"{ours:.1f} ms", f"{its:.1f} ms" if its else "–", each))
    connection.close()
    return made


def _post(connection: ingest.Connection, call: Callable[[int], tuple[str, object]], number: int) -> None:
    status, answer = connection.post(*call(number))
    assert status == 200, answer


def _points(kind: str, run_id: str, number: int) -> tuple[str, object]:
    its = ingest.POINTS[kind]
    return ingest.MLflow.call(kind, run_id, range(number * its, (number + 1) * its))


def _epoch(run_id: str, number: int) -> tuple[str, object]:
    moment = ingest.START + 1000 * number
    metrics = [
        {"key": f"{key}_of_it", "value": 1 / (number + 1), "timestamp": moment, "step": number} for key in METRICS
    ]
    return f"{ingest.PREFIX}/runs/log-batch", {"run_id": run_id, "metrics": metrics}


def _read(running: product.Product, server: ingest.Server, run_id: str, _number: int) -> None:
    status, answer, _ = running.request("GET", f"{ingest.PREFIX}/runs/get?run_id={run_id}", None, server.headers)
    assert status == 200, orjson.loads(answer)


def _cost(running: product.Product, ask: Callable[[int], None]) -> tuple[float, float]:
    """Milliseconds of a request in the product and in PostgreSQL."""
    for number in range(WARM_UP):
        ask(number)
    time.sleep(SETTLES)
    idle = _used(running)
    time.sleep(SETTLES)
    before = _used(running)
    began = time.perf_counter()
    for number in range(WARM_UP, WARM_UP + REQUESTS):
        ask(number)
    time.sleep(SETTLES)  # until the records of them are rows
    took, after = time.perf_counter() - began, _used(running)
    # What the processes use when nobody asks is theirs and not that of a request.
    resting = [(now - then) / SETTLES * took for now, then in zip(before, idle, strict=True)]
    ours, its = (
        max(0.0, (now - then - rest) * 1000 / REQUESTS) for now, then, rest in zip(after, before, resting, strict=True)
    )
    return ours, its


def _used(running: product.Product) -> tuple[float, float]:
    """Seconds of the processor that the product and PostgreSQL have used so far."""
    its = 0.0
    if engine().dialect.name == "postgresql":
        with snapshot() as session:
            backend = psutil.Process(session.scalar(text("SELECT pg_backend_pid()")))
        its = _seconds(backend.parent() or backend)
    return _seconds(psutil.Process(running.process.pid)), its


def _seconds(parent: psutil.Process) -> float:
    total = 0.0
    for process in [parent, *parent.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def main() -> None:
    """Measure on the database of DATABASE_URL, or on SQLite."""
    with ingest.ours() as (server, running):
        print("| request | product | PostgreSQL | a point |\n| --- | --- | --- | --- |")
        for row in rows(server, running):
            print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
