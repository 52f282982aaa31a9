"""Which revision this version knows and a database is at, read without Alembic, which is 8 MB that web never needs."""

import re
from functools import lru_cache

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from config.settings import ROOT

_REVISION = re.compile(r'^(down_)?revision = "([^"]+)"', re.MULTILINE)


@lru_cache(maxsize=1)
def head() -> str:
    """The newest revision, which no other one follows."""
    own: set[str] = set()
    followed: set[str] = set()
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        for is_former, name in _REVISION.findall(path.read_text()):
            (followed if is_former else own).add(name)
    (newest,) = own - followed
    return newest


def current(session: Session) -> str | None:
    """The revision that the database is at; None when it is empty."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return None
    found = session.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)
