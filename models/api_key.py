"""API keys and their use."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database.types import BigId, StringArray, UTCDateTime, now
from models.base import Base

if TYPE_CHECKING:
    from models.api_request_log import APIRequestLog
    from models.user import User


class APIKey(Base):
    """A key with which a program acts for its owner, never with more than the owner's role."""

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("rate_limit > 0", name="rate_limit_positive"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    key_hash: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(20), index=True)
    scopes: Mapped[list[str]] = mapped_column(StringArray, default=list)
    rate_limit: Mapped[int] = mapped_column(default=1000)
    last_used_at: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(default=True, index=True)
    expires_at: Mapped[datetime | None]
    # Beyond the source schema: from where it was used last, and how it came to its end.
    last_used_ip: Mapped[str | None] = mapped_column(String(45))
    replaced_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(255))
    end_told_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime(), default=now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime(), default=now, onupdate=now)

    user: Mapped["User"] = relationship(back_populates="api_keys", lazy="raise")
    usage_records: Mapped[list["APIUsage"]] = relationship(
        back_populates="api_key", cascade="all, delete-orphan", passive_deletes=True, lazy="raise"
    )
    request_logs: Mapped[list["APIRequestLog"]] = relationship(
        back_populates="api_key", passive_deletes=True, lazy="raise"
    )


class APIUsage(Base):
    """One request made with a key."""

    __tablename__ = "api_usage"
    __table_args__ = (Index("ix_api_usage_key_time", "api_key_id", "timestamp"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), index=True)
    endpoint: Mapped[str] = mapped_column(String(255))
    method: Mapped[str] = mapped_column(String(10))
    status_code: Mapped[int]
    response_time_ms: Mapped[int]
    timestamp: Mapped[datetime] = mapped_column(UTCDateTime(), default=now, index=True)

    api_key: Mapped["APIKey"] = relationship(back_populates="usage_records", lazy="raise")
