"""Experiments: one attempt to train a model."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, Computed, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database.types import enumeration
from models.base import BaseModel
from models.search_document import search_document

if TYPE_CHECKING:
    from models.dataset import Dataset
    from models.explanation import Explanation
    from models.hpo_campaign import HPOCampaign
    from models.tag import ExperimentTag
    from models.training_run import TrainingRun


class ExperimentStatus(StrEnum):
    """Where an experiment or a campaign stands."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = frozenset({ExperimentStatus.PENDING, ExperimentStatus.RUNNING, ExperimentStatus.PAUSED})


class Experiment(BaseModel):
    """One attempt to train a model on a dataset; never restarted once it has ended."""

    __tablename__ = "experiments"
    __table_args__ = (
        CheckConstraint("epochs_completed >= 0", name="epochs_completed_not_negative"),
        UniqueConstraint("source", "source_id", name="uq_experiments_source"),
        # A list is sorted by any of these with the id as the tie-break, so the index carries both.
        Index("ix_experiments_created", "created_at", "id"),
        Index("ix_experiments_status_created", "status", "created_at", "id"),
        Index("ix_experiments_duration", "duration_seconds", "id"),
        Index("ix_experiments_epochs", "epochs_completed", "id"),
        Index("ix_experiments_model", "model_type", "id"),
        Index("ix_experiments_ended", "ended_at", "id"),
        Index("ix_experiments_updated", "updated_at"),  # whether the list has changed is asked every few seconds
        Index("ix_experiments_search_vector", "search_vector", postgresql_using="gin").ddl_if(dialect="postgresql"),
    )

    name: Mapped[str] = mapped_column(String(255), unique=True)
    model_type: Mapped[str | None] = mapped_column(String(50), index=True)
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("datasets.id"), index=True)
    status: Mapped[ExperimentStatus] = mapped_column(
        enumeration(ExperimentStatus, "status"), default=ExperimentStatus.PENDING, index=True
    )
    config: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    hyperparameters: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    metrics: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    best_epoch: Mapped[int | None]
    total_epochs: Mapped[int | None]
    duration_seconds: Mapped[float | None]
    model_path: Mapped[str | None] = mapped_column(String(500))
    onnx_path: Mapped[str | None] = mapped_column(String(500))
    results_dir: Mapped[str | None] = mapped_column(String(500))
    notes: Mapped[str | None] = mapped_column(Text)
    search_vector: Mapped[str | None] = mapped_column(
        TSVECTOR().with_variant(Text(), "sqlite"),
        Computed(search_document(), persisted=True),
        deferred=True,
        deferred_raiseload=True,
    )
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    hpo_campaign_id: Mapped[int | None] = mapped_column(
        ForeignKey("hpo_campaigns.id", name="fk_experiments_hpo_campaign_id_hpo_campaigns", use_alter=True), index=True
    )

    # Beyond the source schema; docs/schema.md gives the reason of each.
    given_name: Mapped[str | None] = mapped_column(String(255))
    group_name: Mapped[str | None] = mapped_column(String(255), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("experiments.id", ondelete="SET NULL"), index=True)
    source: Mapped[str | None] = mapped_column(String(20))
    source_id: Mapped[str | None] = mapped_column(String(500))
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None] = mapped_column(index=True)
    failure_reason: Mapped[str | None] = mapped_column(Text)
    epochs_completed: Mapped[int] = mapped_column(default=0)
    artifact_paths: Mapped[list[str] | None] = mapped_column(JSON)
    is_demo: Mapped[bool] = mapped_column(default=False)

    dataset: Mapped["Dataset | None"] = relationship(back_populates="experiments", lazy="raise")
    hpo_campaign: Mapped["HPOCampaign | None"] = relationship(
        back_populates="experiments", foreign_keys=[hpo_campaign_id], lazy="raise"
    )
    training_runs: Mapped[list["TrainingRun"]] = relationship(
        back_populates="experiment", cascade="all, delete-orphan", order_by="TrainingRun.epoch", lazy="raise"
    )
    experiment_tags: Mapped[list["ExperimentTag"]] = relationship(
        back_populates="experiment", passive_deletes=True, lazy="raise"
    )
    explanations: Mapped[list["Explanation"]] = relationship(
        back_populates="experiment", passive_deletes="all", lazy="raise"
    )

    @property
    def is_active(self) -> bool:
        """Whether it has not ended yet."""
        return self.status in ACTIVE

    @property
    def shown_name(self) -> str:
        """The name its author gave, which need not be unique."""
        return self.given_name or self.name
