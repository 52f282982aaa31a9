"""Raw rows of requests to the API, written as the drain writes them."""

import random
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from database.engine import transaction
from database.types import now
from models import APIRequestLog

ROUTES = (("GET", "/api/v1/me"), ("POST", "/api/2.0/mlflow/runs/log-batch"), ("GET", "/api/2.0/mlflow/runs/get"))


def row(moment: datetime, milliseconds: float = 5.0, status: int = 200, **more: Any) -> dict[str, Any]:
    """One request."""
    written = now()
    return {
        "endpoint": "/api/v1/me",
        "method": "GET",
        "status_code": status,
        "request_time": moment,
        "response_time_ms": milliseconds,
        "request_size_bytes": 10,
        "response_size_bytes": 100,
        "created_at": written,
        "updated_at": written,
        **more,
    }


def write(rows: Iterable[dict[str, Any]]) -> int:
    """Write them in one transaction; how many they were."""
    made = list(rows)
    with transaction() as session:
        if made:
            session.execute(insert(APIRequestLog), made)
    return len(made)


def traffic(moments: Iterable[datetime], seed: int = 1) -> list[dict[str, Any]]:
    """Requests of all kinds at these moments."""
    made = random.Random(seed)
    rows = []
    for moment in moments:
        method, endpoint = made.choice(ROUTES)
        status = made.choices([200, 404, 500], [90, 8, 2])[0]
        rows.append(row(moment, made.lognormvariate(2.5, 0.9), status, endpoint=endpoint, method=method))
    return rows
