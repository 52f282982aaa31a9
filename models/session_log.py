"""Sessions of signed-in people."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database.types import UTCDateTime, now
from models.base import BaseModel

if TYPE_CHECKING:
    from models.user import User


class SessionLog(BaseModel):
    """One session; `session_token` holds the SHA-256 of the token in the cookie, never the token."""

    __tablename__ = "session_logs"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    session_token: Mapped[str] = mapped_column(String(255), unique=True)
    ip_address: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(500))
    device_type: Mapped[str | None] = mapped_column(String(50))
    browser: Mapped[str | None] = mapped_column(String(100))
    location: Mapped[str | None] = mapped_column(String(255))
    last_active: Mapped[datetime] = mapped_column(UTCDateTime(), default=now, index=True)
    is_active: Mapped[bool] = mapped_column(default=True, index=True)
    logged_out_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    end_reason: Mapped[str | None] = mapped_column(String(50))
    # Beyond the source schema: with what its owner proved who they are, and when.
    authenticated_at: Mapped[datetime | None]
    factors: Mapped[str | None] = mapped_column(String(50))
    second_factor_pending: Mapped[bool] = mapped_column(default=False, server_default=false())
    challenge: Mapped[str | None] = mapped_column(String(200))
    challenge_expires_at: Mapped[datetime | None]

    user: Mapped["User"] = relationship(back_populates="sessions", lazy="raise")
