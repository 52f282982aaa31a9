"""The way back in for somebody who lost their second factor: an admin takes it off the account."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.backup_code import BackupCode
from models.passkey import Passkey
from models.user import User
from services import audit, notices, people, sessions
from services.actor import Actor


def reset(session: Session, actor: Actor, user_id: int) -> None:
    """Take app, passkeys and backup codes off somebody's account, end their sessions and tell them."""
    user = people.changeable(session, actor, user_id)
    passkeys = _remove_all(session, user)
    ended = sessions.end_all(session, user.id, "second factor reset")
    audit.record(
        session, actor, "user.reset_second_factor", user=user.username, passkeys=passkeys, sessions_ended=ended
    )
    notices.tell_owner(session, user.id, "second_factor_reset", by=actor.username)


def _remove_all(session: Session, user: User) -> int:
    """Leave no second factor, and return how many passkeys there were."""
    user.totp_secret = user.totp_pending_secret = user.totp_last_step = None
    user.totp_enabled = False
    session.execute(delete(BackupCode).where(BackupCode.user_id == user.id))
    removed = session.scalars(delete(Passkey).where(Passkey.user_id == user.id).returning(Passkey.id))
    return len(removed.all())
