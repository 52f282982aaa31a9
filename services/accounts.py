"""People's accounts: set-up, creation, roles and passwords."""

import re
from datetime import timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database.types import now
from models.one_time_token import OneTimeToken
from models.permissions import Permission, Role, permissions_of
from models.user import User
from services import audit, notices, one_time_tokens, passwords, sessions
from services.actor import SYSTEM, Actor
from services.errors import Conflict, Invalid, NotFound
from services.text import clean, harmless

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}|[^@\s,;<>\"]{1,64}@localhost")
_RESERVED = re.compile(r"deleted-\d+")  # what the row of a deleted account is called
SETUP_LASTS = timedelta(days=7)
_PEOPLE = 0x5046_4450_4550  # the advisory lock under which PostgreSQL lets one act upon people happen at a time


def anybody(session: Session) -> bool:
    """Whether the installation has an owner yet."""
    return session.scalar(select(User.id).limit(1)) is not None


def new_setup_token(session: Session) -> str:
    """A fresh one-time token for the set-up page; those of earlier starts end."""
    return one_time_tokens.issue(session, "setup", SETUP_LASTS)


def setup_is_open(session: Session, token: str) -> bool:
    """Whether this link may still make the first account."""
    return one_time_tokens.find(session, "setup", token) is not None and not anybody(session)


def complete_setup(session: Session, token: str, *, username: str, email: str, password_hash: str) -> User:
    """Make the owner's account with the set-up link; of two at once, one wins."""
    lock_owners(session)  # two that were started at the same moment may each have printed a link that works
    if one_time_tokens.use(session, "setup", token) is None or anybody(session):
        raise NotFound("set-up link")
    return add(session, SYSTEM, username, email, Role.SUPER_ADMIN, password_hash)


def check_new_account(username: str, email: str, password: str) -> tuple[str, str]:
    """The user name and e-mail address as they will be stored, or what is wrong with them or the password."""
    name, address = check_names(username, email)
    passwords.check_policy(password, username=name, email=address)
    return name, address


def check_names(username: str, email: str) -> tuple[str, str]:
    """The user name and e-mail address as they will be stored, or what is wrong with them."""
    return _username(username), check_email(email)


def faults_of_new_account(username: str, email: str, password: str) -> dict[str, str]:
    """All that is wrong at once, by field, so that a form is not sent again for each."""
    faults: dict[str, str] = {}
    for check in (
        lambda: _username(username),
        lambda: check_email(email),
        lambda: passwords.check_policy(password, username=username.strip(), email=email.strip()),
    ):
        try:
            check()
        except Invalid as error:
            faults[error.field or ""] = str(error)
    return faults


def _username(text: str) -> str:
    name = clean(text, field="username", longest=100, shortest=1).casefold()
    if not _USERNAME.fullmatch(name):
        raise Invalid("Use letters, digits, dots, dashes and underscores.", field="username")
    if _RESERVED.fullmatch(name):
        raise Invalid("This name is kept for accounts that were deleted.", field="username")
    return name


def check_email(text: str) -> str:
    """An e-mail address as it will be stored, or what is wrong with it."""
    address = clean(text, field="email", longest=255, shortest=3).casefold()
    if not _EMAIL.fullmatch(address):
        raise Invalid("This does not look like an e-mail address.", field="email")
    return address


def create(session: Session, actor: Actor, *, username: str, email: str, role: Role, password: str) -> User:
    """Make an account; nobody makes one above their own."""
    actor.require(Permission.MANAGE_USERS)
    if role is Role.SUPER_ADMIN:
        actor.require(Permission.SECURITY_SETTINGS)
    name, address = check_new_account(username, email, password)
    return add(session, actor, name, address, role, passwords.hash_password(password))


def add(session: Session, actor: Actor, username: str, email: str, role: Role, password_hash: str) -> User:
    """Store a checked account, if neither its name nor its address is taken."""
    taken = session.execute(
        select(User.username, User.email).where((User.username == username) | (User.email == email)).limit(1)
    ).first()
    if taken is not None:
        raise Conflict(
            f"There is already an account {'named ' + username if taken[0] == username else 'with ' + email}."
        )
    user = User(username=username, email=email, role=role.value, password_hash=password_hash)
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("There is already an account with this name or e-mail address.") from error
    audit.record(session, actor, "user.create", user=username, role=role.value)
    return user


