"""Attempts to post an event."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database.types import JSONBinary
from models.base import BaseModel

if TYPE_CHECKING:
    from models.user import User
    from models.webhook_configuration import WebhookConfiguration


class WebhookStatus:
    """How an attempt ended."""

    SENT = "sent"
    FAILED = "failed"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    INVALID_URL = "invalid_url"
    PROVIDER_ERROR = "provider_error"

    ALL = (SENT, FAILED, RATE_LIMITED, TIMEOUT, INVALID_URL, PROVIDER_ERROR)


class WebhookLog(BaseModel):
    """One attempt to deliver one event to one address."""

    __tablename__ = "webhook_logs"

    webhook_config_id: Mapped[int] = mapped_column(
        ForeignKey("webhook_configurations.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    event_type: Mapped[str] = mapped_column(String(50), index=True)
    provider_type: Mapped[str] = mapped_column(String(50))
    webhook_url: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSONBinary)
    status: Mapped[str] = mapped_column(String(20), index=True)
    http_status_code: Mapped[int | None]
    response_body: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    retry_count: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]

    webhook_config: Mapped["WebhookConfiguration"] = relationship(back_populates="logs", lazy="raise")
    user: Mapped["User | None"] = relationship(back_populates="webhook_logs", lazy="raise")
