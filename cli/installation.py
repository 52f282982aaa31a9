"""What `pfd serve` makes sure of before anything is started, and what it tells once it answers."""

import fcntl
import gc
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import click

from config.errors import ConfigurationError
from config.settings import settings

_OPENING = ("DASH_", "FLASK_", "GUNICORN_")  # what these read from the environment is decided here, in the code
_PRIVATE = ("PFD_ADMIN_USERNAME", "PFD_ADMIN_EMAIL", "PFD_ADMIN_PASSWORD")


def apart(work: Callable[[], list[str]]) -> list[str]:
    """The lines that `work` gives, done in a process that ends afterwards.

    The supervisor lives as long as the product; what only the start needs (SQLAlchemy, Alembic, the models) would
    cost it 70 MB for all that time.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _work_and_leave(work, writing)
    os.close(writing)
    with os.fdopen(reading) as answer:
        lines = answer.read().splitlines()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        raise click.exceptions.Exit(status if status > 0 else 1)
    return lines


def _work_and_leave(work: Callable[[], list[str]], writing: int) -> NoReturn:
    status = 1
    gc.disable()  # what is loaded stays until this process ends: looking what of it is free takes a sixth of the time
    try:
        from cli.main import guarded

        def answer() -> int:
            text = "".join(f"{line}\n" for line in work())
            os.write(writing, text.encode())
            return 0

        status = guarded(answer)
    except Exception:
        traceback.print_exc()  # a bug; this process ends below without Python's own last words
    finally:
        sys.stderr.flush()
        os._exit(status)


def prepare() -> list[str]:
    """Broker, database, secret key and first account; the database is tried before the data folder is made."""
    from cli.safety import refuse_unsafe_settings
    from database import migrations
    from database.engine import engine

    refuse_unsafe_settings()
    _check_broker()
    if settings().database_url in {"sqlite:", "sqlite:/", "sqlite://", "sqlite:///", "sqlite:///:memory:"}:
        raise ConfigurationError("DATABASE_URL names no file, and a database in memory cannot be shared by processes.")
    if engine().dialect.name != "sqlite":
        migrations.refuse_foreign_database()
    settings().prepare_data_dir()
    migrations.refuse_foreign_database()
    if migrations.current() != migrations.head():
        migrations.upgrade()
    settings().secret_key()  # made once, here, before several processes ask for it
    _make_first_admin()
    return []


def _check_broker() -> None:
    url = settings().redis_url
    if url is None:
        return
    from redis import Redis, RedisError

    try:
        Redis.from_url(url.get_secret_value(), socket_connect_timeout=5, socket_timeout=5).ping()
    except ValueError as error:
        raise ConfigurationError("REDIS_URL must look like redis://host:6379/0.") from error
    except (RedisError, OSError) as error:
        raise ConfigurationError(f"Redis cannot be reached at REDIS_URL: {str(error).rstrip('.')}.") from error


def _make_first_admin() -> None:
    """Make the account that PFD_ADMIN_… describe, when nobody has one yet."""
    name, email, password = settings().admin_username, settings().admin_email, settings().admin_password
    if name is None and email is None and password is None:
        return
    if name is None or email is None or password is None:
        raise ConfigurationError(f"{_PRIVATE[0]}, {_PRIVATE[1]} and {_PRIVATE[2]} go together: set all three or none.")

    # Only now: loading the tables takes a tenth of the start.
    from database.engine import transaction
    from models.permissions import Role
    from services import accounts
    from services.actor import SYSTEM
    from services.errors import Invalid

    try:
        with transaction() as session:
            if not accounts.anybody(session):
                secret = password.get_secret_value()
                accounts.create(session, SYSTEM, username=name, email=email, role=Role.SUPER_ADMIN, password=secret)
    except Invalid as error:
        raise ConfigurationError(f"PFD_ADMIN_{(error.field or 'USERNAME').upper()} is refused: {error}") from error


def welcome() -> list[str]:
    """Put in the demo at the first start; tell where the product is, and how the first account is made."""
    from database.engine import transaction
    from jobs.announcing import announce_to_celery
    from services import accounts, demo
    from services.api_metrics import restarts

    announce_to_celery()
    with transaction() as session:
        restarts.note(session)
        demo.ensure_demo(session)
        token = None if accounts.anybody(session) else accounts.new_setup_token(session)
    lines = [f"PFD is ready at {settings().address}"]
    if settings().mail_server is None:
        lines.append(f"Mail is written to files in {settings().outbox_dir} until PFD_SMTP_URL names a server.")
    if token is not None:
        lines.append(f"Make the first account here (the link works once): {settings().address}/setup/{token}")
    return lines


@contextmanager
def only_one(advice: str = "set PFD_DATA_DIR and PFD_PORT to run a second one") -> Iterator[None]:
    """Hold the data folder: two schedulers on one folder would spoil each other's files."""
    path = settings().data_dir / "serve.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise ConfigurationError(
                f"PFD already runs on the data folder {settings().data_dir} (process {file.read(20).strip() or '?'}); "
                f"{advice}."
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def environment_of_children() -> dict[str, str]:
    """The environment of web, worker and scheduler, which run in another folder and need no password of ours."""
    environment = {
        name: value for name, value in os.environ.items() if name not in _PRIVATE and not name.startswith(_OPENING)
    }
    environment["PFD_DATA_DIR"] = str(settings().data_dir)
    if settings().geoip is not None:
        environment["PFD_GEOIP"] = str(settings().geoip)
    # Else glibc keeps, for every thread, the memory of the largest curve that it has ever drawn. Its other thresholds
    # stay as they are: giving each array back at once made long curves twice as slow.
    environment.setdefault("MALLOC_ARENA_MAX", "2")
    url, scheme = settings().database_url, "sqlite:///"
    if url.startswith(scheme) and not url.startswith((f"{scheme}/", f"{scheme}file:")):
        environment["DATABASE_URL"] = f"{scheme}{quote(str(Path.cwd()))}/{url.removeprefix(scheme)}"
    return environment
