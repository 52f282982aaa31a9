"""Adding and removing a person's own second factors, each change told to them and ending their other sessions."""

from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models.backup_code import BackupCode
from models.passkey import Passkey
from models.permissions import Permission
from models.user import User
from services import audit, notices, sessions, sudo, vault
from services.actor import Actor
from services.errors import Conflict, Invalid, NotFound
from services.second_factor import backup_codes, policy, totp
from services.second_factor.backup_codes import FreshCodes
from services.second_factor.guesses import CLOCK_OFF
from services.sessions import SignedIn, Visitor


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a person has as a second factor."""

    app: bool
    passkeys: int
    codes_left: int
    has_codes: bool
    is_required: bool

    @property
    def any(self) -> bool:
        """Whether there is one at all; backup codes only stand in for one."""
        return self.app or self.passkeys > 0


def holdings(session: Session, actor: Actor) -> Holdings:
    """What the actor has."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    passkeys = select(func.count()).where(Passkey.user_id == User.id).correlate(User).scalar_subquery()
    codes = select(func.count()).where(BackupCode.user_id == User.id)
    row = session.execute(
        select(
            User.totp_enabled,
            passkeys,
            codes.correlate(User).scalar_subquery(),
            codes.where(BackupCode.is_used.is_(False)).correlate(User).scalar_subquery(),
            policy.STORED,
        ).where(User.id == actor.user_id)
    ).first()
    if row is None:
        raise NotFound("account")
    app, keys, made, left, decided = row
    return Holdings(app, keys, left, made > 0, actor.role in policy.roles_of(decided))


def offer_app(session: Session, actor: Actor) -> str:
    """A fresh seed that waits for its first code; the one in use stays until then."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    seed = totp.new_seed()
    waiting = vault.encrypt(totp.PURPOSE, seed)
    session.execute(update(User).where(User.id == actor.user_id).values(totp_pending_secret=waiting))
    return seed


def confirm_app(
    session: Session, signed_in: SignedIn, typed: str, fresh: FreshCodes | None, visitor: Visitor
) -> tuple[str, ...]:
    """Put the waiting seed to use once its app shows the right code; return the backup codes that came with it."""
    actor = signed_in.actor
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    waiting, step = _waiting(session, actor, typed)
    mine = update(User).where(User.id == actor.user_id, User.is_active, User.totp_pending_secret == waiting)
    values = {"totp_secret": waiting, "totp_pending_secret": None, "totp_enabled": True, "totp_last_step": step}
    number = session.scalar(mine.values(**values).returning(User.id))
    if number is None:
        raise Conflict("The set-up was begun anew elsewhere a moment ago.")
    codes = _codes_for_first(session, number, fresh)
    _changed(session, signed_in, "second_factor.add_app")
    sudo.confirm(session, signed_in, "totp")
    notices.tell_owner(session, number, "totp_added", visitor=visitor)
    return codes


def check_app(session: Session, actor: Actor, typed: str) -> None:
    """Refuse a wrong code before ten backup codes are made for nothing."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    _waiting(session, actor, typed)


def _waiting(session: Session, actor: Actor, typed: str) -> tuple[str, int]:
    """The seed that waits, as it is stored, and the step of the code that fits it."""
    waiting = session.scalar(select(User.totp_pending_secret).where(User.id == actor.user_id))
    if waiting is None:
        raise Conflict("The set-up has ended; begin anew.")
    code = totp.plain(typed)
    if code is None:
        raise Invalid("Type the six digits that the app shows.", field="code")
    reading = totp.read(totp.opened(waiting), code)
    if reading.step is None:
        wrong = "That is not the code that the app should show now; is it the newest entry?"
        raise Invalid(CLOCK_OFF if reading.clock_off else wrong, field="code")
    return waiting, reading.step


