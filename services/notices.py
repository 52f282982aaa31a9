"""What the owner of an account is told by mail whatever they have switched off: changes to how one gets in."""

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.types import now
from models.user import User
from services import devices, places
from services.mail import orders

KIND = orders.KIND


class Visitor(Protocol):
    """Where a request comes from, as far as it is told to owners; sessions.Visitor is one."""

    @property
    def address(self) -> str: ...

    @property
    def agent(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Notice:
    """A subject, and a sentence with the names of its facts in braces."""

    subject: str
    sentence: str


NOTICES = {
    "new_device": Notice("New sign-in to your account", "Somebody signed in to your account with a new device."),
    "locked_out": Notice(
        "Many failed sign-ins",
        "Somebody has tried many passwords or codes for your account. Further attempts are slowed down; a device on "
        "which you have signed in before is not.",
    ),
    "password_changed": Notice("Your password was changed", "The password of your account was changed."),
    "password_reset": Notice("Your password was reset", "The password of your account was set anew by a link. {keys}"),
    "password_required": Notice(
        "Choose a new password",
        "{by} asks you to choose a new password; “Forgotten your password?” on the sign-in page sends you a link. "
        "Your sessions have ended. {keys}",
    ),
    "email_changed": Notice(
        "Your e-mail address was changed", "The e-mail address of your account is now {new}; it was {old}."
    ),
    "totp_added": Notice("Two-factor sign-in is on", "An authenticator app was added to your account."),
    "totp_removed": Notice("An authenticator app was removed", "The authenticator app of your account was removed."),
    "passkey_added": Notice("A passkey was added", "The passkey “{name}” was added to your account."),
    "passkey_removed": Notice("A passkey was removed", "The passkey “{name}” was removed from your account."),
    "second_factor_reset": Notice(
        "Your second factor was reset",
        "{by} has removed the second factor of your account. You can set up a new one when you sign in.",
    ),
    "backup_code_used": Notice("A backup code was used", "A backup code was used to sign in; {left} are left."),
    "backup_codes_renewed": Notice("New backup codes", "New backup codes were made; the old ones no longer work."),
    "key_created": Notice("An API key was created", "The API key “{name}” ({prefix}) was created."),
    "key_rotated": Notice(
        "An API key was replaced", "The API key “{name}” ({prefix}) was replaced; the old one ends on {ends}."
    ),
    "key_ending": Notice(
        "An API key ends soon",
        "The API key “{name}” ({prefix}) ends on {ends}. Replace it before whatever uses it stops.",
    ),
    "key_revoked": Notice(
        "An API key was revoked", "The API key “{name}” ({prefix}) was revoked by {by}. Reason: {reason}."
    ),
    "identity_linked": Notice(
        "An account was linked to yours", "The account {email} of {provider} opens your account from now on."
    ),
    "identity_unlinked": Notice(
        "A linked account was removed", "The account {email} of {provider} no longer opens your account."
    ),
    "role_changed": Notice("Your role was changed", "{by} has changed your role from {old} to {new}."),
}


def tell_owner(
    session: Session,
    user_id: int,
    event: str,
    *,
    visitor: Visitor | None = None,
    told: dict[str, Any] | None = None,
    to: str | None = None,
    **facts: Any,
) -> None:
    """Write the mail and the job that sends it in the caller's transaction: with the act or not at all.

    A job passes on as `told` the circumstances of the request that it works for; `to` is another address than today's.
    """
    notice = NOTICES[event]
    address = to or session.scalar(select(User.email).where(User.id == user_id, User.deleted_at.is_(None)))
    if address is None:
        return
    known = circumstances(visitor) if told is None else told
    orders.order(
        session,
        user_id=user_id,
        to=address,
        event=f"security.{event}",
        subject=notice.subject,
        template="notice",
        told={**known, "facts": {name: str(value)[:500] for name, value in facts.items()}},
    )


def circumstances(visitor: Visitor | None) -> dict[str, str]:
    """When, and where from, something was done, as a mail tells it."""
    told = {"moment": now().isoformat()}
    if visitor is not None:
        told |= {"address": visitor.address[:45], "device": devices.describe(visitor.agent).words}
        place = places.place_of(visitor.address)
        if place is not None:
            told["place"] = place
    return told
