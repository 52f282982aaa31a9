"""What all tests share: a data folder of their own, both databases, the app, people of each role."""

import contextlib
import gc
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck
from hypothesis import settings as examples
from playwright.sync_api import expect, sync_playwright
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from werkzeug.serving import WSGIRequestHandler, make_server

from config import settings as configuration
from database import engine as engines
from database import migrations
from services import passwords
from services.limits import quotas
from services.second_factor import backup_codes
from tests.support import at_work, people, postgresql

# What is compiled is kept, also where the environment says otherwise: pytest rewrites seven hundred files, which takes
# each process that runs tests eight seconds, and every worker and server that a test starts compiles as much again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Many objects are made and nearly all stay for the run: looking through them that often finds nothing to free.
gc.set_threshold(20_000, 10, 100)

expect.set_options(timeout=60_000)  # how long a busy machine may take says nothing of the product
# The same examples each time, however long one takes; what a test gets once for all of them is no matter to it.
examples.register_profile(
    "ours",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
examples.load_profile("ours")

TESTS = Path(__file__).resolve().parent
SHARED_DATA = TESTS.parents[1] / "shared" / "data"
IN_CI = os.environ.get("CI") == "true"
# The same engine without a window, which takes half of the work: Playwright's own choice for tests.
CHROMIUM = os.environ.get("PFD_CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
CHROMIUM_MISSING = "Chromium is missing: apt-get install chromium-headless-shell, or name it in PFD_CHROMIUM."


# What takes longest begins first: begun last, the other cores would wait for it at the end.
LONGEST = (
    "cli/test_serve.py",
    "pages/test_experiment_in_browser.py",
    "pages/test_list_in_browser.py",
    "components/test_gallery_in_browser.py",
    "diagnosis/test_demo.py",
    "services/test_metric_rollup.py",
    "api/test_mlflow_client.py",
    "api/v1/test_fuzz.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files go to the processes in this order: the longest, those in a browser, the others."""
    ranks = {TESTS / name: rank for rank, name in enumerate(LONGEST)}

    def rank(item: pytest.Item) -> tuple[int, bool]:
        return ranks.get(item.path, len(ranks)), item.get_closest_marker("browser") is None

    first: dict[Path, tuple[int, bool]] = {}
    for item in items:
        first[item.path] = min(first.get(item.path, rank(item)), rank(item))
    items.sort(key=lambda item: first[item.path])


@pytest.fixture(scope="session", autouse=True)
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder for the whole run; nothing of the developer's own is touched."""
    folder = tmp_path_factory.mktemp("data")
    names = [name for name in os.environ if name.startswith("PFD_") or name in {"DATABASE_URL", "REDIS_URL"}]
    kept = {name: os.environ.pop(name) for name in names}
    os.environ["PFD_DATA_DIR"] = str(folder)
    os.environ["PFD_DEMO"] = "0"
    os.environ["PFD_API_ANONYMOUS_LIMIT"] = "1000000"  # all tests come from one address
    os.environ["PFD_API_SAMPLES"] = "0"  # which requests are kept is left to chance: tests of it choose all or none
    configuration.settings.cache_clear()
    configuration.settings().prepare_data_dir()
    gc.collect()
    gc.freeze()  # all that is loaded by now stays; a child that is forked would copy what a collection touches
    yield folder
    os.environ.update(kept)


REAL_COSTS = passwords._hasher, backup_codes.ROUNDS


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> None:
    """What is slow on purpose is so in hundreds of tests that are not about it: the same functions at their least."""
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    backup_codes.ROUNDS = 4


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The costs that are those of the product."""
    monkeypatch.setattr(passwords, "_hasher", REAL_COSTS[0])
    monkeypatch.setattr(backup_codes, "ROUNDS", REAL_COSTS[1])


def _migrate(url: str) -> None:
    engines.use_engine(engines.build_engine(url))
    migrations.upgrade()
    engines.use_engine(None)


@pytest.fixture(scope="session")
def sqlite_template(data_dir: Path) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = data_dir / "template.sqlite3"
    _migrate(f"sqlite:///{path}")
    with create_engine(f"sqlite:///{path}").connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A running PostgreSQL; under CI its absence is a failure, not a skip."""
    if postgresql.binaries() is None:
        if IN_CI:
            pytest.fail(postgresql.MISSING)
        pytest.skip(postgresql.MISSING)
    with postgresql.server() as address:
        yield address


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: str) -> str:
    """The address of a migrated PostgreSQL database that the tests use one after the other."""
    _admin(postgresql_server, "CREATE DATABASE pfd_tests")
    _migrate(f"{postgresql_server}/pfd_tests")
    return f"{postgresql_server}/pfd_tests"


def _admin(server: str, statement: str) -> None:
    admin = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, data_dir: Path) -> str:
    """The address of an empty SQLite database of this test."""
    path = data_dir / "in_use" / "pfd.sqlite3"
    path.parent.mkdir(exist_ok=True)
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    shutil.copy(sqlite_template, path)
    quotas._side_file(data_dir).forget_rested(2**62)  # which counts against numbers that people of each test have
    return f"sqlite:///{path}"


# Deleting what a test wrote takes milliseconds; truncating makes new files for every table that refers to it.
_EMPTY = """
DO $$
DECLARE name text; filled boolean;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(){kept});
    SET LOCAL session_replication_role = replica;  -- all of it goes: nothing has to cascade
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO filled;
        IF filled THEN EXECUTE format('DELETE FROM %I', name); END IF;
    END LOOP;
    PERFORM setval(quote_ident(sequencename)::regclass, 1, false)
        FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


@pytest.fixture(scope="session")
def postgresql_admin(postgresql_database: str) -> Iterator[Engine]:
    """Connections that outlive a test."""
    admin = create_engine(postgresql_database, pool_pre_ping=True)
    yield admin
    admin.dispose()


@pytest.fixture(scope="session")
def newest_revision() -> str:
    """Where the migrations lead; Alembic reads all of them to tell."""
    return migrations.head()


@pytest.fixture
def postgresql_url(postgresql_database: str, postgresql_admin: Engine, newest_revision: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database of this test."""
    yield postgresql_database
    with postgresql_admin.begin() as admin:
        admin.execute(text(_EMPTY.replace("{kept}", "".join(f", {pid}" for pid in _RESTING.values()))))
        admin.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": newest_revision})


_RESTING: dict[int, int] = {}  # processes of PostgreSQL, by the connection of ours that the next test uses


# An engine remembers each statement as it was compiled; made anew for each test, a fifth of the run would be compiling.
_ENGINES: dict[str, Engine] = {}


def _wait_for_no_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # no test cuts the power; PostgreSQL runs without fsync, too


def _note_resting(connection: Any, _record: Any) -> None:
    _RESTING[id(connection)] = connection.get_backend_pid()


def _in_place(url: str) -> Iterator[Engine]:
    engine = _ENGINES.get(url)
    if engine is None:
        engine = _ENGINES[url] = engines.build_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _wait_for_no_disk)
        else:
            event.listen(engine, "connect", _note_resting)
            event.listen(engine, "close", lambda connection, _: _RESTING.pop(id(connection), None))
    elif not _works(engine):  # an engine of another test has had all connections to this database cut
        engine.dispose()
    engines.use_engine(engine)
    yield engine
    at_work.wait()
    _rest(engine)


