"""Passwords: one policy, Argon2id, and never more than two hashes at once in a process."""

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services import common_passwords
from services.errors import Invalid

SHORTEST, LONGEST = 15, 4096  # code points; 15 because the password is the only factor

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_at_once = threading.BoundedSemaphore(2)  # a flood of sign-ins must not use up the memory
_dummy: list[str] = []


def normalise(password: str) -> str:
    """One form for what different keyboards send for the same password."""
    return unicodedata.normalize("NFKC", password)


def check_policy(password: str, *, username: str, email: str) -> None:
    """Refuse what is too short, too long, or among the first that somebody would try."""
    password = normalise(password)
    if len(password) < SHORTEST:
        raise Invalid(f"Use at least {SHORTEST} characters; a short sentence is good.", field="password")
    if len(password) > LONGEST:
        raise Invalid(f"Use at most {LONGEST} characters.", field="password")
    if len(set(password.casefold())) < 5:
        raise Invalid("That repeats too few characters; choose something else.", field="password")
    why = common_passwords.why_common(password, (username, email))
    if why is not None:
        raise Invalid(f"That is guessed easily. {why}", field="password")


def hash_password(password: str) -> str:
    """The Argon2id string to store."""
    with _at_once:
        return _hasher.hash(normalise(password))


def verify(stored: str | None, password: str) -> bool:
    """Whether the password fits; without an account it takes as long and says no."""
    if len(password) > LONGEST:
        return False
    if stored is None or not stored.startswith("$argon2"):  # an account without a password takes as long, too
        if not _dummy:
            _dummy.append(hash_password("a password that nobody has"))
        _matches(_dummy[0], password)
        return False
    return _matches(stored, password)


def _matches(stored: str, password: str) -> bool:
    try:
        with _at_once:
            return _hasher.verify(stored, normalise(password))
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether the stored string was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)
