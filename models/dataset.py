"""Datasets of vibration signals."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BaseModel

if TYPE_CHECKING:
    from models.experiment import Experiment
    from models.nas_campaign import NASCampaign
    from models.signal import Signal


class Dataset(BaseModel):
    """A named collection of signals that models are trained on."""

    __tablename__ = "datasets"
    __table_args__ = (CheckConstraint("num_signals >= 0", name="num_signals_not_negative"),)

    name: Mapped[str] = mapped_column(String(255), unique=True)
    description: Mapped[str | None] = mapped_column(String(1000))
    num_signals: Mapped[int] = mapped_column(default=0)
    fault_types: Mapped[list[str] | None] = mapped_column(JSON)
    severity_levels: Mapped[list[str] | None] = mapped_column(JSON)
    file_path: Mapped[str | None] = mapped_column(String(500))
    meta_data: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    is_demo: Mapped[bool] = mapped_column(default=False)

    experiments: Mapped[list["Experiment"]] = relationship(
        back_populates="dataset", passive_deletes="all", lazy="raise"
    )
    signals: Mapped[list["Signal"]] = relationship(back_populates="dataset", passive_deletes="all", lazy="raise")
    nas_campaigns: Mapped[list["NASCampaign"]] = relationship(
        back_populates="dataset", passive_deletes=True, lazy="raise"
    )
