"""`pfd prune`: what is old is told first, and then deleted."""

from datetime import timedelta

from database.engine import transaction
from database.types import now
from models import APIRequestLog
from tests.support import records


def test_a_dry_run_tells_what_goes_and_deletes_nothing(pfd):
    records.forget()
    with transaction() as session:
        for days in (1, 31, 40):
            moment = now() - timedelta(days=days)
            values = {"endpoint": "/x", "method": "GET", "status_code": 200, "response_time_ms": 1}
            session.add(APIRequestLog(request_time=moment, **values))
    told = "api_request_logs: 2 rows are older than 30 days, the oldest of "
    status, out, err = pfd("prune", "--dry-run")
    *others, last = out.splitlines()
    assert (status, err) == (0, "") and last.startswith(told)
    assert others == [
        "login_history: 0 rows are older than 365 days",
        "session_logs: 0 rows are older than 365 days",
        "one_time_tokens: 0 rows are older than 365 days",
        "throttles: 0 rows are older than 1 day",
        "email_logs: 0 rows are older than 90 days",
        "idempotency_keys: 0 rows are older than 2 days",
        "events: 0 rows are older than 90 days",
        "api_usage: 0 rows are older than 90 days",
        "api_metrics_summary: 0 rows are older than 100 days",
        "api_metrics_summary: 0 rows are older than 1,095 days",
    ]
    assert len(records.drained()) == 3
    assert pfd("prune")[1].endswith("Deleted 2 rows.\n")
    assert len(records.drained()) == 1
