"""Searches over network architectures."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BaseModel

if TYPE_CHECKING:
    from models.dataset import Dataset


class NASCampaign(BaseModel):
    """A search over architectures on one dataset."""

    __tablename__ = "nas_campaigns"

    name: Mapped[str] = mapped_column(String(200))
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    search_algorithm: Mapped[str] = mapped_column(String(50))
    num_trials: Mapped[int]
    max_epochs_per_trial: Mapped[int]
    search_space_config: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(50), default="pending", index=True)
    best_trial_id: Mapped[int | None] = mapped_column(
        ForeignKey("nas_trials.id", name="fk_nas_campaigns_best_trial_id_nas_trials", use_alter=True), index=True
    )
    best_accuracy: Mapped[float | None]
    task_id: Mapped[str | None] = mapped_column(String(255))
    error_message: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)

    dataset: Mapped["Dataset"] = relationship(back_populates="nas_campaigns", lazy="raise")
    trials: Mapped[list["NASTrial"]] = relationship(
        back_populates="campaign",
        cascade="all, delete-orphan",
        foreign_keys="NASTrial.campaign_id",
        passive_deletes=True,
        order_by="NASTrial.trial_number",
        lazy="raise",
    )
    best_trial: Mapped["NASTrial | None"] = relationship(foreign_keys=[best_trial_id], post_update=True, lazy="raise")


class NASTrial(BaseModel):
    """One architecture that was trained and scored."""

    __tablename__ = "nas_trials"
    __table_args__ = (Index("ix_nas_trials_campaign_trial", "campaign_id", "trial_number"),)

    campaign_id: Mapped[int] = mapped_column(ForeignKey("nas_campaigns.id", ondelete="CASCADE"))
    trial_number: Mapped[int]
    architecture: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    architecture_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    validation_accuracy: Mapped[float | None]
    validation_loss: Mapped[float | None]
    training_time: Mapped[float | None]
    num_parameters: Mapped[int | None] = mapped_column(BigInteger)
    flops: Mapped[int | None] = mapped_column(BigInteger)
    model_size_mb: Mapped[float | None]
    metrics: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    campaign: Mapped["NASCampaign"] = relationship(back_populates="trials", foreign_keys=[campaign_id], lazy="raise")
