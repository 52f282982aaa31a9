"""Full-text search over experiments: one function, a tsvector on PostgreSQL and FTS5 on SQLite."""

import re
from typing import Any

from sqlalchemy import Integer, column, false, func, literal_column, select, table, text
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from models.experiment import Experiment
from services.actor import Actor
from services.experiments.access import visibility

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_FTS = table("experiments_fts", column("rowid", Integer))


def words_of(query: str) -> list[str]:
    """The words of a query as both databases cut them: letters and digits, at most twelve."""
    return [word.casefold() for word in _WORD.findall(query[:500])][:12]


def matching(session: Session, query: str) -> ColumnElement[bool]:
    """The condition that an experiment has a word beginning with each word of the query."""
    words = words_of(query)
    if not words:
        return false()
    if session.get_bind().dialect.name == "postgresql":
        terms = " & ".join(f"{word}:*" for word in words)
        return literal_column("experiments.search_vector").op("@@")(func.to_tsquery("simple", terms))
    terms = " ".join(f'"{word}"*' for word in words)
    hits = select(_FTS.c.rowid).where(text("experiments_fts MATCH :terms").bindparams(terms=terms))
    return Experiment.id.in_(hits)


def find(session: Session, actor: Actor, query: str, limit: int = 10) -> list[dict[str, Any]]:
    """The newest experiments that match, for the command palette."""
    conditions = [*visibility(actor)]
    if query.strip():
        conditions.append(matching(session, query))
    found = session.execute(
        select(Experiment.id, Experiment.name, Experiment.given_name, Experiment.group_name, Experiment.status)
        .where(*conditions)
        .order_by(Experiment.created_at.desc(), Experiment.id.desc())
        .limit(max(1, min(limit, 50)))
    )
    return [
        {
            "id": row.id,
            "name": row.given_name or row.name,
            "group": row.group_name,
            "status": row.status.value,
            "href": f"/experiments/{row.id}",
        }
        for row in found
    ]
