"""`pfd db`: migrate, and check what is there."""

import click


def prepare() -> None:
    """Make the database usable for a command: an empty one is migrated, an older one is left to `pfd db upgrade`."""
    from config.errors import ConfigurationError
    from config.settings import settings
    from database import migrations

    settings().prepare_data_dir()
    migrations.refuse_foreign_database()
    revision = migrations.current()
    if revision is None:
        migrations.upgrade()
    elif revision != migrations.head():
        raise ConfigurationError("The database is of an older version of PFD; run `pfd db upgrade` first.")


def is_there() -> bool:
    """Whether there is a database with tables; looking makes none."""
    from database import migrations

    return migrations.current() is not None


@click.group("db")
def database() -> None:
    """Migrate and check the database."""


@database.command()
def upgrade() -> None:
    """Bring the database to the schema of this version."""
    from config.settings import settings
    from database import migrations

    settings().prepare_data_dir()
    before = migrations.current()
    migrations.upgrade()
    after = migrations.current()
    click.echo(
        f"The database is at {after} already." if before == after else f"Migrated from {before or 'empty'} to {after}."
    )


@database.command()
@click.argument("revision")
@click.confirmation_option(prompt="Going down can drop tables with what is in them. Go on?")
def downgrade(revision: str) -> None:
    """Take the database down to REVISION (“base” is empty, “-1” is one step)."""
    from cli import installation
    from config.settings import settings
    from database import migrations

    settings().prepare_data_dir()
    with installation.only_one("end it first, as it cannot work without its tables"):
        before = migrations.current()
        migrations.downgrade(revision)
    click.echo(f"Migrated from {before or 'empty'} to {migrations.current() or 'empty'}.")


@database.command()
def check() -> None:
    """Check connection, revision, tables and, for SQLite, the file itself."""
    from database import checks

    findings = checks.check()
    for finding in findings:
        click.echo(f"{'ok ' if finding.is_good else 'BAD'}  {finding.what}: {finding.result}")
    if not all(finding.is_good for finding in findings):
        raise click.exceptions.Exit(1)
