"""Requests that were sent twice, as after a lost answer: done once, answered alike.

The row of a request is written in the transaction of its effect: both are there or neither. Of several at once the
first to write the row wins, and the others wait for its commit and then find its answer.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from database.types import now
from models.idempotency_key import IdempotencyKey
from services import vault
from services.actor import Actor
from services.errors import Invalid

KEPT = timedelta(hours=48)
PURPOSE = "idempotent-answer"


class AnotherBody(Invalid):
    """The word was given to another request before."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Answered:
    """What the first request was answered."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """A request under its word: answered before, or to be answered now."""

    user_id: int
    digest: str
    answered: Answered | None = None


def claim(session: Session, actor: Actor, route: str, key: str, body: bytes) -> Claim:
    """Take the word for this request, or find what it was answered."""
    user_id = actor.user_id or 0
    digest, body_digest = _digest(f"{route}\n{key}".encode()), _digest(body)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = {"user_id": user_id, "digest": digest, "body_digest": body_digest, "created_at": now()}
    taken = session.execute(dialect.insert(IdempotencyKey).values(row).on_conflict_do_nothing())
    assert isinstance(taken, CursorResult)
    if taken.rowcount == 1:
        return Claim(user_id, digest)
    found = session.execute(
        select(
            IdempotencyKey.body_digest, IdempotencyKey.status_code, IdempotencyKey.answer, IdempotencyKey.headers
        ).where(IdempotencyKey.user_id == user_id, IdempotencyKey.digest == digest)
    ).one()
    if found.body_digest != body_digest:
        raise AnotherBody("This Idempotency-Key was used for another body.", field="Idempotency-Key")
    body = vault.decrypt(PURPOSE, found.answer or "").encode()
    return Claim(user_id, digest, Answered(found.status_code or 200, body, found.headers or {}))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def keep(session: Session, claimed: Claim, answered: Answered) -> None:
    """Remember the answer for as long as somebody may ask again."""
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.user_id == claimed.user_id, IdempotencyKey.digest == claimed.digest)
        .values(
            status_code=answered.status,
            answer=vault.encrypt(PURPOSE, answered.body.decode()),
            headers=answered.headers,
        )
    )