def _rest(engine: Engine) -> None:
    """Take an engine out of its place; a new connection to PostgreSQL is a new process, so those that rest are kept."""
    if engine.dialect.name == "postgresql" and engines.engine() is engine and _rests_well(engine):
        engines._engine = None
    else:
        engines.use_engine(None)
        engine.dispose()


def _rests_well(engine: Engine) -> bool:
    """Whether the test has left one connection at the most, which is not in use."""
    pool: Any = engine.pool
    return not pool.checkedout() and pool.checkedin() <= 1


def _works(engine: Engine) -> bool:
    """Whether the connection that rests still answers."""
    pool: Any = engine.pool
    try:
        with engine.connect() if pool.checkedin() else contextlib.nullcontext() as connection:
            if connection is not None:
                connection.execute(text("SELECT 1"))
    except DBAPIError:
        return False
    return True


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty database in place of the installation's; the test runs on SQLite and on PostgreSQL."""
    yield from _in_place(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Engine]:
    """An empty SQLite database, for what does not depend on the database."""
    yield from _in_place(sqlite_url)


class Queries:
    """The SQL statements that were sent, without those that only begin or end a transaction."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __len__(self) -> int:
        return len(self.statements)


@pytest.fixture
def count_queries() -> Callable[[Engine, Callable[[], Any]], int]:
    """How many statements a function sends."""

    def count(engine: Engine, work: Callable[[], Any]) -> int:
        queries = Queries()

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA", "SELECT 1")):
                queries.statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            work()
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(queries)

    return count


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for the whole run; Playwright's synchronous API bears only one start in a process."""
    if CHROMIUM is None:
        if IN_CI:
            pytest.fail(CHROMIUM_MISSING)
        pytest.skip(CHROMIUM_MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def dash_app(data_dir: Path) -> Any:
    """The app, built once; each test puts its own database under it."""
    from app import create_app

    app = create_app()
    engines.announce_with(None)  # nothing leaves the process; a test that wants the queue names it
    return app


@pytest.fixture
def client_of(dash_app: Any) -> Callable[[str | None], Any]:
    """A client signed in with a role (None: nobody), on the database in place."""
    return lambda role: people.client(dash_app.server, role)


class Quiet(WSGIRequestHandler):
    """A failed test shows what failed, not hundreds of requests."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def live_server(dash_app: Any) -> Iterator[str]:
    """The app on a port; each test puts its own database under it."""
    app = at_work.counted(dash_app.server)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
