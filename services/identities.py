"""Signing in with an account of another house (OIDC): made on the first visit, with the role that a group gives.

Issuer and subject tell who it is. An e-mail address never links two accounts: whoever controls an address at one
provider is not its owner everywhere.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config.errors import ConfigurationError
from config.settings import settings
from database.types import now
from models.linked_identity import LinkedIdentity
from models.permissions import Permission, Role
from models.user import User
from services import accounts, audit, notices, sessions
from services.actor import SYSTEM, Actor
from services.errors import AppError, Conflict, Invalid, NotFound

NO_PASSWORD = "!provider"  # noqa: S105 - no hash: nothing that anybody types fits it; not that of an invitation
EVERYBODY = "*"  # in PFD_OIDC_ROLES: who is in no group that is named
LONGEST, MOST_GROUPS = 255, 500
LEEWAY = 60  # seconds by which another clock may be ahead


class Refused(AppError):
    """A sign-in that the provider has vouched for, and that is refused here."""

    status_code = 403
    code = "identity_refused"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a checked token says of a person."""

    issuer: str
    subject: str
    email: str | None
    username: str
    groups: tuple[str, ...]


@lru_cache(maxsize=8)
def roles_by_group(text: str) -> tuple[tuple[str, Role], ...]:
    """`group=role, …` as pairs; raises where a role is none."""
    pairs = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        group, found, role = part.rpartition("=")
        if not found or not group.strip() or role.strip() not in set(Role):
            known = ", ".join(Role)
            raise ConfigurationError(f"PFD_OIDC_ROLES must look like group=role, …; the roles are {known}.")
        pairs.append((group.strip(), Role(role.strip())))
    return tuple(pairs)


def role_for(groups: Sequence[str]) -> Role | None:
    """The highest role that one of the groups gives; without any, the one for everybody, if there is one."""
    pairs = roles_by_group(settings().oidc_roles)
    ranks = list(Role)
    given = [role for group, role in pairs if group in groups and group != EVERYBODY]
    if given:
        return max(given, key=ranks.index)
    return next((role for group, role in pairs if group == EVERYBODY), None)


def identity_of(claims: Mapping[str, Any]) -> Identity:
    """What the claims of a checked token say; of what a provider sends nothing is taken on trust but who it is."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not isinstance(issuer, str) or not isinstance(subject, str) or not 0 < len(subject) <= LONGEST:
        raise Refused("The provider does not say who you are.")
    address = claims.get("email")
    is_sure = claims.get("email_verified") is True and isinstance(address, str) and len(address) <= LONGEST
    groups = claims.get(settings().oidc_groups_claim)
    names = [name for name in groups if isinstance(name, str)] if isinstance(groups, list) else []
    wished = claims.get("preferred_username") or (str(address).split("@")[0] if is_sure else "")
    return Identity(
        issuer=issuer[:LONGEST],
        subject=subject,
        email=str(address) if is_sure else None,
        username=_fit(wished if isinstance(wished, str) else ""),
        groups=tuple(names[:MOST_GROUPS]),
    )


def _fit(name: str) -> str:
    """The name in the letters that names have here."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.split("@")[0].casefold()).strip("-._")[:90]


def user_of(session: Session, identity: Identity) -> User:
    """The account behind an identity, made on the first visit, with the role that its groups give today."""
    role = role_for(identity.groups)
    if role is None:
        raise Refused("None of your groups has access here. Ask an admin for it.")
    linked = _linked(session, identity)
    if linked is None:
        _refuse_unexpected(session, identity)
        return _made(session, identity, role)
    owners = accounts.lock_owners(session)  # always before the account, as every act upon people does
    user = session.scalars(select(User).where(User.id == linked.user_id).with_for_update(key_share=True)).one()
    if not user.is_active:
        raise Refused("This account is disabled.")
    linked.last_used_at, linked.email = now(), identity.email
    _give(session, user, role, owners)
    return user


def _linked(session: Session, identity: Identity) -> LinkedIdentity | None:
    return session.scalar(
        select(LinkedIdentity).where(
            LinkedIdentity.issuer == identity.issuer, LinkedIdentity.subject == identity.subject
        )
    )


def _refuse_unexpected(session: Session, identity: Identity) -> None:
    """Nobody new comes in before the owner, nor comes back by themselves after an admin has deleted them."""
    if not accounts.anybody(session):
        raise Refused(
            "PFD is not set up yet. Whoever runs it makes the first account with the link that its start has printed."
        )
    left = select(LinkedIdentity.id).where(
        LinkedIdentity.issuer == identity.issuer,
        LinkedIdentity.subject == _fingerprint(identity.issuer, identity.subject),
    )
    if session.scalar(left) is not None:
        raise Refused(
            "Your account here was deleted. Ask an admin to invite you; then you can link this sign-in under Security."
        )


