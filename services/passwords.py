"""Passwords: one policy, Argon2id, and never more than two hashes at once in a process."""

import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services import common_passwords
from services.errors import Invalid

SHORTEST, LONGEST = 15, 4096  # code points; 15 because the password is the only factor

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE = 2  # a flood of sign-ins must not use up the memory
_dummy: list[str] = []


# Threads of their own: the allocator keeps for each thread what it has freed, so that two hundred which hash in turn
# would keep ten times the memory of the two that do so here.
_hashing = ThreadPoolExecutor(_AT_ONCE, "passwords")
T = TypeVar("T")


def _begin_anew() -> None:
    """A forked process has the pool but none of its threads."""
    global _hashing
    _hashing = ThreadPoolExecutor(_AT_ONCE, "passwords")


os.register_at_fork(after_in_child=_begin_anew)


def _apart(work: Callable[[], T]) -> T:
    return _hashing.submit(work).result()


def normalise(password: str) -> str:
    """One form for what different keyboards send for the same password."""
    return unicodedata.normalize("NFKC", password)


def check_policy(password: str, *, username: str, email: str) -> None:
    """Refuse what is too short, too long, or among the first that somebody would try."""
    if len(password) > LONGEST:  # as it is counted when somebody signs in, and before anything is done to it
        raise Invalid(f"Use at most {LONGEST} characters.", field="password")
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
    return _apart(lambda: _hasher.hash(normalise(password)))


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
        return _apart(lambda: _hasher.verify(stored, normalise(password)))
    except (VerificationError, InvalidHashError):
        return False


def renewed(stored: str | None, password: str) -> str | None:
    """A right password hashed anew, where the stored string was made with other parameters than today's."""
    return hash_password(password) if stored is not None and _hasher.check_needs_rehash(stored) else None
