"""Hyper-parameter searches."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database.types import enumeration
from models.base import BaseModel
from models.experiment import ExperimentStatus

if TYPE_CHECKING:
    from models.experiment import Experiment


class HPOMethod(StrEnum):
    """How a campaign chooses its next trial."""

    GRID_SEARCH = "grid_search"
    RANDOM_SEARCH = "random_search"
    BAYESIAN = "bayesian"
    HYPERBAND = "hyperband"


class HPOCampaign(BaseModel):
    """A search over hyper-parameters whose trials are experiments."""

    __tablename__ = "hpo_campaigns"

    name: Mapped[str] = mapped_column(String(255), unique=True)
    method: Mapped[HPOMethod] = mapped_column(enumeration(HPOMethod, "method"))
    status: Mapped[ExperimentStatus] = mapped_column(
        enumeration(ExperimentStatus, "status"), default=ExperimentStatus.PENDING, index=True
    )
    base_model_type: Mapped[str | None] = mapped_column(String(50))
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("datasets.id"), index=True)
    search_space: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    budget: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    trials_completed: Mapped[int] = mapped_column(default=0)
    trials_total: Mapped[int | None]
    best_experiment_id: Mapped[int | None] = mapped_column(
        ForeignKey("experiments.id", name="fk_hpo_campaigns_best_experiment_id_experiments", use_alter=True), index=True
    )
    best_accuracy: Mapped[float | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)

    experiments: Mapped[list["Experiment"]] = relationship(
        back_populates="hpo_campaign", foreign_keys="Experiment.hpo_campaign_id", passive_deletes="all", lazy="raise"
    )
    # post_update breaks the circle: the campaign is written first, its best experiment named afterwards.
    best_experiment: Mapped["Experiment | None"] = relationship(
        foreign_keys=[best_experiment_id], post_update=True, lazy="raise"
    )
