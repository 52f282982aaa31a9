"""The people of an installation, as those see and change them who manage users."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnExpressionArgument, Select, func, or_, select
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.api_key import APIKey
from models.login_history import LoginHistory
from models.one_time_token import OneTimeToken
from models.passkey import Passkey
from models.permissions import Permission, PermissionDenied, Role, permissions_of
from models.session_log import SessionLog
from models.user import User
from services import accounts, audit, notices, one_time_tokens, passwords, sessions
from services.actor import Actor
from services.api_keys import after_reset
from services.errors import Conflict, Forbidden, Invalid, NotFound
from services.mail import invitations
from services.text import clean

PAGE = 100
INVITATION_LASTS = timedelta(days=7)
NO_PASSWORD = "!"  # noqa: S105 - no hash: nothing that anybody types fits it


State = Literal["active", "disabled", "invited", "invitation ended"]


@dataclass(frozen=True, slots=True)
class Person:
    """One account as those see it who manage users."""

    id: int
    username: str
    email: str
    role: str
    state: State
    two_factor: bool
    must_choose_password: bool
    last_sign_in: datetime | None
    sessions: int
    keys: int
    created: datetime
    may_change: bool


def visible_to(actor: Actor) -> Select[User]:
    """Every read of people starts here: all who were not deleted, for those who manage users."""
    actor.require(Permission.MANAGE_USERS)
    return select(User).where(User.deleted_at.is_(None))


def get(session: Session, actor: Actor, user_id: int) -> Person:
    """One person."""
    row = session.execute(_facts(actor).where(User.id == user_id)).first()
    if row is None:
        raise NotFound("account")
    return _person(actor, row)


def page(
    session: Session, actor: Actor, *, text: str = "", role: str | None = None, after: str | None = None
) -> tuple[list[Person], str | None]:
    """People by name, those whose name or address holds the text, and after which name the next page begins."""
    query = _facts(actor)
    wanted = clean(text, field="text", longest=100)
    if wanted:
        query = query.where(or_(*(column.icontains(wanted, autoescape=True) for column in (User.username, User.email))))
    if role is not None:
        query = query.where(User.role == _role(role).value)
    if after is not None:
        query = query.where(User.username > after)
    rows = session.execute(query.order_by(User.username).limit(PAGE + 1)).all()
    people = [_person(actor, row) for row in rows[:PAGE]]
    return people, people[-1].username if len(rows) > PAGE else None


def live_sessions(moment: datetime) -> tuple[ColumnExpressionArgument[bool], ...]:
    """What makes a row one in which somebody is signed in; ended ones are kept for a while."""
    return (
        SessionLog.is_active,
        SessionLog.second_factor_pending.is_(False),
        SessionLog.expires_at > moment,
        SessionLog.last_active > moment - settings().session_idle,
    )


def _facts(actor: Actor) -> Select[Any]:
    """People with what is counted of them, in one statement however many they are."""
    moment = now()
    live = (
        select(func.count())
        .select_from(SessionLog)
        .where(SessionLog.user_id == User.id, *live_sessions(moment))
        .correlate(User)
        .scalar_subquery()
    )
    keys = select(func.count()).select_from(APIKey).where(APIKey.user_id == User.id, APIKey.is_active)
    last = select(func.max(LoginHistory.timestamp)).where(LoginHistory.user_id == User.id, LoginHistory.success)
    invited = select(OneTimeToken.id).where(
        OneTimeToken.user_id == User.id,
        OneTimeToken.purpose == "invitation",
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > moment,
    )
    passkeys = select(Passkey.id).where(Passkey.user_id == User.id)
    return visible_to(actor).add_columns(
        live,
        keys.correlate(User).scalar_subquery(),
        last.correlate(User).scalar_subquery(),
        invited.correlate(User).exists(),
        passkeys.correlate(User).exists(),
    )


def _person(actor: Actor, row: Any) -> Person:
    user, open_sessions, open_keys, last_sign_in, is_invited, has_passkey = row
    return Person(
        id=user.id,
        username=user.username,
        email=user.email,
        role=user.role,
        state=_state(user, is_invited),
        two_factor=user.totp_enabled or has_passkey,
        must_choose_password=user.password_reset_required,
        last_sign_in=last_sign_in,
        sessions=open_sessions,
        keys=open_keys,
        created=user.created_at,
        may_change=_may_change(actor, user),
    )


def _state(user: User, is_invited: bool) -> State:
    if user.is_active:
        return "active"
    if user.password_hash != NO_PASSWORD:
        return "disabled"
    return "invited" if is_invited else "invitation ended"


def _role(value: str) -> Role:
    try:
        return Role(value)
    except ValueError as error:
        raise Invalid("There is no such role.", field="role") from error


def _may_change(actor: Actor, user: User) -> bool:
    above = user.role == Role.SUPER_ADMIN.value and not actor.may(Permission.SECURITY_SETTINGS)
    return user.id != actor.user_id and not above


def changeable(session: Session, actor: Actor, user_id: int) -> User:
    """The account, locked, if the actor may change it; nobody changes themselves or somebody above them here.

    The super admins are locked before it, always: two such acts at once would else wait for each other.
    """
    accounts.lock_owners(session)
    user = session.scalar(visible_to(actor).where(User.id == user_id).with_for_update(key_share=True))
    if user is None:
        raise NotFound("account")
    if user.id == actor.user_id:
        raise Conflict("Your own account is changed by somebody else.")
    if not _may_change(actor, user):
        raise Forbidden("Only a super admin changes a super admin.")
    return user


def invite(session: Session, actor: Actor, *, username: str, email: str, role: str) -> str:
    """Make an account that waits for its owner and return their link, which works once."""
    return add_invited(session, actor, username=username, email=email, role=role)[1]


def add_invited(session: Session, actor: Actor, *, username: str, email: str, role: str) -> tuple[User, str]:
    """The same, for who shows the account as well."""
    actor.require(Permission.MANAGE_USERS)
    wanted = _role(role)
    if wanted is Role.SUPER_ADMIN:
        actor.require(Permission.SECURITY_SETTINGS)
    name, address = accounts.check_names(username, email)
    user = accounts.add(session, actor, name, address, wanted, NO_PASSWORD)
    user.is_active = False
    return user, _link(session, actor, user)


def _link(session: Session, actor: Actor, user: User) -> str:
    maker = _maker(session, actor)
    token = one_time_tokens.issue(session, "invitation", INVITATION_LASTS, user.id, payload=maker)
    invitations.order(session, actor, user, f"/invitation/{token}", now() + INVITATION_LASTS)
    return f"{settings().address}/invitation/{token}"


def _maker(session: Session, actor: Actor) -> str | None:
    """Who is about to see a link and could use it themselves: as they are now, not as they were when they asked."""
    if actor.user_id is None:
        return None
    mine = select(User.role).where(User.id == actor.user_id, User.is_active)
    role = session.scalar(mine.with_for_update(read=True))
    if Permission.MANAGE_USERS not in permissions_of(role or ""):
        raise PermissionDenied(Permission.MANAGE_USERS.value)
    return str(actor.user_id)


def invite_again(session: Session, actor: Actor, user_id: int) -> str:
    """A new link for somebody who has not come yet; the earlier one ends."""
    user = changeable(session, actor, user_id)
    if user.password_hash != NO_PASSWORD:
        raise Conflict(f"{user.username} has come already.")
    audit.record(session, actor, "user.invite_again", user=user.username)
    return _link(session, actor, user)


def invited(session: Session, token: str) -> User | None:
    """Who an invitation is for, while it is open."""
    found = one_time_tokens.find(session, "invitation", token)
    return None if found is None or found.user_id is None else session.get(User, found.user_id)


def accept(session: Session, token: str, password_hash: str) -> User:
    """Open the account with the password that its owner chose; of two at once, one wins."""
    used = one_time_tokens.use(session, "invitation", token)
    user = None if used is None else one_time_tokens.owner(session, used)
    if user is None or user.password_hash != NO_PASSWORD:
        raise NotFound("invitation")
    user.password_hash, user.is_active = password_hash, True
    audit.record(session, Actor(user.id, user.username, user.role, frozenset()), "user.accept_invitation")
    return user


def set_role(session: Session, actor: Actor, user_id: int, role: str) -> User:
    """Give somebody another role; their sessions end."""
    return accounts.set_role(session, actor, changeable(session, actor, user_id).username, _role(role))


def set_active(session: Session, actor: Actor, user_id: int, active: bool) -> User:
    """Let somebody in again, or shut them out from their next request on; the last super admin stays."""
    user = changeable(session, actor, user_id)
    if active and user.password_hash == NO_PASSWORD:
        raise Conflict(f"{user.username} has not chosen a password yet; send a new invitation.")
    if not active:
        refuse_last_owner(session, user)
    if not active:
        one_time_tokens.end_all(session, user.id)  # also of somebody invited, who is not active yet
        accounts.end_invitations_by(session, actor, user)
    is_waiting = user.password_hash == NO_PASSWORD
    if user.is_active is active and not is_waiting:
        return user
    user.is_active = active
    ended = 0 if active else sessions.end_all(session, user.id, "account disabled")
    action = "user.enable" if active else "user.disable"
    sides = ("disabled", "active") if active else ("invited" if is_waiting else "active", "disabled")
    audit.record(session, actor, action, user=user.username, before=sides[0], after=sides[1], sessions_ended=ended)
    return user


def refuse_last_owner(session: Session, user: User) -> None:
    """Somebody must be left who may do everything."""
    if accounts.lock_owners(session) == [user.id]:
        raise Conflict(f"{user.username} is the last super admin and stays.")


def require_new_password(session: Session, actor: Actor, user_id: int) -> int:
    """Let the present password open nothing any more and return how many sessions ended; only the owner chooses one.

    Keys end as well: it is asked for where somebody else may know the password, and they may have made one.
    """
    user = changeable(session, actor, user_id)
    if user.password_hash == NO_PASSWORD:
        raise Conflict(f"{user.username} has not chosen a password yet; send a new invitation.")
    before, user.password_reset_required = user.password_reset_required, True
    one_time_tokens.end_all(session, user.id)
    accounts.end_invitations_by(session, actor, user)
    ended = sessions.end_all(session, user.id, "new password required")
    revoked = after_reset.revoke_all(session, actor, user.id, "a new password was required")
    notices.tell_owner(session, user.id, "password_required", by=actor.username, keys=revoked)
    audit.record(
        session,
        actor,
        "user.require_new_password",
        user=user.username,
        before={"new password required": before},
        after={"new password required": True},
        sessions_ended=ended,
    )
    return ended


def end_sessions(session: Session, actor: Actor, user_id: int) -> int:
    """Sign somebody out everywhere and return how many sessions they had."""
    user = changeable(session, actor, user_id)
    ended = sessions.end_all(session, user.id, "ended by an admin")
    audit.record(session, actor, "user.end_sessions", user=user.username, sessions_ended=ended)
    return ended


def check_password(user: User, password: str, again: str) -> str:
    """The hash of the password that an invited person chose, or what is wrong with it."""
    passwords.check_policy(password, username=user.username, email=user.email)
    if password != again:
        raise Invalid("The two passwords differ.", field="again")
    return passwords.hash_password(password)
