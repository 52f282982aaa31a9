"""Make the demo in the background."""

from typing import Any

from jobs.lease import Lease
from services import demo


def load(payload: dict[str, Any], lease: Lease) -> None:
    """Generate the signals, then store them with the experiments that train on them, all at once."""
    if not lease.step(demo.is_wanted):
        return
    made = demo.generate(lease.job_id)
    if not lease.goes_on() or not lease.step(lambda session: lease.holds(session) and demo.store(session, made)):
        demo.discard(made)
