"""Groups of experiments, which MLflow calls experiments."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BaseModel


class ExperimentGroup(BaseModel):
    """A name under which experiments stand together; `experiments.group_name` says it again for lists."""

    __tablename__ = "experiment_groups"

    name: Mapped[str] = mapped_column(String(255), unique=True)
    tags: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    deleted_at: Mapped[datetime | None]
