"""Codes for people who lost their second factor."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BaseModel


class BackupCode(BaseModel):
    """One single-use code, hashed."""

    __tablename__ = "backup_codes"
    __table_args__ = (Index("ix_backup_codes_user_unused", "user_id", "is_used"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(String(255), unique=True)
    is_used: Mapped[bool] = mapped_column(default=False)
    used_at: Mapped[datetime | None]
    ip_address: Mapped[str | None] = mapped_column(String(45))
