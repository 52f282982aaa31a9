"""Start the worker or the scheduler: `python -m jobs worker`, `python -m jobs beat`.

Not `celery -A …`: that looks for the app in the folder it is started from, and this must work from any.
"""

import sys
from pathlib import Path

ARGUMENTS = {
    # Workers tell each other nothing: what they would say is in the jobs' rows.
    "worker": [
        "--quiet",
        "worker",
        "--loglevel=WARNING",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ],
    "beat": ["--quiet", "beat", "--loglevel=WARNING", "--pidfile="],
}


def main(words: list[str]) -> int:
    """Run one of the two until it is told to end."""
    if len(words) != 1 or words[0] not in ARGUMENTS:
        sys.stderr.write("Say what to start: worker or beat.\n")
        return 2
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from config.settings import ConfigurationError

    try:
        from jobs.celery_app import build, celery
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    app = celery if words[0] == "worker" else build(tasks=())
    return app.start(["--quiet", *ARGUMENTS[words[0]]]) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
