"""Print every figure of the product beside its floor, measured in the same run.

`python -m benchmarks` uses SQLite; with DATABASE_URL it uses that PostgreSQL database, which must be empty.
`--quick` leaves out the 100,000 experiments, the crowd and the browser.
"""

import argparse
import os
import platform
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks import crowd, floors, ingest, load, painting, peers, product, store
from benchmarks.floor_server import floor_server, get
from benchmarks.tables import Row, show
from benchmarks.timing import Timing, in_turn
from database import migrations
from database.engine import build_engine, use_engine

LISTED, WITH_CURVES = 100_000, 2_000
SETTLES = 15  # seconds until the worker has swept once, and so loaded what it needs
WARM_UP = 60  # until every thread of both processes has its connection and its prepared statements
BATCH_SIZE_64 = {"param:batch_size": {"filterType": "number", "type": "equals", "filter": 64}}


def list_body(running: product.Product, filters: dict[str, Any]) -> bytes:
    """What the grid sends for its first block, sorted by the best validation accuracy."""
    request = {
        "startRow": 0,
        "endRow": 100,
        "filterModel": filters,
        "sortModel": [{"colId": "metric:max:val_accuracy", "sort": "desc"}],
    }
    values = {
        "experiments-asked.data": request,
        "experiments-status.value": "all",
        "experiments-search.value": "",
        "experiments-columns.data": ["metric:max:val_accuracy"],
    }
    return running.body("experiments-answer.data", values, "experiments-asked.data")


def ratio_row(work: str, ours: Timing, floor: Timing, ratio: float, reach: str) -> Row:
    """A row of the table."""
    return work, str(ours), str(floor), f"{ratio:.2f} ×", reach


def server_rows(running: product.Product, engine: Any, url: str, label: str) -> list[Row]:
    """The list over HTTP, beside plain SQL with JSON in this process, and beside a bare Flask view of that."""
    body = list_body(running, BATCH_SIZE_64)
    work = f"100 of {label} filtered by a param, sorted by a metric"
    plain = in_turn(lambda: running.dispatch(body), lambda: floors.listed(engine, floors.FILTERED_SQL), 60, WARM_UP)
    with floor_server("flask", url) as port:
        served = in_turn(lambda: running.dispatch(body), lambda: get_filtered(port), 40, WARM_UP)
    return [
        ratio_row(work, *plain, "≤ 3 × plain SQL + JSON"),
        ratio_row("the same beside a bare Flask view of that SQL", *served, ""),
    ]


