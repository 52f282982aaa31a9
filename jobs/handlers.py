"""What each kind of job does, and what people read where it fails."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DBAPIError

from diagnosis.errors import TrainingDiverged
from jobs import mail
from jobs.lease import Lease
from services import forgotten, lock_outs, notices
from services.errors import AppError

LONGEST_REASON = 1000

Handler = Callable[[dict[str, Any], Lease], None]


# Both load NumPy: a worker that only waits is a tenth smaller without it.
def _train(payload: dict[str, Any], lease: Lease) -> None:
    from jobs import training

    training.run(payload, lease)


def _load_demo(payload: dict[str, Any], lease: Lease) -> None:
    from jobs import demo

    demo.load(payload, lease)


HANDLERS: dict[str, Handler] = {
    "training.run": _train,
    "demo.load": _load_demo,
    notices.KIND: mail.send,
    forgotten.KIND: mail.send_reset_link,
    lock_outs.KIND: mail.tell_of_lock_out,
}


def reason_of(error: Exception) -> str:
    """What people read: our own sentences as they are, of anything else its type and first line, never a trace."""
    if isinstance(error, AppError | TrainingDiverged):
        return str(error)[:LONGEST_REASON]
    said = error.orig if isinstance(error, DBAPIError) else error  # without the statement and its values
    lines = str(said).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".removesuffix(": ")[:LONGEST_REASON]
