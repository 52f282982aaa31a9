"""A person's change of their own e-mail address: asked for with the password, confirmed from the new address."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database.types import now
from models.email_log import EmailLog
from models.one_time_token import OneTimeToken
from models.user import User
from services import accounts, audit, notices, one_time_tokens, own_password, passwords, sessions
from services.actor import Actor, actor_of
from services.errors import Conflict, Invalid, NotFound
from services.mail import orders
from services.own_password import Change
from services.sessions import Visitor
from services.sudo import WrongFactor

LINK_LASTS = timedelta(hours=24)
MOST_A_DAY = 5
EVENT = "account.confirm_email"


def check_new(current: str, new: str) -> str:
    """The new address as it will be stored, or what is wrong with it."""
    address = accounts.check_email(new)
    if address == current:
        raise Invalid("That is your address already.", field="email")
    return address


def verify(change: Change, password: str) -> None:
    """Refuse a wrong password; it takes as long as a sign-in, so no transaction is open."""
    if not passwords.verify(change.stored, password):
        raise WrongFactor("That is not your current password.", field="current")


def ask(session: Session, actor: Actor, visitor: Visitor, change: Change, address: str) -> None:
    """Send the link to the new address; whether somebody has that address is not told here."""
    user = session.scalar(select(User).where(User.id == actor.user_id, User.is_active).with_for_update(key_share=True))
    if user is None or user.password_hash != change.stored:
        raise Conflict("The password was changed elsewhere a moment ago.")
    own_password.forget_attempts(session, actor, visitor)
    sent = select(func.count()).where(
        EmailLog.user_id == user.id, EmailLog.event_type == EVENT, EmailLog.created_at > now() - timedelta(days=1)
    )
    if (session.scalar(sent) or 0) >= MOST_A_DAY:
        raise Invalid(f"At most {MOST_A_DAY} such mails are sent in a day; try again tomorrow.", field="email")
    token = one_time_tokens.issue(session, "email", LINK_LASTS, user.id, payload=address)
    orders.order(
        session,
        user_id=user.id,
        to=address,
        event=EVENT,
        subject="Confirm your new e-mail address",
        template="email",
        told=notices.circumstances(visitor),
        link=f"/confirm-email/{token}",
        link_ends=now() + LINK_LASTS,
    )
    audit.record(session, actor, "user.ask_for_email", email=address)


def waiting(session: Session, actor: Actor) -> str | None:
    """The address that waits for being confirmed."""
    return session.scalar(
        select(OneTimeToken.payload)
        .where(
            OneTimeToken.user_id == actor.user_id,
            OneTimeToken.purpose == "email",
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now(),
        )
        .order_by(OneTimeToken.id.desc())
        .limit(1)
    )


def confirming(session: Session, token: str) -> tuple[User, str] | None:
    """Whose address an open link changes, and to which."""
    found = one_time_tokens.find(session, "email", token)
    user = None if found is None or found.user_id is None else session.get(User, found.user_id)
    return None if user is None or not user.is_active or not found or not found.payload else (user, found.payload)


def confirm(session: Session, token: str, visitor: Visitor, *, this: int | None) -> User:
    """Change the address, if nobody else has it by now, and end every session but the present one."""
    used = one_time_tokens.use(session, "email", token)
    user = None if used is None else one_time_tokens.owner(session, used)
    if used is None or user is None or not user.is_active or not used.payload:
        raise NotFound("link")
    old, new = user.email, used.payload
    user.email = new
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("Somebody else has this address by now, so yours stays as it was.") from error
    one_time_tokens.end_all(session, user.id)  # a link that went to the old address must not open the account
    ended = sessions.end_all(session, user.id, "e-mail address changed", but=this)
    audit.record(session, actor_of(user), "user.change_email", before=old, after=new, sessions_ended=ended)
    for address in (old, new):
        notices.tell_owner(session, user.id, "email_changed", visitor=visitor, to=address, old=old, new=new)
    return user
