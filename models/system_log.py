"""What happened on this installation."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BaseModel


class SystemLog(BaseModel):
    """One act of a person or of the system, and how it ended."""

    __tablename__ = "system_logs"
    __table_args__ = (
        Index("idx_system_log_time_status", "created_at", "status"),
        Index("idx_system_log_user_time", "user_id", "created_at"),
    )

    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str] = mapped_column(String(100), index=True)
    status: Mapped[str] = mapped_column(String(20))
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error_message: Mapped[str | None] = mapped_column(String(1000))
    # Beyond the source schema: from where, in which request, and the chain that shows a row that was changed.
    ip_address: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(64))
    previous_hash: Mapped[str | None] = mapped_column(String(64))
    row_hash: Mapped[str | None] = mapped_column(String(64))
