"""Passkeys as a second factor (WebAuthn): offered, registered, asked for; every challenge is good once."""

import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.passkey import Passkey
from models.permissions import Permission
from models.session_log import SessionLog
from services import owners, throttling
from services.actor import Actor
from services.errors import Conflict, Invalid, NotFound
from services.second_factor import enrolment
from services.sessions import SignedIn, Visitor
from services.text import clean

if TYPE_CHECKING:
    from webauthn.helpers import structs

R = TypeVar("R")
CHALLENGE_LASTS, CHALLENGE_BYTES = timedelta(minutes=5), 32
MOST, LONGEST_ID = 20, 1400
REFUSED = "This passkey was not accepted."


@dataclass(frozen=True, slots=True)
class PasskeyFacts:
    """One passkey as its owner sees it."""

    id: int
    name: str
    created: datetime
    last_used: datetime | None


def site() -> str:
    """The name that passkeys are bound to: the host of the configured address, never what a request says."""
    return urlsplit(settings().address).hostname or ""


def are_possible() -> bool:
    """Browsers keep passkeys for names only, and over https or on this very machine."""
    try:
        ipaddress.ip_address(site())
    except ValueError:
        return settings().is_https or site() == "localhost" or site().endswith(".localhost")
    return False


def of(session: Session, actor: Actor) -> list[PasskeyFacts]:
    """The actor's passkeys in the order in which they were added."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    rows = session.scalars(select(Passkey).where(Passkey.user_id == actor.user_id).order_by(Passkey.id))
    return [PasskeyFacts(row.id, row.name, row.created_at, row.last_used_at) for row in rows]


def offer_registration(session: Session, signed_in: SignedIn) -> str:
    """What the browser needs to make a passkey, as JSON."""
    actor = signed_in.actor
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    if not are_possible():
        raise Conflict("Passkeys need the dashboard under a name and https; its address is set with PFD_PUBLIC_URL.")
    known = _descriptors(session, actor.user_id or 0)
    _refuse_more_than(len(known))
    import webauthn  # here and below only when it is needed: 7 MB that most processes never use
    from webauthn.helpers import structs

    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=site(),
            rp_name="PFD",
            user_id=f"pfd-{actor.user_id}".encode(),
            user_name=actor.username,
            challenge=_new_challenge(session, signed_in.session_id),
            exclude_credentials=known,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.DISCOURAGED,
                user_verification=structs.UserVerificationRequirement.PREFERRED,
            ),
        )
    )


def ask(session: Session, user_id: int, session_id: int) -> str:
    """What the browser needs to ask for one of the person's passkeys, as JSON."""
    known = _descriptors(session, user_id)
    if not known:
        raise NotFound("passkey")
    import webauthn
    from webauthn.helpers import structs

    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=site(),
            challenge=_new_challenge(session, session_id),
            allow_credentials=known,
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        )
    )


def _refuse_more_than(held: int) -> None:
    if held >= MOST:
        raise Conflict(f"{MOST} passkeys are the most; remove one first.")


def _descriptors(session: Session, user_id: int) -> "list[structs.PublicKeyCredentialDescriptor]":
    import webauthn
    from webauthn.helpers import structs

    rows = session.execute(select(Passkey.credential_id, Passkey.transports).where(Passkey.user_id == user_id))
    return [
        structs.PublicKeyCredentialDescriptor(
            id=webauthn.base64url_to_bytes(identity),
            transports=[
                structs.AuthenticatorTransport(word)
                for word in transports
                if word in set(structs.AuthenticatorTransport)
            ],
        )
        for identity, transports in rows
    ]


def _as_text(given: bytes) -> str:
    from webauthn.helpers import bytes_to_base64url

    return bytes_to_base64url(given)


def _new_challenge(session: Session, session_id: int) -> bytes:
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    session.execute(
        update(SessionLog)
        .where(SessionLog.id == session_id, SessionLog.is_active)
        .values(challenge=_as_text(challenge), challenge_expires_at=now() + CHALLENGE_LASTS)
    )
    return challenge


