"""People who sign in."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BaseModel
from models.permissions import Role

if TYPE_CHECKING:
    from models.api_key import APIKey
    from models.email_digest_queue import EmailDigestQueue
    from models.email_log import EmailLog
    from models.notification_preference import NotificationPreference
    from models.saved_search import SavedSearch
    from models.session_log import SessionLog
    from models.webhook_configuration import WebhookConfiguration
    from models.webhook_log import WebhookLog

_ROLES = ", ".join(f"'{role.value}'" for role in Role)


class User(BaseModel):
    """One person's account."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint(f"role IN ({_ROLES})", name="role_known"),)

    username: Mapped[str] = mapped_column(String(100), unique=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20), default=Role.VIEWER.value)
    is_active: Mapped[bool] = mapped_column(default=True)
    totp_secret: Mapped[str | None] = mapped_column(String(255))
    totp_enabled: Mapped[bool] = mapped_column(default=False)
    # Beyond the source schema: how they want things shown, how they get in, and how the account ended.
    display_name: Mapped[str | None] = mapped_column(String(100))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    theme: Mapped[str | None] = mapped_column(String(10))
    density: Mapped[str | None] = mapped_column(String(12))
    totp_pending_secret: Mapped[str | None] = mapped_column(String(255))
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    password_reset_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    deleted_at: Mapped[datetime | None]

    api_keys: Mapped[list["APIKey"]] = relationship(
        back_populates="user", cascade="all, delete-orphan", passive_deletes=True, lazy="raise"
    )
    sessions: Mapped[list["SessionLog"]] = relationship(
        back_populates="user", cascade="all, delete-orphan", lazy="raise"
    )
    notification_preferences: Mapped[list["NotificationPreference"]] = relationship(
        back_populates="user", passive_deletes=True, lazy="raise"
    )
    email_logs: Mapped[list["EmailLog"]] = relationship(back_populates="user", passive_deletes=True, lazy="raise")
    digest_queue: Mapped[list["EmailDigestQueue"]] = relationship(
        back_populates="user", passive_deletes=True, lazy="raise"
    )
    webhook_configurations: Mapped[list["WebhookConfiguration"]] = relationship(
        back_populates="user", passive_deletes=True, lazy="raise"
    )
    webhook_logs: Mapped[list["WebhookLog"]] = relationship(back_populates="user", passive_deletes=True, lazy="raise")
    saved_searches: Mapped[list["SavedSearch"]] = relationship(
        back_populates="user", passive_deletes=True, lazy="raise"
    )
