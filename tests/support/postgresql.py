"""A real PostgreSQL of our own, from the system's binaries, gone when the tests end."""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

MISSING = "PostgreSQL's server is not installed: run 'apt-get install postgresql' (or 'brew install postgresql')."


def binaries() -> Path | None:
    """Where initdb and pg_ctl are."""
    on_path = shutil.which("pg_ctl")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


def free_port() -> int:
    """A port that nobody listens on, of those that the system gives to nobody who lets it choose."""
    dice = random.SystemRandom()  # a test's seed would lead two processes to the same
    while True:
        port = dice.randrange(10_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _as_postgres(command: list[str]) -> list[str]:
    # PostgreSQL refuses to run as root, which is who CI is.
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


@dataclass(frozen=True)
class Server:
    """A server that a test may stop and start again."""

    address: str  # without a database name at the end
    folder: Path
    home: Path
    options: str

    def start(self) -> None:
        """Come up, and answer."""
        self._control("-o", self.options, "-l", str(self.home / "log"), "-w", "-t", "300", "start", check=True)

    def stop(self) -> None:
        """Go down as in a power cut, in the middle of whatever it does."""
        self._control("-m", "immediate", "stop", check=False)

    def _control(self, *words: str, check: bool) -> None:
        command = [str(self.folder / "pg_ctl"), "-D", str(self.home / "data"), *words]
        quiet = subprocess.DEVNULL
        subprocess.run(_as_postgres(command), stdout=quiet, stderr=quiet, cwd="/", check=check)


@contextlib.contextmanager
def a_server() -> Iterator[Server]:
    """A server of its own."""
    folder = binaries()
    if folder is None:
        raise RuntimeError(MISSING)
    home = Path(tempfile.mkdtemp(prefix="pfd-pg-"))
    home.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    port = free_port()
    # A table that was found empty by the autovacuum is read as if it were so, by the test that fills it next.
    options = (
        f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c max_connections=200"
        " -c fsync=off -c full_page_writes=off -c autovacuum=off"
    )
    made = Server(f"postgresql+psycopg2://postgres@127.0.0.1:{port}", folder, home, options)
    initdb = [str(folder / "initdb"), "-D", str(home / "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8"]
    try:
        subprocess.run(_as_postgres(initdb), check=True, stdout=subprocess.DEVNULL, cwd=home)
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start a server and give the address of its maintenance database, without a database name at the end."""
    with a_server() as made:
        yield made.address


def cut_all(engine: Engine) -> None:
    """What a restart of the server does to connections that rest in the pool."""
    other = create_engine(engine.url)
    with other.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()
