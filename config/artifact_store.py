"""The bucket that an address names, in which the files of runs lie instead of in a folder."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

PART = 8 * 1024 * 1024  # bytes that are sent at once, and all that is held in memory of a file on its way in
MOST_BYTES = 10_000 * PART  # S3 takes a file in so many parts at the most
LONGEST_PREFIX = 200
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX_PART = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where files lie in an object store; no endpoint: Amazon's, or the one that the environment of boto names."""

    name: str
    prefix: str
    endpoint: str | None


def parse(address: str) -> tuple[str, str]:
    """Bucket and prefix of `s3://bucket/prefix`; what is wrong is told without the address."""
    form = "must look like s3://bucket/prefix; keys come from the environment, a profile or a role, as boto finds them"
    scheme, found, rest = address.partition("://")
    bucket, _, prefix = rest.partition("/")
    prefix = prefix.removesuffix("/")
    if scheme != "s3" or not found or not _BUCKET.fullmatch(bucket) or ".." in bucket or len(prefix) > LONGEST_PREFIX:
        raise ValueError(form)
    if prefix and not all(_PREFIX_PART.fullmatch(part) for part in prefix.split("/")):
        raise ValueError(form)
    return bucket, prefix


def endpoint(address: str) -> str:
    """The address of a server that speaks S3."""
    form = "must look like https://minio.example.org:9000, without a path, user or password"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(form) from None
    extra = parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in {"http", "https"} or not host or extra or port == 0 or not address.isascii():
        raise ValueError(form)
    if not address.isprintable() or " " in address:
        raise ValueError(form)
    return f"{parts.scheme}://{parts.netloc}"


def is_installed() -> bool:
    """Whether the package that speaks S3 is here."""
    try:
        return find_spec("s3fs") is not None
    except ValueError:  # it was kept from being loaded
        return False
