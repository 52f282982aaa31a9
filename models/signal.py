"""Single recordings."""

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BaseModel

if TYPE_CHECKING:
    from models.dataset import Dataset


class Signal(BaseModel):
    """One vibration record of a dataset, with the features that lists are sorted by."""

    __tablename__ = "signals"
    __table_args__ = (Index("ix_signals_dataset_signal", "dataset_id", "signal_id"),)

    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"), index=True)
    signal_id: Mapped[str] = mapped_column(String(100), index=True)
    fault_class: Mapped[str | None] = mapped_column(String(50), index=True)
    severity: Mapped[str | None] = mapped_column(String(50))
    file_path: Mapped[str | None] = mapped_column(String(500))
    rms: Mapped[float | None]
    kurtosis: Mapped[float | None]
    dominant_frequency: Mapped[float | None]

    dataset: Mapped["Dataset"] = relationship(back_populates="signals", lazy="raise")
