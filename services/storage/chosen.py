"""The store that the settings name."""

from functools import lru_cache

from config.artifact_store import Bucket
from config.settings import settings
from services.storage.folder import Folder
from services.storage.store import Store


def store() -> Store:
    """The bucket where one is named; else the folder."""
    bucket = settings().artifact_bucket
    return Folder(settings().artifacts_dir) if bucket is None else _in(bucket)


def place() -> str:
    """Where that is, as it may be shown: neither a bucket's address nor its server's holds a key."""
    bucket = settings().artifact_bucket
    if bucket is None:
        return str(settings().artifacts_dir)
    address = f"s3://{bucket.name}/{bucket.prefix}".removesuffix("/")
    return address if bucket.endpoint is None else f"{address} at {bucket.endpoint}"


@lru_cache(maxsize=1)
def _in(bucket: Bucket) -> Store:
    from services.storage.bucket import BucketStore  # only now: it loads 30 MB that a folder does not need

    return BucketStore(bucket, connections=settings().web_threads)
