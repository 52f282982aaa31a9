"""Bring a database to the schema of this version, and tell how far it is."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError, OperationalError

from config.errors import ConfigurationError
from config.settings import ROOT
from database import sqlite_file
from database.engine import engine

OUR_TABLE = "training_runs"  # in every version of the schema, and in no other program's


def alembic_config() -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s")
    config.set_main_option("truncate_slug_length", "80")
    return config


def head() -> str:
    """The newest revision that this version of the product knows."""
    revision = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert revision is not None
    return revision


def current() -> str | None:
    """The revision that the database is at; None when it is empty, or a file that is not made yet."""
    if sqlite_file.is_missing(engine().url):
        return None
    try:
        with engine().connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as error:
        told = sqlite_file.complaint(engine().url, error)
        if told is None and not isinstance(error, OperationalError):
            raise
        reason = str(error.orig).strip().split("\n")[0] if error.orig else "no answer"
        raise ConfigurationError(told or f"The database cannot be reached: {reason}.") from error


def refuse_foreign_database() -> None:
    """Stop before touching the file of another program, or what a newer version of the product has migrated."""
    revision = current()
    refuse_file_of_another_program()
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise ConfigurationError(
            f"The database is at revision {revision}, which this version does not know: it was migrated by a newer "
            "version of PFD. Install that version, or point DATABASE_URL at another database."
        )


def refuse_file_of_another_program() -> None:
    """Stop before touching an SQLite file that is not ours; a server's database may well be shared."""
    path = sqlite_file.path_of(engine().url)
    if path is None or sqlite_file.is_missing(engine().url):
        return
    with engine().connect() as connection:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
    if tables and OUR_TABLE not in tables:
        shown = ", ".join(sorted(tables)[:3])
        raise ConfigurationError(
            f"{path} is the database of another program: it holds {shown} and none of the tables of PFD. "
            "Point DATABASE_URL at another file, or move this one away."
        )


def upgrade(revision: str = "head") -> None:
    """Migrate up; this, and nothing else, makes the file of an SQLite database."""
    refuse_foreign_database()
    sqlite_file.make(engine().url)
    try:
        command.upgrade(alembic_config(), revision)
    except CommandError as error:
        raise ConfigurationError(f"The migration could not run: {error}.") from error


def downgrade(revision: str) -> None:
    """Migrate down."""
    refuse_foreign_database()
    try:
        command.downgrade(alembic_config(), revision)
    except CommandError as error:
        raise ConfigurationError(f"The migration could not run: {error}.") from error