def take_challenge(session: Session, session_id: int) -> bytes:
    """The session's challenge, used up; in a transaction of its own, so that a failed answer spends it too."""
    mine = select(SessionLog.challenge).where(SessionLog.id == session_id, SessionLog.challenge_expires_at > now())
    stored = session.scalar(mine)
    taken = (
        update(SessionLog)
        .where(SessionLog.id == session_id, SessionLog.challenge == stored)
        .values(challenge=None, challenge_expires_at=None)
        .returning(SessionLog.id)
    )
    if stored is None or session.scalar(taken) is None:
        raise Invalid("That took too long. Try once more.", field="passkey")
    import webauthn

    return webauthn.base64url_to_bytes(stored)


def count_try(session: Session, user_id: int, visitor: Visitor) -> int:
    """Count an answer as a try at the second factor; return the seconds to wait, 0 when it may be checked."""
    return throttling.reserve(session, *throttling.second_factor_buckets(user_id, visitor.address))


def register(
    session: Session, signed_in: SignedIn, challenge: bytes, name: str, credential: Any, visitor: Visitor
) -> str:
    """Keep the passkey that the browser made, and return its name."""
    actor = signed_in.actor
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    label = clean(name, field="name", longest=100, shortest=1)
    import webauthn

    made = _checked(
        lambda: webauthn.verify_registration_response(
            credential=_object(credential),
            expected_challenge=challenge,
            expected_rp_id=site(),
            expected_origin=settings().address,
        )
    )
    owners.hold(session, actor.user_id)
    held = session.scalar(select(func.count()).where(Passkey.user_id == actor.user_id)) or 0
    _refuse_more_than(held)  # each of one's sessions may have been offered the last place
    identity = _as_text(made.credential_id)
    if len(identity) > LONGEST_ID:
        raise Invalid(REFUSED, field="passkey")
    session.add(
        Passkey(
            user_id=actor.user_id,
            name=label,
            credential_id=identity,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            transports=_transports(credential),
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("This passkey is registered already.") from error
    enrolment.note_passkey(session, signed_in, label, visitor)
    return label


def check(session: Session, user_id: int, challenge: bytes, credential: Any, visitor: Visitor) -> bool:
    """Whether one of the person's passkeys answered; its sign count only ever grows."""
    given = _object(credential)
    identity = str(given.get("id", ""))[: LONGEST_ID + 1]
    owners.hold(session, user_id)  # a reset of their factors comes before or after
    mine = select(Passkey).where(Passkey.user_id == user_id, Passkey.credential_id == identity)
    row = session.scalar(mine.with_for_update())
    if row is None:
        return False
    import webauthn

    try:
        found = _checked(
            lambda: webauthn.verify_authentication_response(
                credential=given,
                expected_challenge=challenge,
                expected_rp_id=site(),
                expected_origin=settings().address,
                credential_public_key=row.public_key,
                credential_current_sign_count=row.sign_count,
            )
        )
    except Invalid:
        return False
    row.sign_count, row.last_used_at = found.new_sign_count, now()
    throttling.release(session, *throttling.second_factor_buckets(user_id, visitor.address))
    return True


def rename(session: Session, actor: Actor, passkey_id: int, name: str) -> None:
    """Give one of the actor's passkeys another name."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    label = clean(name, field="name", longest=100, shortest=1)
    mine = update(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == actor.user_id)
    if session.scalar(mine.values(name=label).returning(Passkey.id)) is None:
        raise NotFound("passkey")


def _object(credential: Any) -> dict[str, Any]:
    if not isinstance(credential, dict):
        raise Invalid(REFUSED, field="passkey")
    return credential


def _transports(credential: Any) -> list[str]:
    response = credential.get("response")
    named = response.get("transports") if isinstance(response, dict) else None
    from webauthn.helpers import structs

    known = set(structs.AuthenticatorTransport)
    return [word for word in named if isinstance(word, str) and word in known][:10] if isinstance(named, list) else []


def _checked(verify: Callable[[], R]) -> R:
    """What the library says; whatever it makes of hostile bytes is a refusal."""
    try:
        return verify()
    except Exception as error:
        raise Invalid(REFUSED, field="passkey") from error
