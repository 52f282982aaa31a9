"""What happened on this installation."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, event
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column

from models.base import BaseModel


class SystemLog(BaseModel):
    """One act of a person or of the system, and how it ended."""

    __tablename__ = "system_logs"
    __table_args__ = (
        Index("idx_system_log_time_status", "created_at", "status"),
        Index("idx_system_log_user_time", "user_id", "created_at"),
    )

    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str] = mapped_column(String(100), index=True)
    status: Mapped[str] = mapped_column(String(20))
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error_message: Mapped[str | None] = mapped_column(String(1000))
    # Beyond the source schema: from where, in which request, and the chain that shows a row that was changed.
    ip_address: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(64))
    previous_hash: Mapped[str | None] = mapped_column(String(64))
    row_hash: Mapped[str | None] = mapped_column(String(64))


class AppendOnly(RuntimeError):
    """A row of the log was to be changed or removed, which nothing in the product does."""


def _refuse(*_: Any) -> None:
    raise AppendOnly("Rows of the system log are never changed or removed.")


def _refuse_many(state: ORMExecuteState) -> None:
    if (state.is_update or state.is_delete) and any(mapper.class_ is SystemLog for mapper in state.all_mappers):
        _refuse()


event.listen(SystemLog, "before_update", _refuse)
event.listen(SystemLog, "before_delete", _refuse)
event.listen(Session, "do_orm_execute", _refuse_many)
