"""A try at a second factor by a code: counted, compared while no transaction is open, then used up."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from services import notices, throttling
from services.second_factor import backup_codes, totp
from services.sessions import Visitor

Method = Literal["totp", "backup_code", "passkey"]
WRONG = "That code is not right. Each code works once."
CLOCK_OFF = "That code is from another time: the clock of your phone or of the server is off."


@dataclass(frozen=True, slots=True)
class Guess:
    """What was typed, and what it would have to fit."""

    user_id: int
    method: Method
    code: str | None
    wait: int = 0
    seed: str | None = None
    backup: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a guess fits; `reason` is for the history, `sentence` for the person."""

    right: bool
    step: int | None = None
    reason: str | None = None
    sentence: str = ""


def begin(session: Session, user_id: int, typed: str, visitor: Visitor) -> Guess:
    """Count the try and look up what it would have to fit; with a wait nothing is compared."""
    wait = throttling.reserve(session, *throttling.second_factor_buckets(user_id, visitor.address))
    digits = totp.plain(typed)
    method: Method = "totp" if digits is not None or backup_codes.plain(typed) is None else "backup_code"
    if wait:
        return Guess(user_id, method, None, wait)
    if method == "totp":
        return Guess(user_id, method, digits, seed=totp.stored_seed(session, user_id))
    code = backup_codes.plain(typed)
    return Guess(user_id, method, code, backup=backup_codes.at_place(session, user_id, code) if code else None)


def compare(guess: Guess) -> Verdict:
    """Compare; a bcrypt hash takes its time, so no transaction is open."""
    if guess.wait:
        return Verdict(False, reason="too many attempts")
    if guess.method == "backup_code":
        right = guess.code is not None and guess.backup is not None and backup_codes.fits(guess.code, guess.backup[1])
        return Verdict(right) if right else Verdict(False, reason="wrong backup code", sentence=WRONG)
    if guess.code is None or guess.seed is None:
        return Verdict(False, reason="wrong code", sentence=WRONG)
    reading = totp.read(totp.opened(guess.seed), guess.code)
    if reading.clock_off:
        return Verdict(False, reason="wrong code, clock off", sentence=CLOCK_OFF)
    if reading.step is None:
        return Verdict(False, reason="wrong code", sentence=WRONG)
    return Verdict(True, reading.step)


def use_up(session: Session, guess: Guess, verdict: Verdict, visitor: Visitor) -> Verdict:
    """Use the code up, so that it opens nothing a second time; a backup code is told to its owner."""
    if not verdict.right:
        return verdict
    if guess.method == "totp":
        won = totp.accept(session, guess.user_id, guess.seed or "", verdict.step or 0)
    else:
        won = guess.backup is not None and backup_codes.use(session, guess.backup[0], visitor.address)
    if not won:
        return Verdict(False, reason="code used before", sentence=WRONG)
    throttling.release(session, *throttling.second_factor_buckets(guess.user_id, visitor.address))
    if guess.method == "backup_code":
        left = backup_codes.left(session, guess.user_id)
        notices.tell_owner(session, guess.user_id, "backup_code_used", visitor=visitor, left=left)
    return verdict
