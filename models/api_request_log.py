"""API requests one by one, and summed up."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database.types import BigId
from models.base import Base, BaseModel

if TYPE_CHECKING:
    from models.api_key import APIKey


class APIRequestLog(BaseModel):
    """One request to the API, with sizes, time and redacted samples."""

    __tablename__ = "api_request_logs"
    # One for each way in which people look for requests, with the time behind it, since the newest are read first.
    __table_args__ = (
        Index("ix_api_request_logs_endpoint_time", "endpoint", "status_code", "request_time"),
        Index("ix_api_request_logs_status_time", "status_code", "request_time"),
        Index("ix_api_request_logs_key_time", "api_key_id", "request_time"),
        Index("ix_api_request_logs_address_time", "ip_address", "request_time"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True, sort_order=-10)
    endpoint: Mapped[str] = mapped_column(String(255))
    method: Mapped[str] = mapped_column(String(10))
    status_code: Mapped[int]
    request_time: Mapped[datetime] = mapped_column(index=True)
    response_time_ms: Mapped[float]
    request_size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    response_size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    ip_address: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(Text)
    api_key_id: Mapped[int | None] = mapped_column(ForeignKey("api_keys.id", ondelete="SET NULL"))
    error_message: Mapped[str | None] = mapped_column(Text)
    request_payload_sample: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    response_payload_sample: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # Beyond the source schema: what the client was told and the process log says.
    request_id: Mapped[str | None] = mapped_column(String(32), index=True)

    api_key: Mapped["APIKey | None"] = relationship(back_populates="request_logs", lazy="raise")


class APIMetricsSummary(BaseModel):
    """What happened on the API in one hour, day or week."""

    __tablename__ = "api_metrics_summary"
    __table_args__ = (
        Index("ix_api_metrics_summary_period_type", "period_start", "aggregation_type"),
        Index("uq_api_metrics_summary_type_period", "aggregation_type", "period_start", unique=True),
    )

    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    aggregation_type: Mapped[str] = mapped_column(String(20))
    total_requests: Mapped[int] = mapped_column(default=0)
    successful_requests: Mapped[int] = mapped_column(default=0)
    failed_requests: Mapped[int] = mapped_column(default=0)
    avg_response_time_ms: Mapped[float | None]
    p50_response_time_ms: Mapped[float | None]
    p95_response_time_ms: Mapped[float | None]
    p99_response_time_ms: Mapped[float | None]
    requests_per_second: Mapped[float | None]
    error_rate: Mapped[float | None]
    endpoint_metrics: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # Beyond the source schema: what percentiles of longer periods are merged from, apart from what lists read.
    sketch: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # of all requests
    parts: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # of each route and key, with their counts


class APIRequestCount(Base):
    """How many requests of one kind there have ever been; it only grows, and outlives their rows."""

    __tablename__ = "api_request_counts"

    endpoint: Mapped[str] = mapped_column(String(255), primary_key=True)
    method: Mapped[str] = mapped_column(String(10), primary_key=True)
    status_class: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    bucket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # of how long they took
    requests: Mapped[int] = mapped_column(BigInteger)
    nanoseconds: Mapped[int] = mapped_column(BigInteger)
