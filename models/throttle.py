"""Counters that slow guessing down."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Throttle(Base):
    """Failures of one account, one address or everybody; all workers and a restart share them."""

    __tablename__ = "throttles"

    bucket: Mapped[str] = mapped_column(String(100), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    window_started_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]
