"""The page of the API's metrics over many requests: `make traffic`.

`python -m benchmarks.traffic` makes 10,000,000 requests of the last 90 days (`--requests` for another number), sums
them up as the product does, and asks for the page in each range over HTTP, signed in; with DATABASE_URL in that
PostgreSQL database, which must be empty. It ends with 1 where the page needs more than 300 ms.
"""

import argparse
import os
import sys
import time
from datetime import timedelta

from sqlalchemy import Engine, select, text

from benchmarks import product
from benchmarks.__main__ import database_url, machine
from benchmarks.tables import Row, show
from benchmarks.timing import Timing, timed
from config.settings import settings
from database import migrations
from database.engine import build_engine, transaction, use_engine
from database.types import now
from models import User
from models.permissions import Permission
from services.actor import actor_of
from services.api_keys import keys
from services.api_metrics import rollup
from services.api_metrics.windows import SPANS

REQUESTS, DAYS, KEYS = 10_000_000, 90, 20
AT_ONCE = 500_000
REACH = 300.0  # milliseconds
KEPT = "PFD_API_REQUESTS_KEPT"
ROUTES = (
    "/api/2.0/mlflow/runs/log-batch",
    "/api/2.0/mlflow/runs/log-metric",
    "/api/2.0/mlflow/runs/search",
    *(f"/api/v1/{noun}" for noun in ("experiments", "datasets", "tags", "usage", "explanations", "system-log")),
    *(f"/api/v1/experiments/<int:experiment_id>/{noun}" for noun in ("metrics", "training-runs", "stream", "end")),
)
# Each row out of its number, by residues that have no factor in common: routes, keys and times are spread alike.
FILL = """
    with {numbers}
    insert into api_request_logs (id, endpoint, method, status_code, request_time, response_time_ms,
        request_size_bytes, response_size_bytes, ip_address, api_key_id, created_at, updated_at)
    select i, case i % {routes} {cases} end, case when i % 3 = 0 then 'GET' else 'POST' end,
        case when i % 97 = 0 then 500 when i % 41 = 0 then 404 else 200 end,
        {moment}, 1.0 + (i % 1009) * (i % 1013) / 4000.0, i % 4096, i % 65536, '10.0.0.' || (i % 200),
        1 + i % {keys}, {moment}, {moment}
    from numbers
"""
NUMBERS = {
    "sqlite": "recursive numbers(i) as (select :low union all select i + 1 from numbers where i < :high)",
    "postgresql": "numbers(i) as (select generate_series(cast(:low as bigint), cast(:high as bigint)))",
}
MOMENTS = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', {seconds}, 'unixepoch') || '000'",
    "postgresql": "to_timestamp({seconds})",
}


def _fill(engine: Engine, requests: int) -> None:
    """So many requests, evenly up to now."""
    begin, step = (now() - timedelta(days=DAYS)).timestamp(), DAYS * 86_400 / requests
    statement = text(
        FILL.format(
            numbers=NUMBERS[engine.dialect.name],
            moment=MOMENTS[engine.dialect.name].format(seconds=f"{begin!r} + i * {step!r}"),
            routes=len(ROUTES),
            cases=" ".join(f"when {place} then '{route}'" for place, route in enumerate(ROUTES)).replace(":", r"\:"),
            keys=KEYS,
        )
    )
    for low in range(1, requests + 1, AT_ONCE):
        with engine.begin() as connection:
            connection.execute(statement, {"low": low, "high": min(low + AT_ONCE - 1, requests)})
    with engine.connect() as connection:
        connection.execute(text("analyze"))
        connection.commit()


def _make_keys() -> None:
    """Whoever looks has the keys that have asked."""
    with transaction() as session:
        owner = session.scalars(select(User)).one()
        for place in range(KEYS):
            keys.create(session, actor_of(owner), name=f"script {place}", scopes=[Permission.VIEW_EXPERIMENTS.value])


def page_body(running: product.Product, search: str) -> bytes:
    """What the browser sends to be shown the page."""
    router = next(name for name in running.specs if "_pages_content.children" in name)
    values = {
        "_pages_location.pathname": "/api-metrics",
        "_pages_location.search": search,
        "_pages_location.hash": "",
    }
    return running.body(router, values, "_pages_location.pathname")


def _rows(running: product.Product) -> tuple[list[Row], list[Timing]]:
    rows: list[Row] = []
    all_of_them = []
    for word, label in SPANS.items():
        for compared in (False, True):
            body = page_body(running, f"?range={word}" + ("&compare=true" if compared else ""))
            answer = running.dispatch(body)
            assert b"api-metrics-stats" in answer, answer[:300]
            taken = timed(lambda body=body: running.dispatch(body), runs=11, warm_up=6)  # type: ignore[misc]
            all_of_them.append(taken)
            work = f"{label.lower()}, beside the one before" if compared else label.lower()
            rows.append((work, str(taken), "", f"{len(answer) / 1000:,.0f} kB", f"≤ {REACH:.0f} ms"))
    return rows, all_of_them


def main(requests: int) -> int:
    """Fill, sum up, ask."""
    os.environ[KEPT] = f"P{DAYS + 1}D"
    settings.cache_clear()
    with product.data_folder() as folder:
        engine = build_engine(database_url(folder))
        use_engine(engine)
        with product.running(folder):
            pass  # the first start makes the account
        print(f"{engine.dialect.name}; {machine()}; {requests:,} requests of {DAYS} days", flush=True)
        _make_keys()
        began = time.perf_counter()
        _fill(engine, requests)
        filled = time.perf_counter()
        while rollup.roll_up():
            pass
        summed = time.perf_counter()
        with product.running(folder) as running:
            rows, taken = _rows(running)
        per_second = requests / (summed - filled)
        rows.append(("summed up", f"{summed - filled:,.0f} s", "", f"{per_second:,.0f} requests a second", ""))
        rows.append(("made", f"{filled - began:,.0f} s", "", "", ""))
        show(f"API metrics over {requests:,} requests", rows)
        if engine.dialect.name == "postgresql":
            migrations.downgrade("base")
        use_engine(None)
    return int(any(one.median > REACH for one in taken))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    sys.exit(main(parser.parse_args().requests))
