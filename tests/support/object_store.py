"""A real server that speaks S3, on a port of this machine; what it keeps outlives a stop."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from werkzeug.serving import make_server

from tests.support.postgresql import free_port

BUCKET, PREFIX = "files-of-runs", "pfd/artifacts"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDOFTHETESTS", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests-0123456789"}
ENVIRONMENT = {
    **KEYS,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}


class ObjectStore:
    """The server and what it holds, seen by a client of its own."""

    def __init__(self, port: int = 0) -> None:
        self.port, self._server = port or free_port(), cast(Any, None)  # nobody takes it while the server is down
        if not port:
            self.start()
        self.address = f"http://127.0.0.1:{self.port}"
        import boto3
        from botocore.config import Config

        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id="admin",
            aws_secret_access_key="admin",
            config=Config(retries={"max_attempts": 0}),
        )

    @property
    def settings(self) -> dict[str, str]:
        """What the dashboard is told of it."""
        return {"PFD_ARTIFACT_URI": f"s3://{BUCKET}/{PREFIX}", "PFD_ARTIFACT_ENDPOINT_URL": self.address}

    def start(self) -> None:
        """Answer, on the port of before."""
        from moto.moto_server import werkzeug_app as moto

        class Quiet(moto.MotoRequestHandler):
            def log(self, *_: Any) -> None:
                """A failed test shows what failed, not hundreds of requests."""

        app = moto.DomainDispatcherApplication(moto.create_backend_app)
        self._server = server = make_server("127.0.0.1", self.port, app, threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        self._server.shutdown()
        self._server.server_close()

    def make_empty(self) -> None:
        """One bucket with nothing in it."""
        from moto.s3.models import s3_backends

        for backend in list(s3_backends["123456789012"].values()):
            backend.reset()
        self.client.create_bucket(Bucket=BUCKET)

    def keys(self) -> list[str]:
        """All keys of the bucket."""
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [one["Key"] for one in found]

    def put(self, key: str, data: bytes = b"x") -> None:
        """Put something there behind the back of the dashboard."""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=data)

    def unfinished(self) -> list[str]:
        """Keys of files of which parts have come and no end."""
        return [one["Key"] for one in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]


@contextmanager
def serving() -> Iterator[ObjectStore]:
    """One for the tests of a process."""
    store = ObjectStore()
    yield store
    store.stop()


@contextmanager
def serving_apart() -> Iterator[ObjectStore]:
    """One with a bucket, in a process of its own: what it keeps in memory is not in ours."""
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.object_store"], cwd=root, stdout=subprocess.PIPE, text=True
    )
    try:
        store = ObjectStore(int(cast(IO[str], process.stdout).readline()))
        store.client.create_bucket(Bucket=BUCKET)
        yield store
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    print(ObjectStore().port, flush=True)
    threading.Event().wait()
