"""What a run was fed with, as its tracking client said."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class RunInput(Base):
    """A dataset (by name and digest) or a logged model (by its id) that a run took in."""

    __tablename__ = "run_inputs"

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(500), primary_key=True)
    digest: Mapped[str] = mapped_column(String(36), primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
