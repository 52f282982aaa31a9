"""Files in a bucket of an object store (S3): a name is there when all of its bytes are, as the store itself sees to."""

import contextlib
import io
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, Any, cast

from config.artifact_store import PART, Bucket
from services.errors import AppError, Invalid
from services.storage import s3
from services.storage.errors import Away, InTheWay, Missing, Refused
from services.storage.s3 import in_our_words
from services.storage.store import KINDS, At, Entry, Opened, Writer

logger = logging.getLogger(__name__)

BLOCK = 4 * 1024 * 1024  # bytes that are asked for at once while a file is read
PAGE = 1000  # what S3 lists or removes at once
LONGEST_KEY = 1024  # bytes, as S3 has it
DEEPEST = 30  # folders within each other: each is looked at before a file is written
REMOVING = 45.0  # seconds


@dataclass(frozen=True, slots=True)
class BucketStore:
    """A folder is what the keys of its files begin with: it is there as long as one of them is."""

    bucket: Bucket
    connections: int

    @contextlib.contextmanager
    def writing(self, at: At) -> Iterator[Writer]:
        """Sent in parts, of which one is held in memory; they become a file only at the end of the block."""
        path = f"{self.bucket.name}/{self._key(at)}"
        self._refuse_in_the_way(at)
        file = self._files.open(path, "wb", block_size=PART)
        try:
            yield _Incoming(file)
            with in_our_words():
                file.close()
        except BaseException:
            _discard(file)
            raise

    def open(self, at: At) -> Opened:
        """Read in blocks, each of which the store refuses once there is other content under the name."""
        if not at.parts:
            raise Missing
        with in_our_words():
            file = self._files.open(f"{self.bucket.name}/{self._key(at)}", "rb", block_size=BLOCK)
            found = file.details
        if found["type"] != "file":
            raise Missing
        return Opened(cast(IO[bytes], _Outgoing(file)), found["size"], found["LastModified"], found["ETag"].strip('"'))

    def listed(self, at: At, most: int) -> list[Entry]:
        """One level, page by page until there are so many."""
        itself = self._head(at)
        if itself is not None:
            return [Entry(at.name, itself["ContentLength"])]
        start = self._key(at) + "/"
        found: dict[str, Entry] = {}
        for page in self._pages("list_objects_v2", Prefix=start, Delimiter="/", MaxKeys=PAGE):
            folders = [Entry(one["Prefix"].removeprefix(start)[:-1], None) for one in page.get("CommonPrefixes", ())]
            files = [Entry(one["Key"].removeprefix(start), one["Size"]) for one in page.get("Contents", ())]
            found |= {one.name: one for one in (*files, *folders) if one.name}
            if len(found) >= most:
                break
        return sorted(found.values(), key=lambda one: one.name)[:most]

    def exists(self, at: At) -> bool:
        """Whether there is a file or a folder."""
        return self._head(at) is not None or bool(self._some(at))

    def remove(self, at: At) -> None:
        """Remove a file, or a folder with all that it holds, a thousand at once."""
        ends, gone = time.monotonic() + REMOVING, False
        if self._head(at) is not None:
            self._call("delete_object", Key=self._key(at))
            gone = True
        while keys := self._some(at, PAGE):
            told = self._call("delete_objects", Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
            if told.get("Errors"):
                logger.warning("the store of the files keeps what is to go: %s", told["Errors"][0].get("Code"))
                raise Refused
            gone = True
            if time.monotonic() > ends:
                raise Away("Not all of it is removed yet: send the same request again.")
        if not gone:
            raise Missing

    def owners(self, kind: str) -> Iterator[str]:
        """What lies directly below the kind."""
        start = self._below(kind) + "/"
        for page in self._pages("list_objects_v2", Prefix=start, Delimiter="/", MaxKeys=PAGE):
            names = (one["Prefix"].removeprefix(start)[:-1] for one in page.get("CommonPrefixes", ()))
            yield from (name for name in names if name)

    def remove_broken_off(self, seconds: float) -> int:
        """Forget parts of files that were never completed; a store may refuse the list of them, and clean up itself."""
        gone, before = 0, datetime.now(UTC) - timedelta(seconds=seconds)
        for kind in KINDS:
            with contextlib.suppress(Refused):
                for page in self._pages("list_multipart_uploads", Prefix=self._below(kind) + "/", MaxUploads=PAGE):
                    for one in page.get("Uploads", ()):
                        if one["Initiated"] >= before:
                            continue
                        with contextlib.suppress(Refused):  # it may have ended by itself
                            self._call("abort_multipart_upload", Key=one["Key"], UploadId=one["UploadId"])
                            gone += 1
        return gone

    @property
    def _files(self) -> s3.Bounded:
        return s3.filesystem(self.bucket, self.connections)

    def _call(self, method: str, **named: Any) -> Any:
        with in_our_words():
            return self._files.call_s3(method, Bucket=self.bucket.name, **named)

    def _below(self, *parts: str) -> str:
        return "/".join((self.bucket.prefix, *parts)).removeprefix("/")

    def _key(self, at: At) -> str:
        key = self._below(at.owner, *at.parts)
        # The library would take what follows for the number of a version.
        if len(key.encode()) > LONGEST_KEY or len(at.parts) > DEEPEST or "?versionId=" in key:
            raise Invalid(f"Invalid path: a name has at most {LONGEST_KEY} bytes here and {DEEPEST} parts.")
        return key

    def _head(self, at: At) -> dict[str, Any] | None:
        """What the store knows of a file, if there is one."""
        try:
            return dict(self._call("head_object", Key=self._key(at))) if at.parts else None
        except Missing:
            return None

    def _some(self, at: At, most: int = 1) -> list[str]:
        """The first keys within a folder."""
        told = self._call("list_objects_v2", Prefix=self._key(at) + "/", MaxKeys=most)
        return [one["Key"] for one in told.get("Contents", ())]

    def _pages(self, method: str, **named: Any) -> Iterator[dict[str, Any]]:
        """The library would gather all pages in memory."""
        further: dict[str, Any] = {}
        while True:
            page = self._call(method, **named, **further)
            yield page
            if not page.get("IsTruncated"):
                return
            if "NextContinuationToken" in page:
                further = {"ContinuationToken": page["NextContinuationToken"]}
            else:
                further = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def _refuse_in_the_way(self, at: At) -> None:
        """An object store itself would keep “a” and “a/b” side by side, and nobody could download both."""
        above = (At(at.owner, at.parts[:number]) for number in range(1, len(at.parts)))
        if any(self._head(one) is not None for one in above) or self._some(at):
            raise InTheWay


@dataclass(frozen=True, slots=True)
class _Incoming:
    file: Any

    def write(self, data: bytes, /) -> int:
        """Add to its end; each part that is full leaves."""
        with in_our_words():
            return int(self.file.write(data))


def _discard(file: Any) -> None:
    """Nothing of it stays; left to the library, a file that is thrown away would be completed."""
    try:
        with in_our_words():
            file.discard()
    except AppError as error:
        logger.warning("parts of a file that broke off stay in the store until the next purge: %s", error)
    finally:
        file.closed = True


class _Outgoing(io.RawIOBase):
    """A file that is read; between two blocks nothing is open, so nothing has to be closed at the other end."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go on from elsewhere."""
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        """Where it goes on."""
        return int(self._file.tell())

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        with in_our_words():
            return bytes(self._file.read(size))

    def close(self) -> None:
        """Forget the block that was read ahead."""
        self._file.close()
        super().close()
