"""What has happened that people may want to be told of."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from database.types import BigId, UTCDateTime, now
from models.base import Base


class Event(Base):
    """Something that happened once, written in the transaction in which it did; mail and webhooks tell of it later."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    event_type: Mapped[str] = mapped_column(String(50), index=True)
    happened_at: Mapped[datetime] = mapped_column(UTCDateTime(), default=now, index=True)
    event_data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
