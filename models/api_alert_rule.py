"""When the API answers so badly that people want to know."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from database.types import enumeration
from models.base import BaseModel


class AlertMeasure(enum.StrEnum):
    """What of the last minutes is looked at."""

    ERROR_RATE = "error_rate"  # a share
    P95 = "p95"  # milliseconds


class APIAlertRule(BaseModel):
    """A bound on the requests of the last minutes, of all of them or of one route, and whether it is exceeded now."""

    __tablename__ = "api_alert_rules"
    __table_args__ = (
        CheckConstraint("threshold > 0", name="threshold_positive"),
        CheckConstraint("window_minutes BETWEEN 1 AND 60", name="window_within_an_hour"),
    )

    measure: Mapped[AlertMeasure] = mapped_column(enumeration(AlertMeasure, "alert_measure"))
    threshold: Mapped[float]
    window_minutes: Mapped[int]
    endpoint: Mapped[str | None] = mapped_column(String(270))  # with the method in front, as the metrics name routes
    is_active: Mapped[bool] = mapped_column(default=True)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    raised_at: Mapped[datetime | None]  # empty while all is well
    changed_at: Mapped[datetime | None]  # when it was last raised or resolved
    last_value: Mapped[float | None]
    last_requests: Mapped[int | None]
    looked_at: Mapped[datetime | None]
