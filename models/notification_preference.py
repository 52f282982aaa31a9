"""What each person wants to be told, and how."""

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BaseModel

if TYPE_CHECKING:
    from models.user import User


class EventType:
    """The twelve events of the product."""

    TRAINING_STARTED = "training.started"
    TRAINING_COMPLETE = "training.complete"
    TRAINING_FAILED = "training.failed"
    TRAINING_PAUSED = "training.paused"
    TRAINING_RESUMED = "training.resumed"
    HPO_CAMPAIGN_STARTED = "hpo.campaign_started"
    HPO_TRIAL_COMPLETE = "hpo.trial_complete"
    HPO_CAMPAIGN_COMPLETE = "hpo.campaign_complete"
    HPO_CAMPAIGN_FAILED = "hpo.campaign_failed"
    ACCURACY_MILESTONE = "accuracy.milestone"
    MODEL_DEPLOYED = "model.deployed"
    SYSTEM_MAINTENANCE = "system.maintenance"

    ALL = (
        TRAINING_STARTED,
        TRAINING_COMPLETE,
        TRAINING_FAILED,
        TRAINING_PAUSED,
        TRAINING_RESUMED,
        HPO_CAMPAIGN_STARTED,
        HPO_TRIAL_COMPLETE,
        HPO_CAMPAIGN_COMPLETE,
        HPO_CAMPAIGN_FAILED,
        ACCURACY_MILESTONE,
        MODEL_DEPLOYED,
        SYSTEM_MAINTENANCE,
    )


class NotificationPreference(BaseModel):
    """One person's choice of channels for one event."""

    __tablename__ = "notification_preferences"
    __table_args__ = (
        UniqueConstraint("user_id", "event_type", name="uq_user_event_type"),
        CheckConstraint("email_frequency IN ('immediate', 'digest_daily', 'digest_weekly')", name="frequency_known"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    event_type: Mapped[str] = mapped_column(String(50))
    email_enabled: Mapped[bool] = mapped_column(default=False)
    in_app_enabled: Mapped[bool] = mapped_column(default=True)
    slack_enabled: Mapped[bool] = mapped_column(default=False)
    webhook_enabled: Mapped[bool] = mapped_column(default=False)
    email_frequency: Mapped[str] = mapped_column(String(20), default="immediate")

    user: Mapped["User"] = relationship(back_populates="notification_preferences", lazy="raise")
