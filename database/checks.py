"""Whether the database is whole and what this version expects."""

import io
from dataclasses import dataclass

from alembic import command
from alembic.util import CommandError
from sqlalchemy import text

from database import migrations
from database.engine import engine


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    is_good: bool
    result: str


def check() -> list[Finding]:
    """Look at everything that can be looked at; ConfigurationError when the database cannot be reached at all."""
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
    return Finding("tables", True, "equal to the models")


def _pragma(name: str, expected: str) -> Finding:
    with engine().connect() as connection:
        rows = connection.execute(text(f"PRAGMA {name}")).all()
    words = "; ".join(" ".join(str(cell) for cell in row) for row in rows[:5])
    return Finding(name.replace("_", " "), words == expected, words or "ok")
