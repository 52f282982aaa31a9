"""Named metrics of any length: one row per series, its points packed into chunks."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class MetricKey(Base):
    """The name of a metric, kept once."""

    __tablename__ = "metric_keys"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(250), unique=True)


class MetricSeries(Base):
    """One metric of one experiment: what lists sort and filter by, without touching its points.

    Last, lowest and highest are of the finite points; `last_special` says when the last one was not finite.
    """

    __tablename__ = "metric_series"
    __table_args__ = (
        UniqueConstraint("experiment_id", "key_id", name="uq_metric_series_experiment_key"),
        Index("ix_metric_series_last", "key_id", "last_value", "experiment_id"),
        Index("ix_metric_series_min", "key_id", "min_value", "experiment_id"),
        Index("ix_metric_series_max", "key_id", "max_value", "experiment_id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    key_id: Mapped[int] = mapped_column(ForeignKey("metric_keys.id"))
    points: Mapped[int] = mapped_column(default=0)
    nonfinite: Mapped[int] = mapped_column(default=0)
    first_step: Mapped[int | None] = mapped_column(BigInteger)
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    last_value: Mapped[float | None]
    last_special: Mapped[str | None] = mapped_column(String(4))
    last_time: Mapped[float | None]
    min_value: Mapped[float | None]
    min_step: Mapped[int | None] = mapped_column(BigInteger)
    max_value: Mapped[float | None]
    max_step: Mapped[int | None] = mapped_column(BigInteger)
    in_order: Mapped[bool] = mapped_column(default=True)


class MetricChunk(Base):
    """A run of consecutive points of a series, in the order in which they came, as packed columns."""

    __tablename__ = "metric_chunks"

    series_id: Mapped[int] = mapped_column(ForeignKey("metric_series.id", ondelete="CASCADE"), primary_key=True)
    start: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    points: Mapped[int]
    step_codec: Mapped[int] = mapped_column(SmallInteger)
    first_step: Mapped[int] = mapped_column(BigInteger)
    last_step: Mapped[int] = mapped_column(BigInteger)
    low_step: Mapped[int] = mapped_column(BigInteger)
    high_step: Mapped[int] = mapped_column(BigInteger)
    steps: Mapped[bytes] = mapped_column(LargeBinary)
    values: Mapped[bytes] = mapped_column(LargeBinary)
    times: Mapped[bytes] = mapped_column(LargeBinary)
