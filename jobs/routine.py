"""What is done every minute: by the scheduler's message, or beside a long job, behind which such messages wait."""

import time

from database.engine import snapshot, transaction
from services import machine
from services.api_alerts import watching
from services.api_metrics import rollup

EVERY = 60.0  # seconds
LOOKED_AT = 0.5  # seconds over which the load of the processor is measured

_last = time.monotonic()


def sample() -> None:
    """Note how the machine is doing."""
    reading = machine.look(LOOKED_AT)
    with transaction() as session:
        machine.keep(session, reading)


def all_if_due() -> None:
    """Do all of it, unless this process has done so within a minute; a sample only where nobody has taken one."""
    global _last
    if time.monotonic() - _last < EVERY:
        return
    _last = time.monotonic()
    with snapshot() as session:
        is_sampled = machine.was_sampled_within(session, EVERY)
    if not is_sampled:
        sample()
    watching.look()
    rollup.roll_up(steps=1)  # a job that ends waits for what is done beside it
