"""A worker whose trainings kill their process, as one that runs out of memory is killed."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

ROOT = str(Path(__file__).resolve().parents[2])
sys.path[0] = ROOT

from jobs import __main__ as start  # noqa: E402 - the path comes first
from jobs import handlers  # noqa: E402
from services import training  # noqa: E402


def die(payload: dict[str, Any], lease: Any) -> None:
    """Start as a training does, then be killed."""
    lease.step(lambda session: training.begin(session, int(payload["experiment_id"])))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    handlers.HANDLERS[training.KIND] = die
    start.__file__ = start.__file__ or ROOT
    sys.exit(start.main(sys.argv[1:]))
