"""The engine, and the ways to use it: `transaction()` writes, `snapshot()` reads, `glance()` reads one statement."""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, OperationalError
from sqlalchemy.orm import Session

from config.errors import ConfigurationError
from config.settings import settings
from database import sqlite_file, sqlite_lock
from database.prepared import sent

logger = logging.getLogger(__name__)

RESTED = 5.0  # seconds after which a connection to PostgreSQL is asked before it is used

Announcer = Callable[[list[int]], None]

_engine: Engine | None = None
_choosing = threading.Lock()
_announce: Announcer | None = None


def _dumps(value: Any) -> str:
    # orjson writes NaN and infinity as null, which PostgreSQL's json would refuse otherwise.
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS).decode()


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise ConfigurationError("DATABASE_URL is not an address that SQLAlchemy understands.") from error


def build_engine(url: str) -> Engine:
    """An engine with the pragmas, pool and JSON of this product."""
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            json_serializer=_dumps,
            json_deserializer=orjson.loads,
            connect_args={"timeout": 10, "check_same_thread": False},
            pool_size=8,
            max_overflow=24,
        )
        sqlite_file.watch(engine)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        parsed,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        pool_size=8,
        max_overflow=8,
        pool_recycle=1800,
        # Many rows in one journey also where a row may be there already: SQLAlchemy sends those one by one otherwise.
        # Not many more, as a message is built in memory and a full chunk of a series is half a megabyte of it.
        executemany_mode="values_plus_batch",
        executemany_batch_page_size=32,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC"},
    )
    _ping_after_a_rest(engine)
    return engine


def _ping_after_a_rest(engine: Engine) -> None:
    """Ask a connection whether it still lives, but not one that has answered a moment ago: each asking is a journey."""

    def rest(_connection: Any, record: Any) -> None:
        record.info["resting_since"] = time.monotonic()

    def wake(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get("resting_since")
        if since is None or time.monotonic() - since < RESTED:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool puts a fresh one in its place

    event.listen(engine, "checkin", rest)
    event.listen(engine, "checkout", wake)


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # SQLAlchemy, not the driver, begins transactions: only then can a writer begin IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-4000",
        "mmap_size=67108864",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute(sqlite_lock.BUSY_TIMEOUT)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail with "database is locked" when another
    # writer came between; taking the write lock at once makes it wait instead.
    options = connection.get_execution_options()
    if options.get("glances"):
        return
    if options.get("writes", True):
        sqlite_lock.begin_writing(connection)
    else:
        with sent(connection, "BEGIN", ()):
            pass


def engine() -> Engine:
    """This process's engine, made on first use by one thread; a second one would be lost with its connections."""
    global _engine
    present = _engine
    if present is None:
        with _choosing:
            present = _engine = _engine or build_engine(settings().database_url)
    return present


def use_engine(replacement: Engine | None) -> None:
    """Put another engine in place of the present one, which is closed."""
    global _engine
    with _choosing:
        replaced, _engine = _engine, replacement
    if replaced is not None and replaced is not replacement:
        replaced.dispose()


def close_connections() -> None:
    """Close all connections before a fork; what the engine has compiled stays, for the children to share."""
    if _engine is not None:
        _engine.dispose()


def forget_connections() -> None:
    """Begin with connections of its own after a fork; the parent's, if it has any, stay the parent's."""
    global _choosing
    _choosing = threading.Lock()  # a thread that the child does not have may hold the parent's
    if _engine is not None:
        _engine.dispose(close=False)


def announce_with(announcer: Announcer | None) -> None:
    """Name who tells the queue about jobs whose rows were just committed."""
    global _announce
    _announce = announcer


@contextlib.contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: committed at the end, rolled back on any error; queued jobs leave after the commit."""
    with Session(engine(), expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        queued: list[int] = session.info.pop("queued_jobs", [])
    if queued and _announce is not None:
        _announce(queued)


@contextlib.contextmanager
def snapshot() -> Iterator[Session]:
    """One consistent read; it never takes the write lock and nothing it holds is ever written."""
    connection = engine().connect()
    try:
        connection = connection.execution_options(writes=False, postgresql_readonly=True)
        with Session(connection, expire_on_commit=False, autoflush=False) as session:
            yield session
    finally:
        with put_back(connection.engine):
            connection.close()


@contextlib.contextmanager
def glance() -> Iterator[Connection]:
    """The read of a single statement, which is consistent by itself: no transaction is begun and ended around it."""
    found = engine()
    with put_back(found), found.connect() as connection:
        if found.dialect.name == "postgresql":
            with without_begin(connection):
                yield connection
        else:
            yield connection.execution_options(glances=True)


@contextlib.contextmanager
def without_begin(connection: Connection) -> Iterator[None]:
    """Have the driver send each statement alone; SQLAlchemy's own AUTOCOMMIT sends a SET before it, a journey more."""
    driver: Any = connection.connection.driver_connection
    driver.autocommit = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.autocommit = False


@contextlib.contextmanager
def put_back(found: Engine) -> Iterator[None]:
    """Let what a driver says of a dead connection as it is put back be told like what it says of a statement."""
    driver = found.dialect.loaded_dbapi
    try:
        yield
    except (driver.OperationalError, driver.InterfaceError) as error:
        raise OperationalError(None, None, error, connection_invalidated=True) from error