def leave_fingerprints(session: Session, user_id: int) -> None:
    """Take the identities off an account that is deleted; what is left of each only tells that it was here."""
    for linked in session.scalars(select(LinkedIdentity).where(LinkedIdentity.user_id == user_id)).all():
        mark = _fingerprint(linked.issuer, linked.subject)
        session.execute(
            delete(LinkedIdentity).where(LinkedIdentity.issuer == linked.issuer, LinkedIdentity.subject == mark)
        )
        linked.subject, linked.email, linked.last_used_at = mark, None, None
    session.flush()


def _fingerprint(issuer: str, subject: str) -> str:
    return "deleted " + hashlib.sha256(f"{issuer}\n{subject}".encode(errors="surrogatepass")).hexdigest()


def _give(session: Session, user: User, role: Role, owners: list[int]) -> None:
    """Change the role where the groups have changed; the last super admin stays one whatever a provider says."""
    if user.role == role.value:
        return
    if user.role == Role.SUPER_ADMIN.value and owners == [user.id]:
        return
    before, user.role = user.role, role.value
    sessions.end_all(session, user.id, "role changed")
    audit.record(session, SYSTEM, "user.set_role", user=user.username, before=before, after=role.value, by_group=True)
    accounts.end_invitations_after(session, SYSTEM, user, before)
    notices.tell_owner(session, user.id, "role_changed", by=settings().oidc_name, old=before, new=user.role)


def _made(session: Session, identity: Identity, role: Role) -> User:
    if identity.email is None:
        raise Refused("The provider does not vouch for an e-mail address of yours, which an account here needs.")
    try:
        name, address = accounts.check_names(_free(session, identity.username), identity.email)
        user = accounts.add(session, SYSTEM, name, address, role, NO_PASSWORD)
    except (Conflict, Invalid) as error:
        raise Refused(
            "There is already an account with your e-mail address. Sign in to it and link the two under Account."
            if isinstance(error, Conflict)
            else "The provider's name or address for you cannot be used here."
        ) from error
    _add(session, user.id, identity)
    return user


def _free(session: Session, name: str) -> str:
    """The name, or the name with the first number that makes it free."""
    name = name or "person"
    taken = set(
        session.scalars(select(User.username).where(User.username.startswith(name, autoescape=True)).limit(1000))
    )
    tried = (name if number == 1 else f"{name}-{number}" for number in range(1, 1002))
    return next(one for one in tried if one not in taken)


def _add(session: Session, user_id: int, identity: Identity) -> None:
    session.add(
        LinkedIdentity(
            user_id=user_id,
            issuer=identity.issuer,
            subject=identity.subject,
            email=identity.email,
            last_used_at=now(),
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        raise Refused("This account was linked a moment ago. Sign in again.") from error


def link(session: Session, actor: Actor, identity: Identity) -> None:
    """Let somebody who is signed in sign in with this identity as well."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    mine = select(User.id).where(User.id == actor.user_id, User.is_active)
    owner = session.scalar(mine.with_for_update(key_share=True))
    if owner is None:
        raise NotFound("account")
    found = _linked(session, identity)
    if found is not None and found.user_id != owner:
        raise Refused("That account is linked to somebody else here.")
    if found is None:
        _add(session, owner, identity)
        audit.record(session, actor, "identity.link", issuer=identity.issuer)
        _tell(session, owner, "identity_linked", identity.email)


def _tell(session: Session, user_id: int, event: str, email: str | None) -> None:
    """Tell the owner: it is a way in that outlives a new password."""
    notices.tell_owner(session, user_id, event, provider=settings().oidc_name, email=email or "without an address")


def require_own(session: Session, actor: Actor, identity: Identity) -> None:
    """Refuse unless this identity is linked to the one who asks."""
    found = _linked(session, identity)
    if found is None or found.user_id != actor.user_id:
        raise Refused("You are signed in to the provider as somebody else.")


def seconds_since(moment: object) -> float | None:
    """How long ago a time in seconds since 1970 was; None for what is no time or lies ahead."""
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        return None
    passed = now().timestamp() - moment
    return passed if passed > -LEEWAY else None


def of(session: Session, actor: Actor) -> list[LinkedIdentity]:
    """The identities with which somebody signs in."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    mine = select(LinkedIdentity).where(LinkedIdentity.user_id == actor.user_id)
    return list(session.scalars(mine.order_by(LinkedIdentity.id).limit(20)))


def unlink(session: Session, actor: Actor, identity_id: int) -> None:
    """Take an identity off one's own account, unless nothing else would open it any more."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    user = session.scalars(select(User).where(User.id == actor.user_id).with_for_update(key_share=True)).one()
    found = next((one for one in of(session, actor) if one.id == identity_id), None)
    if found is None:
        raise NotFound("linked account")
    if user.password_hash == NO_PASSWORD:
        raise Conflict(
            "Choose a password first (“Forgotten your password?” on the sign-in page): nothing else opens your account."
        )
    session.delete(found)
    audit.record(session, actor, "identity.unlink", issuer=found.issuer)
    _tell(session, user.id, "identity_unlinked", found.email)
