"""The six digits of an authenticator app (RFC 6238: SHA-1, 30 seconds), each of them good once."""

import hmac
from dataclasses import dataclass

import pyotp
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from database.types import now
from models.user import User
from services import vault

PURPOSE, ISSUER = "totp", "PFD"
SECONDS, WINDOW, CLOCK_OFF = 30, 1, 10  # steps to either side that are accepted, and that are told apart


@dataclass(frozen=True, slots=True)
class Reading:
    """What a code says: the time step it belongs to, or that the clock of the app is off."""

    step: int | None = None
    clock_off: bool = False


def new_seed() -> str:
    """160 random bits in base 32."""
    return pyotp.random_base32(32)


def address_of(seed: str, username: str) -> str:
    """What the QR code says to an app."""
    return pyotp.TOTP(seed).provisioning_uri(name=username, issuer_name=ISSUER)


def plain(typed: str) -> str | None:
    """The six digits without the spaces that apps show between them; None when they are not six ASCII digits."""
    code = "".join(typed.split())
    return code if len(code) == 6 and code.isascii() and code.isdigit() else None


def read(seed: str, code: str) -> Reading:
    """Which step around now this code belongs to."""
    generator, present = pyotp.TOTP(seed), int(now().timestamp()) // SECONDS
    near = (0, *(sign * far for far in range(1, CLOCK_OFF + 1) for sign in (-1, 1)))
    for offset in near:
        if present + offset >= 0 and hmac.compare_digest(generator.generate_otp(present + offset), code):
            inside = abs(offset) <= WINDOW
            return Reading(present + offset if inside else None, clock_off=not inside)
    return Reading()


def stored_seed(session: Session, user_id: int) -> str | None:
    """The seed as the database keeps it, if the person has an app."""
    return session.scalar(select(User.totp_secret).where(User.id == user_id, User.totp_enabled, User.is_active))


def opened(stored: str) -> str:
    """The seed itself."""
    return vault.decrypt(PURPOSE, stored)


def accept(session: Session, user_id: int, stored: str, step: int) -> bool:
    """Use a time step up, and all before it; of several who use it at once, one does."""
    unused = or_(User.totp_last_step.is_(None), User.totp_last_step < step)
    mine = update(User).where(User.id == user_id, User.totp_enabled, User.totp_secret == stored, unused)
    return session.scalar(mine.values(totp_last_step=step).returning(User.id)) is not None
