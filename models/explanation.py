"""Explanations of predictions."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BaseModel

if TYPE_CHECKING:
    from models.experiment import Experiment


class Explanation(BaseModel):
    """A cached answer to “why did this model say so about this signal?”."""

    __tablename__ = "explanations"
    __table_args__ = (Index("ix_explanations_experiment_signal_method", "experiment_id", "signal_id", "method"),)

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), index=True)
    signal_id: Mapped[str] = mapped_column(String(100), index=True)
    method: Mapped[str] = mapped_column(String(50))
    explanation_data: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    file_path: Mapped[str | None] = mapped_column(String(500))

    experiment: Mapped["Experiment"] = relationship(back_populates="explanations", lazy="raise")
