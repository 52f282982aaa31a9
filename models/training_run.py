"""The epochs of an experiment."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BaseModel

if TYPE_CHECKING:
    from models.experiment import Experiment


class TrainingRun(BaseModel):
    """One epoch of one experiment: loss, accuracy and learning rate."""

    __tablename__ = "training_runs"
    __table_args__ = (
        UniqueConstraint("experiment_id", "epoch", name="uq_training_runs_experiment_epoch"),
        Index("ix_training_runs_experiment_epoch", "experiment_id", "epoch"),
    )

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"))
    epoch: Mapped[int]
    train_loss: Mapped[float | None]
    val_loss: Mapped[float | None]
    train_accuracy: Mapped[float | None]
    val_accuracy: Mapped[float | None]
    learning_rate: Mapped[float | None]
    duration_seconds: Mapped[float | None]
    checkpoint_path: Mapped[str | None] = mapped_column(String(500))

    experiment: Mapped["Experiment"] = relationship(back_populates="training_runs", lazy="raise")


class ConfusionMatrix(BaseModel):
    """How often each true class was taken for each other one, after one epoch."""

    __tablename__ = "confusion_matrices"
    __table_args__ = (
        UniqueConstraint("experiment_id", "split", "epoch", name="uq_confusion_matrices_experiment_split_epoch"),
    )

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    split: Mapped[str] = mapped_column(String(20), default="validation")
    epoch: Mapped[int]
    labels: Mapped[list[str]] = mapped_column(JSON)
    counts: Mapped[list[list[int]]] = mapped_column(JSON)
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON)