def _codes_for_first(session: Session, user_id: int, fresh: FreshCodes | None) -> tuple[str, ...]:
    made = session.scalar(select(BackupCode.id).where(BackupCode.user_id == user_id).limit(1))
    if fresh is None or made is not None:
        return ()
    backup_codes.store(session, user_id, fresh)
    return fresh.codes


def remove_app(session: Session, signed_in: SignedIn, visitor: Visitor) -> None:
    """Take the app off the account."""
    number = _own(session, signed_in)
    _refuse_if_last(session, signed_in.actor, app=False)
    none = {"totp_secret": None, "totp_pending_secret": None, "totp_enabled": False, "totp_last_step": None}
    mine = update(User).where(User.id == number, User.totp_enabled)
    if session.scalar(mine.values(**none).returning(User.id)) is None:
        raise NotFound("authenticator app")
    _drop_codes_of_none(session, signed_in.actor)
    _changed(session, signed_in, "second_factor.remove_app")
    notices.tell_owner(session, number, "totp_removed", visitor=visitor)


def remove_passkey(session: Session, signed_in: SignedIn, passkey_id: int, visitor: Visitor) -> str:
    """Take a passkey off the account and return its name."""
    number = _own(session, signed_in)
    mine = delete(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == number)
    name: str | None = session.scalar(mine.returning(Passkey.name))
    if name is None:
        raise NotFound("passkey")
    _refuse_if_last(session, signed_in.actor)
    _drop_codes_of_none(session, signed_in.actor)
    _changed(session, signed_in, "second_factor.remove_passkey", name=name)
    notices.tell_owner(session, number, "passkey_removed", visitor=visitor, name=name)
    return name


def note_passkey(session: Session, signed_in: SignedIn, name: str, visitor: Visitor) -> None:
    """A passkey was added: record it, tell its owner, end the other sessions."""
    _changed(session, signed_in, "second_factor.add_passkey", name=name)
    sudo.confirm(session, signed_in, "passkey")
    notices.tell_owner(session, signed_in.actor.user_id or 0, "passkey_added", visitor=visitor, name=name)


def renew_codes(session: Session, signed_in: SignedIn, fresh: FreshCodes, visitor: Visitor) -> tuple[str, ...]:
    """Ten new backup codes; the old ones no longer work."""
    number = _own(session, signed_in)
    if not holdings(session, signed_in.actor).any:
        raise Conflict("Backup codes stand in for a second factor; set one up first.")
    backup_codes.store(session, number, fresh)
    audit.record(session, signed_in.actor, "second_factor.renew_codes")
    notices.tell_owner(session, number, "backup_codes_renewed", visitor=visitor)
    return fresh.codes


def _own(session: Session, signed_in: SignedIn) -> int:
    """The actor's account, locked, so that of two changes at once each sees what the other left.

    A session that was ended while codes were hashed, as its owner saw a stranger in it, changes nothing any more.
    """
    actor = signed_in.actor
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    mine = select(User.id).where(User.id == actor.user_id, User.is_active)
    number = session.scalar(mine.with_for_update(key_share=True))
    if number is None:
        raise NotFound("account")
    sessions.require_open(session, signed_in.session_id)
    return number


def _refuse_if_last(session: Session, actor: Actor, *, app: bool = True) -> None:
    """A role that needs a second factor keeps one."""
    has = holdings(session, actor)
    if has.is_required and not ((has.app and app) or has.passkeys):
        raise Conflict("Your role needs a second factor; add another one before you remove this.")


def _drop_codes_of_none(session: Session, actor: Actor) -> None:
    if not holdings(session, actor).any:
        session.execute(delete(BackupCode).where(BackupCode.user_id == actor.user_id))


def _changed(session: Session, signed_in: SignedIn, action: str, **details: str) -> None:
    ended = sessions.end_all(session, signed_in.actor.user_id or 0, "second factor changed", but=signed_in.session_id)
    audit.record(session, signed_in.actor, action, sessions_ended=ended, **details)
