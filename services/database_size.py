"""How large the database is, and which tables make it so; nothing here reads a large table."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.base import Base
from models.permissions import Permission
from services.actor import Actor

COUNTED = 10_000  # rows that are counted; of more the highest number tells about how many
WALKED = 64 * 2**20  # bytes of an SQLite file whose pages are looked at one by one
_POSTGRESQL = text(
    "SELECT c.relname, COALESCE(NULLIF(c.reltuples, -1), s.n_live_tup, 0)::bigint, pg_total_relation_size(c.oid) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid "
    "WHERE n.nspname = current_schema() AND c.relkind = 'r'"
)
_PAGES = text(
    "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name "
    "WHERE d.aggregate = TRUE GROUP BY m.tbl_name"
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `about` says that its rows are estimated, and bytes are not always known."""

    name: str
    rows: int
    about: bool
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Size:
    """The whole database and its tables, the largest first."""

    bytes: int
    tables: tuple[Table, ...]


def size(session: Session, actor: Actor) -> Size:
    """What the database says of itself."""
    actor.require(Permission.VIEW_SYSTEM_HEALTH)
    whole, tables = (_postgresql if session.get_bind().dialect.name == "postgresql" else _sqlite)(session)
    return Size(whole, tuple(sorted(tables, key=lambda item: (-(item.bytes or 0), -item.rows, item.name))))


def _postgresql(session: Session) -> tuple[int, list[Table]]:
    whole = session.scalar(text("SELECT pg_database_size(current_database())")) or 0
    rows = session.execute(_POSTGRESQL).all()
    return whole, [Table(name, count, True, size) for name, count, size in rows if name in Base.metadata.tables]


def _sqlite(session: Session) -> tuple[int, list[Table]]:
    pages, page_size = (session.scalar(text(f"PRAGMA {name}")) or 0 for name in ("page_count", "page_size"))
    whole = pages * page_size
    walked = session.execute(_PAGES).all() if whole <= WALKED and _walks(session) else []
    sizes: dict[str, Any] = dict(walked)
    counts = " UNION ALL ".join(
        f"SELECT '{name}', (SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {COUNTED + 1})), "  # noqa: S608 - our own
        f"(SELECT max(rowid) FROM {name})"
        for name in sorted(Base.metadata.tables)
    )
    tables = []
    for name, count, highest in session.execute(text(counts)).all():
        about = count > COUNTED
        tables.append(Table(name, max(highest or 0, count) if about else count, about, sizes.get(name)))
    return whole, tables


def _walks(session: Session) -> bool:
    return bool(session.scalar(text("SELECT sqlite_compileoption_used('ENABLE_DBSTAT_VTAB')")))
