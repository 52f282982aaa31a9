"""Real worker and scheduler processes, each in a group of its own that can be killed at once."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.celery_app import beat_command, worker_command
from tests.support.forked import Forked
from tests.support.postgresql import free_port
from tests.support.waiting import wait_until

REDIS_MISSING = "Redis's server is not installed: run 'apt-get install redis-server' (or 'brew install redis')."
LOST_AFTER = 3.0  # seconds
PATIENCE = 12.0  # of processes that share the machine with other tests, so that none takes a living one's job
KILLING = Path(__file__).with_name("killing_worker.py")


class Machine:
    """What serves one installation: its environment, and the processes started in it."""

    def __init__(self, data_dir: Path, database_url: str, redis_url: str = "") -> None:
        self.data_dir = data_dir
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PFD_")}
        self.environment = {
            **kept,
            "PFD_DATA_DIR": str(data_dir),
            "PFD_DEMO": "0",
            "PFD_JOB_LOST_AFTER": f"PT{PATIENCE}S",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
        }
        self.processes: list[Forked] = []

    def start(self, command: list[str]) -> Forked:
        """Start a script from a folder that has nothing to do with ours."""
        log = self.data_dir / "log"
        _, script, role = command
        process = Forked(script, [role], self.environment, Path("/"), [Path(os.devnull), log, log])
        self.processes.append(process)
        return process

    def worker(self) -> Forked:
        return self.start(worker_command())

    def beat(self) -> Forked:
        return self.start(beat_command())

    def killing_worker(self) -> Forked:
        """A worker whose trainings kill the process that they run in."""
        python, _, role = worker_command()
        return self.start([python, str(KILLING), role])

    def kill(self, process: Forked) -> None:
        """Kill it with its children, without a chance to say goodbye."""
        process.kill()

    def log(self) -> str:
        """What all processes have said."""
        return (self.data_dir / "log").read_text(errors="replace")

    def close(self) -> None:
        for process in self.processes:
            process.kill()


def redis_binary() -> str | None:
    """Where Redis's server is."""
    return shutil.which("redis-server")


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis of our own, gone at the end."""
    binary = redis_binary()
    if binary is None:
        raise RuntimeError(REDIS_MISSING)
    port = free_port()
    home = tempfile.mkdtemp(prefix="pfd-redis-")
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", home]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        import redis

        client = redis.Redis(port=port)

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        wait_until(answers)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait(60)
        shutil.rmtree(home, ignore_errors=True)
