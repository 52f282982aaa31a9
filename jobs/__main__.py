"""Start the worker or the scheduler: `python -m jobs worker`, `python -m jobs beat`.

Not `celery -A …`: that looks for the app in the folder it is started from, and loads every command there is,
which costs each of the two processes a quarter of its memory.
"""

import gc
import sys
from pathlib import Path


def main(words: list[str]) -> int:
    """Run one of the two until it is told to end."""
    if words not in (["worker"], ["beat"]):
        sys.stderr.write("Say what to start: worker or beat.\n")
        return 2
    gc.disable()  # what is loaded now stays: to look through it for what is free takes a sixth of the time
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from config.errors import ConfigurationError
    from config.settings import settings

    try:
        from jobs.celery_app import build, celery
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if words == ["beat"]:
        gc.enable()
        build(tasks=()).Beat(loglevel="WARNING", quiet=True, pidfile=None).run()
        return 0
    # Workers tell each other nothing: what they would say is in the jobs' rows.
    worker = celery.Worker(
        loglevel="WARNING",
        quiet=True,
        autoscale=(settings().worker_processes, 1),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return worker.exitcode or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