def get_filtered(port: int) -> None:
    """Ask the bare Flask view for the filtered list."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/filtered")
        connection.getresponse().read()
    finally:
        connection.close()


def curve_rows(running: product.Product, engine: Any, long_ids: list[int]) -> list[Row]:
    """Curves over HTTP, beside the plain reading of them in this process."""
    rows = []
    fifty = comparison_body(running, list(range(1, 51)), "role:val_loss")
    ours, floor, ratio = in_turn(lambda: running.dispatch(fifty), lambda: floors.curves_from_rows(engine), 25)
    rows.append(ratio_row("50 curves × 100 epochs (compare page)", ours, floor, ratio, "≤ 3 × rows"))
    twenty = comparison_body(running, long_ids, "role:train_loss")
    for body in (fifty, twenty):
        assert b'"figure"' in running.dispatch(body), "nothing was drawn"
    ours, floor, ratio = in_turn(
        lambda: running.dispatch(twenty), lambda: floors.long_curves_packed(engine, long_ids), 25
    )
    rows.append(ratio_row("20 curves × 100,000 steps, down-sampled", ours, floor, ratio, "≤ 3 × packed"))
    return rows


def comparison_body(running: product.Product, ids: list[int], panel: str) -> bytes:
    """What the compare page sends when a panel comes on screen."""
    values = {
        "compare-visible.data": [panel],
        "compare-shown.data": [panel],
        "compare-ids.data": ids,
        "compare-smoothing.value": 0,
        "compare-axis.value": "step",
        "compare-drawn.data": {},
    }
    return running.body("compare-drawn.data...compare-address", values, "compare-visible.data")


def crowd_rows(running: product.Product, url: str) -> list[Row]:
    """Fifty clients on the sorted list."""
    body = list_body(running, {})

    def ask() -> bool:
        status, _, _ = running.request("POST", "/_dash-update-component", body, {"Content-Type": "application/json"})
        return status == 200

    with floor_server("flask", url) as port:
        ours, floor = crowd.in_turn(ask, lambda: get(port))
    return [
        (
            "50 clients asking for the sorted list for 20 s",
            f"{ours.per_second:,.0f}/s, {ours.times.median:,.0f} ms, {ours.errors} errors",
            f"{floor.per_second:,.0f}/s, {floor.times.median:,.0f} ms",
            f"{ours.per_second / floor.per_second:.2f} of it",
            "≥ 0.5, 0 errors",
        )
    ]


def page_rows(running: product.Product) -> list[Row]:
    """Pages painted in Chromium, beside a bare Dash page."""
    base = f"http://127.0.0.1:{running.port}"
    with floor_server("dash") as port, painting.browser() as context:
        name, value = running.cookie.split("=", 1)
        context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])
        floor, listed, compared = painting.in_turn(
            context,
            [
                (f"http://127.0.0.1:{port}/", painting.BARE_READY),
                (f"{base}/experiments", painting.GRID_READY),
                (f"{base}/compare?ids={','.join(map(str, range(1, 51)))}", painting.CURVES_READY),
            ],
        )
    with peers.tensorboard(painting.TENSORBOARD_RUNS) as address, painting.browser() as context:
        (peer,) = painting.in_turn(context, [(address, painting.TENSORBOARD_READY)])
    return [
        ("list page painted, reload", f"{listed:,.0f} ms", f"{floor:,.0f} ms", f"{listed / floor:.2f} ×", "≤ 1.25 ×"),
        (
            "compare page of 50 painted, reload",
            f"{compared:,.0f} ms",
            f"{floor:,.0f} ms",
            f"{compared / floor:.2f} ×",
            "≤ 1.25 ×",
        ),
        (
            f"the same beside TensorBoard with {painting.TENSORBOARD_RUNS} runs",
            f"{compared:,.0f} ms",
            f"TensorBoard {peer:,.0f} ms",
            f"{compared / peer:.2f} of it",
            "≤ 1",
        ),
    ]


def store_rows(engine: Any, long_ids: list[int]) -> list[Row]:
    """The store of series."""
    return [
        ("bytes a point, series of 100", f"{store.bytes_per_point(engine, 50, 100):.1f}", "", "", "≤ 40"),
        ("bytes a point, series of 100,000", f"{store.bytes_per_point(engine, 4, 100_000):.1f}", "", "", "≤ 16"),
        ("append one point, committed", str(store.append_one(engine)), "", "", ""),
        ("append 100,000 points, committed", str(store.append_many(engine)), "", "", ""),
        ("read 20 series × 100,000 points", str(store.read_long(engine, long_ids)), "", "", ""),
    ]


def machine() -> str:
    """What this ran on."""
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def database_url(folder: Path) -> str:
    """The database that the product will use in this folder."""
    given = os.environ.get("DATABASE_URL", "")
    return given or f"sqlite:///{folder / 'pfd.sqlite3'}"


def small(quick: bool) -> None:
    """2,000 experiments with curves, and the long series."""
    with product.data_folder() as folder:
        url = database_url(folder)
        engine = build_engine(url)
        use_engine(engine)
        migrations.upgrade()
        load.fill(engine, with_curves=WITH_CURVES, listed=WITH_CURVES)
        long_ids = load.add_long_series(engine)
        print(f"{engine.dialect.name}; {machine()}")
        with product.running(folder) as running:
            time.sleep(SETTLES)
            started, _ = running.memory()
            rows = server_rows(running, engine, url, f"{WITH_CURVES:,}")
            rows += curve_rows(running, engine, long_ids)
            if not quick:
                rows += page_rows(running)
                rows += crowd_rows(running, url)
            mlflow = peers.mlflow_start_and_memory()
            rows.append(
                (
                    "start to first answer",
                    f"{running.started_in:.1f} s",
                    f"MLflow {mlflow[0]:.1f} s" if mlflow else "MLflow is not installed",
                    f"{running.started_in / mlflow[0]:.2f} of it" if mlflow else "",
                    "≤ ¼ of MLflow’s",
                )
            )
            rows.append(
                (
                    "memory of web and worker, started (PSS)",
                    f"{started:,.0f} MB",
                    f"MLflow {mlflow[1]:,.0f} MB, started" if mlflow else "MLflow is not installed",
                    f"{started / mlflow[1]:.3f} of it" if mlflow else "",
                    "≤ ⅛ of MLflow’s",
                )
            )
            serving, everything = running.memory()
            rows.append(("the same after all that", f"{serving:,.0f} MB", "", "", ""))
            rows.append(("with scheduler and supervisor", f"{everything:,.0f} MB", "", "", ""))
        with product.running(folder) as again:
            reach = "≤ 5 s"
            rows.append(("a second start to the sign-in page", f"{again.started_in:.1f} s", "", "", reach))
        show("Pages and answers", rows)
        if not quick:
            show("The store of series", store_rows(engine, long_ids))
        _leave(engine)


def large() -> None:
    """100,000 experiments."""
    with product.data_folder() as folder:
        url = database_url(folder)
        engine = build_engine(url)
        use_engine(engine)
        migrations.upgrade()
        load.fill(engine, with_curves=50, listed=LISTED)
        with product.running(folder) as running:
            rows = server_rows(running, engine, url, f"{LISTED:,}")
        rows.append(("last, best, at which step of 10,000 experiments", str(store.last_and_best(engine)), "", "", ""))
        show("100,000 experiments", rows)
        _leave(engine)


def _leave(engine: Any) -> None:
    if engine.dialect.name == "postgresql":
        migrations.downgrade("base")
    use_engine(None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    small(arguments.quick)
    if not arguments.quick:
        large()
        ingest.main()
