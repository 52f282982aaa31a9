"""Where events are posted to."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database.types import JSONBinary
from models.base import BaseModel

if TYPE_CHECKING:
    from models.user import User
    from models.webhook_log import WebhookLog


class WebhookConfiguration(BaseModel):
    """One address that is told about chosen events."""

    __tablename__ = "webhook_configurations"
    __table_args__ = (
        UniqueConstraint("user_id", "webhook_url", name="uq_user_webhook_url"),
        CheckConstraint("provider_type IN ('slack', 'teams', 'webhook')", name="provider_known"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider_type: Mapped[str] = mapped_column(String(50), index=True)
    webhook_url: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(default=True, index=True)
    enabled_events: Mapped[list[str]] = mapped_column(JSONBinary, default=list)
    settings: Mapped[dict[str, Any] | None] = mapped_column(JSONBinary)
    last_used_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    consecutive_failures: Mapped[int] = mapped_column(default=0)

    user: Mapped["User"] = relationship(back_populates="webhook_configurations", lazy="raise")
    logs: Mapped[list["WebhookLog"]] = relationship(back_populates="webhook_config", passive_deletes=True, lazy="raise")
