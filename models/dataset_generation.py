"""Jobs that generate datasets."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from database.types import enumeration
from models.base import BaseModel


class DatasetGenerationStatus(StrEnum):
    """Where a generation stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DatasetGeneration(BaseModel):
    """One order to generate signals, and the dataset it made."""

    __tablename__ = "dataset_generations"
    __table_args__ = (CheckConstraint("progress BETWEEN 0 AND 100", name="progress_percent"),)

    name: Mapped[str] = mapped_column(String(255))
    config: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    status: Mapped[DatasetGenerationStatus] = mapped_column(
        enumeration(DatasetGenerationStatus, "status"), default=DatasetGenerationStatus.PENDING, index=True
    )
    num_signals: Mapped[int | None]
    num_faults: Mapped[int | None]
    output_path: Mapped[str | None] = mapped_column(String(500))
    progress: Mapped[int] = mapped_column(default=0)
    celery_task_id: Mapped[str | None] = mapped_column(String(255), index=True)
    duration_seconds: Mapped[float | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
