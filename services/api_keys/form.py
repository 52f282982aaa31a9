"""The form of a key, `pfd_<kind>_<id>_<secret>_<checksum>`: told from other text and from a typing error by itself."""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
KIND, ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = "pk", 8, 32, 6  # 32 letters of 62 are 190 bits
# What a scanner for leaked secrets looks for.
PATTERN = re.compile(
    rf"(?P<body>pfd_(?P<kind>[a-z]{{2}})_(?P<id>[0-9A-Za-z]{{{ID_LENGTH}}})_[0-9A-Za-z]{{{SECRET_LENGTH}}})"
    rf"_(?P<checksum>[0-9A-Za-z]{{{CHECKSUM_LENGTH}}})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Key:
    """A well-formed key: the text to show once, what may be shown always, and what the database keeps."""

    text: str
    prefix: str
    digest: str


def make() -> Key:
    """A fresh key."""
    body = f"pfd_{KIND}_{_random(ID_LENGTH)}_{_random(SECRET_LENGTH)}"
    return _key(f"{body}_{_checksum(body)}", body)


def parse(text: str) -> Key | None:
    """The key in a text, or None where the form or the checksum is wrong; no database is asked for that."""
    found = PATTERN.fullmatch(text)
    if found is None or not secrets.compare_digest(_checksum(found["body"]), found["checksum"]):
        return None
    return _key(text, found["body"])


def _key(text: str, body: str) -> Key:
    return Key(text, body.rsplit("_", 1)[0], hashlib.sha256(text.encode()).hexdigest())


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, place = divmod(number, len(_LETTERS))
        letters = _LETTERS[place] + letters
    return letters
