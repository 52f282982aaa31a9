"""Links that work once."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BaseModel


class OneTimeToken(BaseModel):
    """A link for one purpose, usable once before it ends; only the SHA-256 of its token is kept."""

    __tablename__ = "one_time_tokens"

    purpose: Mapped[str] = mapped_column(String(30), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    payload: Mapped[str | None] = mapped_column(String(320))
