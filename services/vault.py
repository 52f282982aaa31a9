"""Secrets that must be read back are encrypted in the database; a copy of it alone opens nothing.

Where they are kept stands in services/secrets.py: a place that is missing there is lost when a root key is forgotten.
"""

import base64
from typing import TYPE_CHECKING

from config.settings import settings
from services.errors import AppError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

# cryptography is loaded where it is used: a worker that opens no secret is ten megabytes smaller without it.


class Unreadable(AppError):
    """A secret that none of the root keys opens."""

    code = "unreadable_secret"

    def __init__(self) -> None:
        super().__init__("A stored secret cannot be read: it was encrypted with a key that this installation lacks.")


def _box(purpose: str, *, newest_only: bool = False) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def key(root: str) -> Fernet:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"pfd:{purpose}".encode()).derive(root.encode())
        return Fernet(base64.urlsafe_b64encode(derived))

    roots = settings().root_keys()
    return MultiFernet([key(root) for root in (roots[:1] if newest_only else roots)])


def encrypt(purpose: str, secret: str) -> str:
    """The secret as the database keeps it; each purpose has a key of its own."""
    return _box(purpose).encrypt(secret.encode()).decode()


def decrypt(purpose: str, stored: str) -> str:
    """The secret itself."""
    from cryptography.fernet import InvalidToken

    try:
        return _box(purpose).decrypt(stored.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def renew(purpose: str, stored: str) -> str:
    """The same secret under the newest root key."""
    from cryptography.fernet import InvalidToken

    try:
        return _box(purpose).rotate(stored.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def is_newest(purpose: str, stored: str) -> bool:
    """Whether it is under the newest root key, so that it needs no other."""
    return _opens(_box(purpose, newest_only=True), stored)


def is_readable(purpose: str, stored: str) -> bool:
    """Whether any of the root keys opens it."""
    return _opens(_box(purpose), stored)


def _opens(box: "MultiFernet", stored: str) -> bool:
    from cryptography.fernet import InvalidToken

    try:
        box.decrypt(stored.encode())
    except InvalidToken:
        return False
    return True
