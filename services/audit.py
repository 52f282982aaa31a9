"""The record of who did what."""

from typing import Any

from sqlalchemy.orm import Session

from models.system_log import SystemLog
from services.actor import Actor


def record(
    session: Session, actor: Actor, action: str, *, status: str = "success", error: str | None = None, **details: Any
) -> None:
    """Write one act in the caller's transaction, so that act and record stand or fall together."""
    session.add(
        SystemLog(
            user_id=actor.user_id,
            action=action,
            status=status,
            details={"by": actor.username, **details},
            error_message=None if error is None else error[:1000],
        )
    )
