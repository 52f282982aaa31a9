"""Events that wait for a digest."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BaseModel

if TYPE_CHECKING:
    from models.user import User


class EmailDigestQueue(BaseModel):
    """One event that goes into one person's next digest."""

    __tablename__ = "email_digest_queue"
    __table_args__ = (
        Index("idx_digest_queue_user_scheduled", "user_id", "scheduled_for"),
        Index("idx_digest_queue_included", "included_in_digest", "scheduled_for"),
        Index("idx_digest_queue_event_scheduled", "event_type", "scheduled_for"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(String(50))
    event_data: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    scheduled_for: Mapped[datetime]
    included_in_digest: Mapped[bool] = mapped_column(default=False)

    user: Mapped["User"] = relationship(back_populates="digest_queue", lazy="raise")
