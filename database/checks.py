"""Whether the database is whole and what this version expects."""

import io
from dataclasses import dataclass

from alembic import command
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from database import migrations, sqlite_file
from database.engine import engine


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    is_good: bool
    result: str


def check() -> list[Finding]:
    """Look at everything that can be looked at; ConfigurationError when the database cannot be reached at all."""
    if sqlite_file.is_missing(engine().url):
        path = sqlite_file.path_of(engine().url)
        result = f"there is no {path}; put a backup there, or let `pfd db upgrade` make an empty one"
        return [Finding("connection", False, result)]
    migrations.refuse_file_of_another_program()
    revision, head = migrations.current(), migrations.head()
    findings = [
        Finding("connection", True, engine().url.render_as_string(hide_password=True)),
        Finding("revision", revision == head, f"{revision or 'empty'}, this version has {head}"),
    ]
    if revision == head:
        findings.append(_tables())
    if engine().dialect.name == "sqlite":
        findings += [_pragma("integrity_check", "ok"), _pragma("foreign_key_check", "")]
    return findings


def _tables() -> Finding:
    config = migrations.alembic_config()
    config.stdout = io.StringIO()
    try:
        command.check(config)
    except CommandError as error:
        return Finding("tables", False, str(error)[:500])
    except DatabaseError as error:
        return Finding("tables", False, _damage(error))
    return Finding("tables", True, "equal to the models")


def _pragma(name: str, expected: str) -> Finding:
    try:
        with engine().connect() as connection:
            rows = connection.execute(text(f"PRAGMA {name}")).all()
    except DatabaseError as error:
        return Finding(name.replace("_", " "), False, _damage(error))
    words = "; ".join(" ".join(str(cell) for cell in row) for row in rows[:5])
    return Finding(name.replace("_", " "), words == expected, words or "ok")


def _damage(error: DatabaseError) -> str:
    return sqlite_file.complaint(engine().url, error) or str(error.orig).strip().split("\n")[0]
