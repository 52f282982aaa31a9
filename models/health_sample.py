"""How the machine was doing."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from database.types import BigId, UTCDateTime, now
from models.base import Base


class HealthSample(Base):
    """Load, memory, disk and queue at one moment."""

    __tablename__ = "health_samples"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime(), default=now, index=True)
    cpu_percent: Mapped[float]
    memory_used: Mapped[int] = mapped_column(BigInteger)
    memory_total: Mapped[int] = mapped_column(BigInteger)
    disk_used: Mapped[int] = mapped_column(BigInteger)
    disk_total: Mapped[int] = mapped_column(BigInteger)
    jobs_waiting: Mapped[int]
    jobs_running: Mapped[int]
