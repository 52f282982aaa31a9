"""What opens one's own account: password, e-mail address, second factors, linked accounts."""

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import StringConstraints
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import identities, own_email
from services.actor import Actor
from services.passwords import LONGEST
from services.second_factor import backup_codes, enrolment, passkeys
from web import credentials
from web.identity import current_session, visitor
from web.rest.answers import Answer
from web.rest.asked import Body
from web.rest.kinds import NAMED, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_your_access", __name__, url_prefix=PREFIX)
OWN = Permission.MANAGE_OWN_ACCOUNT
FACTOR, PASSKEY, LINKED = "/second-factor", "/passkeys/<int:number>", "/linked-accounts/<int:number>"
Password = Annotated[str, StringConstraints(max_length=LONGEST)]
SIGNED_IN = "For who is signed in; a key never touches accounts."
ENDS_OTHERS = "Your other sessions end."


class Passkey(Answer):
    """One passkey."""

    id: int
    name: str
    created: datetime
    last_used: datetime | None


class LinkedAccount(Answer):
    """An account of another house that opens yours."""

    id: int
    issuer: str
    email: str | None
    last_used: datetime | None


class Access(Answer):
    """What opens your account besides the password; `new_email` waits for being confirmed."""

    authenticator_app: bool
    passkeys: list[Passkey]
    backup_codes_left: int
    needs_second_factor: bool
    linked_accounts: list[LinkedAccount]
    new_email: str | None


class PasswordChange(Body):
    """The present password, and the one that takes its place."""

    current: Password
    password: Password


class EmailChange(Body):
    """The new address, and the password that shows whose wish it is."""

    email: Annotated[str, line(255, 1), NAMED]
    current: Password


class PasskeyChange(Body):
    """What a passkey is called."""

    name: Annotated[str, line(100, 1), NAMED]


class Ended(Answer):
    """How many other sessions were ended."""

    sessions_ended: int


class SentTo(Answer):
    """Where the link went; the address changes when it is opened."""

    new_email: str


class BackupCodes(Answer):
    """Ten new codes, which are shown this once."""

    codes: list[str]


@operation(blueprint, "GET", FACTOR, permission=OWN, answer=Access, description=SIGNED_IN)
def get_access(session: Session, actor: Actor, **_: Any) -> Access:
    """What opens your account besides the password"""
    has = enrolment.holdings(session, actor)
    return Access(
        authenticator_app=has.app,
        passkeys=[Passkey.from_row(one) for one in passkeys.of(session, actor)],
        backup_codes_left=has.codes_left,
        needs_second_factor=has.is_required,
        linked_accounts=[
            LinkedAccount.from_row(one, last_used=one.last_used_at) for one in identities.of(session, actor)
        ],
        new_email=own_email.waiting(session, actor),
    )


@operation(
    blueprint,
    "PUT",
    "/password",
    permission=OWN,
    body=PasswordChange,
    answer=Ended,
    by_itself=True,
    secret=True,
    refusals=(404, 409),
    description=f"{ENDS_OTHERS} {SIGNED_IN}",
)
def change_password(actor: Actor, body: PasswordChange, **_: Any) -> Ended:
    """Change your password"""
    return Ended(sessions_ended=credentials.change_password(body.current, body.password, body.password))


@operation(
    blueprint,
    "PUT",
    "/email",
    permission=OWN,
    body=EmailChange,
    answer=SentTo,
    by_itself=True,
    secret=True,
    refusals=(404, 409),
    description=f"The address changes when the link is opened that is sent to it. {SIGNED_IN}",
)
def change_email(actor: Actor, body: EmailChange, **_: Any) -> SentTo:
    """Ask for another e-mail address"""
    return SentTo(new_email=credentials.ask_for_email(body.email, body.current))


@operation(
    blueprint,
    "POST",
    f"{FACTOR}/backup-codes",
    permission=OWN,
    answer=BackupCodes,
    secret=True,
    sudo=True,
    look=lambda: backup_codes.make(),
    refusals=(409,),
)
def renew_backup_codes(session: Session, actor: Actor, looked: backup_codes.FreshCodes, **_: Any) -> BackupCodes:
    """Make ten new backup codes; the old ones no longer work"""
    return BackupCodes(codes=list(enrolment.renew_codes(session, current_session(), looked, visitor())))


@operation(
    blueprint,
    "DELETE",
    f"{FACTOR}/app",
    permission=OWN,
    answer=None,
    status=204,
    sudo=True,
    refusals=(404, 409),
    description=ENDS_OTHERS,
)
def remove_authenticator_app(session: Session, actor: Actor, **_: Any) -> None:
    """Take the authenticator app off your account"""
    enrolment.remove_app(session, current_session(), visitor())


@operation(blueprint, "PATCH", PASSKEY, permission=OWN, body=PasskeyChange, answer=Passkey)
def rename_passkey(session: Session, actor: Actor, number: int, body: PasskeyChange, **_: Any) -> Passkey:
    """Give a passkey another name"""
    passkeys.rename(session, actor, number, body.name)
    return next(Passkey.from_row(one) for one in passkeys.of(session, actor) if one.id == number)


@operation(
    blueprint,
    "DELETE",
    PASSKEY,
    permission=OWN,
    answer=None,
    status=204,
    sudo=True,
    refusals=(409,),
    description=ENDS_OTHERS,
)
def remove_passkey(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """Take a passkey off your account"""
    enrolment.remove_passkey(session, current_session(), number, visitor())


@operation(blueprint, "DELETE", LINKED, permission=OWN, answer=None, status=204, sudo=True, refusals=(409,))
def unlink_account(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """Let an account of another house open yours no longer"""
    identities.unlink(session, actor, number)
