"""Attempts to sign in."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from database.types import UTCDateTime, now
from models.base import BaseModel


class LoginHistory(BaseModel):
    """One attempt to sign in, whether it succeeded or not; without a user when no account has that name."""

    __tablename__ = "login_history"
    __table_args__ = (Index("ix_login_history_user_time", "user_id", "timestamp"),)

    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    ip_address: Mapped[str | None] = mapped_column(String(45), index=True)
    user_agent: Mapped[str | None] = mapped_column(String(500))
    location: Mapped[str | None] = mapped_column(String(255))
    login_method: Mapped[str] = mapped_column(String(20), default="password")
    success: Mapped[bool]
    failure_reason: Mapped[str | None] = mapped_column(String(255))
    timestamp: Mapped[datetime] = mapped_column(UTCDateTime(), default=now, index=True)
