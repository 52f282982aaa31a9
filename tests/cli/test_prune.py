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
    assert (status, err, out.splitlines()[0]) == (0, "", "api_usage: 0 rows are older than 90 days")
    assert out.splitlines()[1].startswith(told)
    assert len(records.drained()) == 3
    assert pfd("prune")[1].endswith("Deleted 2 rows.\n")
    assert len(records.drained()) == 1
