"""Requests that may be sent again."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database.types import BigId, UTCDateTime, now
from models.base import Base


class IdempotencyKey(Base):
    """A request that created something, under the word that its sender gave it, and what it was answered."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "digest", name="uq_idempotency_keys_user_digest"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))  # of the route and the word
    body_digest: Mapped[str] = mapped_column(String(64))
    status_code: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(Text)  # encrypted: it may hold a key that is shown once
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime(), default=now, index=True)
