"""Deleting an account: what is personal goes, what it made stays, and its row becomes a tombstone for the trail."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import func, null, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from database.types import now
from models.api_key import APIKey
from models.backup_code import BackupCode
from models.dataset import Dataset
from models.email_digest_queue import EmailDigestQueue
from models.email_log import EmailLog, EmailStatus
from models.experiment import Experiment
from models.linked_identity import LinkedIdentity
from models.login_history import LoginHistory
from models.notification_preference import NotificationPreference
from models.one_time_token import OneTimeToken
from models.passkey import Passkey
from models.permissions import Role
from models.saved_search import SavedSearch
from models.session_log import SessionLog
from models.system_log import SystemLog
from models.webhook_configuration import WebhookConfiguration
from services import accounts, audit, identities, people
from services.actor import Actor
from services.people import NO_PASSWORD

Owner = InstrumentedAttribute[Any]
# Removed in this order; the rest of what points to an account stays.
GOES: dict[str, Owner] = {
    "API keys": APIKey.user_id,
    "sessions": SessionLog.user_id,
    "passkeys": Passkey.user_id,
    "backup codes": BackupCode.user_id,
    "linked accounts": LinkedIdentity.user_id,
    "one-time links": OneTimeToken.user_id,
    "notification settings": NotificationPreference.user_id,
    "saved searches": SavedSearch.user_id,
    "waiting digests": EmailDigestQueue.user_id,
    "webhooks": WebhookConfiguration.user_id,
}
STAYS: dict[str, Owner] = {
    "experiments": Experiment.created_by,
    "datasets": Dataset.created_by,
    "rows of the system log": SystemLog.user_id,
    "sign-ins": LoginHistory.user_id,
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What becomes of what belongs to somebody; nothing is counted that there is none of."""

    user_id: int
    username: str
    goes: dict[str, int]
    stays: dict[str, int]


def preview(session: Session, actor: Actor, user_id: int) -> Preview:
    """Count what would go and what would stay, in one statement."""
    user = people.get(session, actor, user_id)
    counted = [
        select(func.count())
        .where(owner == user_id, *(people.live_sessions(now()) if owner is SessionLog.user_id else ()))
        .scalar_subquery()
        .label(f"n{place}")
        for place, owner in enumerate([*GOES.values(), *STAYS.values()])
    ]
    counts = dict(zip([*GOES, *STAYS], session.execute(select(*counted)).one(), strict=True))
    goes, stays = ({name: counts[name] for name in part if counts[name]} for part in (GOES, STAYS))
    return Preview(user_id, user.username, goes, stays)


def delete(session: Session, actor: Actor, user_id: int) -> str:
    """Delete an account and return the name that it had, which is free again; the last super admin stays."""
    user = people.changeable(session, actor, user_id)
    people.refuse_last_owner(session, user)
    # Stronger than other changes: what refers to the account and is being written comes before, so that it goes too.
    session.refresh(user, with_for_update=True)
    found = preview(session, actor, user_id)
    accounts.end_invitations_by(session, actor, user)
    identities.leave_fingerprints(session, user_id)
    for owner in GOES.values():
        if owner is LinkedIdentity.user_id:
            continue
        session.execute(delete_from(owner.class_).where(owner == user_id))
    _strip_mails(session, user_id)
    name, role = user.username, user.role
    user.username, user.email = f"deleted-{user_id}", _address(user_id)
    user.password_hash, user.is_active, user.role = NO_PASSWORD, False, Role.VIEWER.value
    user.totp_secret = user.totp_pending_secret = user.totp_last_step = None
    user.totp_enabled = user.password_reset_required = False
    user.display_name = user.time_zone = user.theme = user.density = None
    user.deleted_at = now()
    session.flush()
    audit.record(
        session, actor, "user.delete", user=name, number=user_id, role=role, removed=found.goes, kept=found.stays
    )
    return name


def _address(user_id: int) -> str:
    return f"deleted-{user_id}@invalid"


def _strip_mails(session: Session, user_id: int) -> None:
    """Of mails only that there were some is kept; one that waits is not sent any more."""
    theirs = update(EmailLog).where(EmailLog.user_id == user_id)
    waiting = theirs.where(EmailLog.status == EmailStatus.PENDING)
    session.execute(waiting.values(status=EmailStatus.FAILED, error_message="The account was deleted."))
    session.execute(theirs.values(recipient_email=_address(user_id), event_data=null()))
