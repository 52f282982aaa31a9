"""Bring a database to the schema of this version, and tell how far it is."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from config.settings import ROOT, ConfigurationError
from database.engine import engine


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
    """The revision that the database is at; None when it is empty."""
    try:
        with engine().connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        reason = str(error.orig).strip().split("\n")[0] if error.orig else "no answer"
        raise ConfigurationError(f"The database cannot be reached: {reason}.") from error


def refuse_newer_database() -> None:
    """Stop before touching a database that a newer version of the product has migrated."""
    revision = current()
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise ConfigurationError(
            f"The database is at revision {revision}, which this version does not know: it was migrated by a newer "
            "version of PFD. Install that version, or point DATABASE_URL at another database."
        )


def upgrade(revision: str = "head") -> None:
    """Migrate up."""
    refuse_newer_database()
    try:
        command.upgrade(alembic_config(), revision)
    except CommandError as error:
        raise ConfigurationError(f"The migration could not run: {error}.") from error


def downgrade(revision: str) -> None:
    """Migrate down."""
    refuse_newer_database()
    try:
        command.downgrade(alembic_config(), revision)
    except CommandError as error:
        raise ConfigurationError(f"The migration could not run: {error}.") from error