def find(session: Session, username: str) -> User:
    """The account of this name, locked for a change."""
    named = select(User).where(User.username == harmless(username).casefold(), User.deleted_at.is_(None))
    user = session.scalar(named.with_for_update(key_share=True))
    if user is None:
        raise NotFound(f"user {username[:100]!r}")
    return user


def lock_owners(session: Session) -> list[int]:
    """The active super admins, locked: of two demotions at once the second sees what the first has left.

    Accounts are locked with `key_share`, here and elsewhere: a row that only refers to one, such as that of the log,
    waits for nobody then, or two people who act upon each other would wait for each other.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_PEOPLE)))  # as who the super admins are may change meanwhile
    owners = select(User.id).where(User.role == Role.SUPER_ADMIN.value, User.is_active)
    return list(session.scalars(owners.order_by(User.id).with_for_update(key_share=True)))


def set_role(session: Session, actor: Actor, username: str, role: Role) -> User:
    """Change a role; the last super admin stays one."""
    actor.require(Permission.MANAGE_USERS)
    owners = lock_owners(session)
    user = find(session, username)
    if user.id == actor.user_id:
        raise Conflict("Your own role is changed by somebody else.")
    if Role.SUPER_ADMIN.value in {user.role, role.value}:
        actor.require(Permission.SECURITY_SETTINGS)
    if user.role == Role.SUPER_ADMIN.value and role is not Role.SUPER_ADMIN and owners == [user.id]:
        raise Conflict(f"{user.username} is the last super admin and stays one.")
    before, user.role = user.role, role.value
    sessions.end_all(session, user.id, "role changed")
    audit.record(session, actor, "user.set_role", user=user.username, before=before, after=role.value)
    end_invitations_after(session, actor, user, before)
    if before != user.role:
        notices.tell_owner(session, user.id, "role_changed", by=actor.username, old=before, new=user.role)
    return user


def end_invitations_after(session: Session, actor: Actor, user: User, before: str) -> None:
    """A link is as good as who has seen it: end those that now open more than their makers may give away."""
    if permissions_of(before) - permissions_of(user.role):
        end_invitations_by(session, actor, user)
    if user.role == Role.SUPER_ADMIN.value:
        others = or_(OneTimeToken.payload.is_(None), OneTimeToken.payload != str(actor.user_id))
        _end_invitations(session, OneTimeToken.user_id == user.id, others)


def end_invitations_by(session: Session, actor: Actor, user: User) -> None:
    """End the open invitations that somebody has made, who could else come back with one of them."""
    ended = _end_invitations(session, OneTimeToken.payload == str(user.id))
    if ended:
        audit.record(session, actor, "user.end_invitations", user=user.username, ended=ended)


def _end_invitations(session: Session, *which: ColumnElement[bool]) -> int:
    is_open = (OneTimeToken.purpose == "invitation", OneTimeToken.used_at.is_(None))
    ended = update(OneTimeToken).where(*is_open, *which).values(used_at=now()).returning(OneTimeToken.id)
    return len(session.scalars(ended).all())


def reset_password(session: Session, actor: Actor, username: str, password: str) -> User:
    """Set a new password and end every session of its owner."""
    actor.require(Permission.DATABASE_ADMIN)
    user = find(session, username)
    passwords.check_policy(password, username=user.username, email=user.email)
    user.password_hash, user.password_reset_required = passwords.hash_password(password), False
    one_time_tokens.end_all(session, user.id)
    sessions.end_all(session, user.id, "password changed")
    audit.record(session, actor, "user.reset_password", user=user.username)
    notices.tell_owner(session, user.id, "password_changed")
    return user


def count_by_role(session: Session) -> dict[str, int]:
    """How many active accounts each role has."""
    rows = session.execute(select(User.role, func.count()).where(User.is_active).group_by(User.role))
    return dict(rows.all())
