"""Tags of experiments."""

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BaseModel

if TYPE_CHECKING:
    from models.experiment import Experiment


class Tag(BaseModel):
    """A word that groups experiments; `usage_count` always equals its rows in experiment_tags."""

    __tablename__ = "tags"
    __table_args__ = (CheckConstraint("usage_count >= 0", name="usage_count_not_negative"),)

    name: Mapped[str] = mapped_column(String(50), unique=True)
    slug: Mapped[str] = mapped_column(String(50), unique=True)
    color: Mapped[str | None] = mapped_column(String(7))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    usage_count: Mapped[int] = mapped_column(default=0)

    experiment_tags: Mapped[list["ExperimentTag"]] = relationship(
        back_populates="tag", cascade="all, delete-orphan", passive_deletes=True, lazy="raise"
    )


class ExperimentTag(BaseModel):
    """One tag on one experiment."""

    __tablename__ = "experiment_tags"
    __table_args__ = (UniqueConstraint("experiment_id", "tag_id", name="uq_experiment_tag"),)

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), index=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), index=True)
    added_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)

    experiment: Mapped["Experiment"] = relationship(back_populates="experiment_tags", lazy="raise")
    tag: Mapped["Tag"] = relationship(back_populates="experiment_tags", lazy="raise")
