"""Hyper-parameters as rows, so that lists can filter and sort by them."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class ExperimentParam(Base):
    """One hyper-parameter of one experiment; `experiments.hyperparameters` holds the same in full."""

    __tablename__ = "experiment_params"
    __table_args__ = (
        Index("ix_experiment_params_text", "name", "value_text", "experiment_id"),
        Index("ix_experiment_params_number", "name", "value_number", "experiment_id"),
    )

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(250), primary_key=True)
    value_text: Mapped[str | None] = mapped_column(String(250))
    value_number: Mapped[float | None]
