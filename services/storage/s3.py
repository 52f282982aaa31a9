"""The way to an object store: made once in each process, waited for within bounds, its errors told in our words."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError
from fsspec.asyn import sync_wrapper
from s3fs import S3FileSystem
from s3fs.utils import FileExpired

from config.artifact_store import Bucket
from services.errors import AppError
from services.storage.errors import Away, Full, Missing, Refused

logger = logging.getLogger(__name__)

LONGEST_CALL = 30.0  # seconds, all tries included
_CONNECTING, _SILENT = 5, 10  # seconds of one try
_FULL = "The store of the files is full: nothing can be saved until somebody makes room in it."
_FULL_CODES = {"InsufficientCapacity", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"}
_UNANSWERED = (HTTPClientError, ConnectionError, ResponseParserError, aiohttp.ClientError)


class Bounded(S3FileSystem):  # type: ignore[misc]
    """S3 by fsspec; a server that takes a part and then reads no further would else hold a thread for ever."""

    retries = 2  # around the two of boto: a connection may break while an answer is read

    async def _call_s3(self, method: str, *given: Any, **named: Any) -> Any:
        return await asyncio.wait_for(super()._call_s3(method, *given, **named), LONGEST_CALL)

    call_s3 = sync_wrapper(_call_s3)


def filesystem(bucket: Bucket, connections: int) -> Bounded:
    """That of this process: its connections and its thread do not survive a fork."""
    return _made(bucket.endpoint, connections, os.getpid())


@lru_cache(maxsize=1)
def _made(endpoint: str | None, connections: int, _process: int) -> Bounded:
    return Bounded(
        endpoint_url=endpoint,
        skip_instance_cache=True,
        use_listings_cache=False,  # other processes write, too
        fixed_upload_size=True,  # as Cloudflare's store asks
        config_kwargs={
            "connect_timeout": _CONNECTING,
            "read_timeout": _SILENT,
            "retries": {"mode": "standard", "total_max_attempts": 2},
            "max_pool_connections": max(10, connections),
            # Sums that Amazon has added lately are refused by stores that do not know them.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        },
    )


@contextlib.contextmanager
def in_our_words() -> Iterator[None]:
    """Errors of libraries become those of `errors.py`; the log has the reason, but no key and no address of a file."""
    try:
        yield
    except AppError:
        raise
    except (OSError, BotoCoreError, ClientError, *_UNANSWERED) as error:
        raise _translated(error) from None  # its text may name addresses that are signed


def _translated(error: Exception) -> AppError:
    if isinstance(error, FileExpired):
        return Away("The file was replaced while it was read: ask for it again.")
    code, status = _code(error)
    if code in _FULL_CODES or status == 507:
        return Full(_FULL)
    if isinstance(error, FileNotFoundError) and code in {"", "404", "NoSuchKey"}:
        return Missing()
    refused = 400 <= status < 500 if status else isinstance(error, BotoCoreError) and not isinstance(error, _UNANSWERED)
    logger.warning(
        "the store of the files %s: %s", "refuses us" if refused else "does not answer", code or type(error).__name__
    )
    return Refused() if refused else Away()


def _code(error: Exception) -> tuple[str, int]:
    """What the store has said: its code and the status; nothing and 0 where it said nothing."""
    for one in (error, error.__cause__):
        told = getattr(one, "response", None)
        if isinstance(told, dict):
            status = told.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            return str(told.get("Error", {}).get("Code", "")), int(status)
    return "", 0
