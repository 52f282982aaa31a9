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


def terms_of(query: str) -> list[list[str]]:
    """What is asked for, each term as the words that both databases cut it into; at most twelve terms."""
    terms = [[word.casefold() for word in _WORD.findall(term)][:12] for term in query[:500].split()]
    return [words for words in terms if words][:12]


def matching(session: Session, query: str) -> ColumnElement[bool]:
    """The condition that an experiment has each term of the query, the last word of which may go on.

    What is written without a blank, such as UNet_lr, is one term: its words must follow each other.
    """
    asked = terms_of(query)
    if not asked:
        return false()
    if session.get_bind().dialect.name == "postgresql":
        terms = " & ".join(f"({' <-> '.join(words)}:*)" for words in asked)
        return literal_column("experiments.search_vector").op("@@")(func.to_tsquery("simple", terms))
    terms = " AND ".join(f'"{" ".join(words)}"*' for words in asked)
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
