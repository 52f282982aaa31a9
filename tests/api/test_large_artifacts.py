"""A large file by the real client of MLflow, into a folder and into a bucket, and never all of it in memory."""

import hashlib
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from config.settings import settings
from tests.support import object_store, tracking

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
SIZE, BOUND = 60_000_000, 32_000_000  # bytes; a part is held at most twice, while it is sent


@pytest.fixture(params=["folder", "bucket"])
def client(
    request: pytest.FixtureRequest,
    live_server: str,
    sqlite: Engine,
    tmp_path: Path,
    chosen: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """MLflow, pointed here as its users do it."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", tracking.key())
    mlflow.set_tracking_uri(live_server)
    if request.param == "bucket":
        with object_store.serving_apart() as store:
            chosen(**object_store.ENVIRONMENT, **store.settings)
            yield mlflow
    else:
        monkeypatch.setattr(type(settings()), "artifacts_dir", property(lambda _: tmp_path / "artifacts"))
        yield mlflow


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_large_file_goes_in_and_out_and_is_never_held_in_memory(client: Any, tmp_path: Path) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    large = tmp_path / "out" / "deep" / "weights.bin"
    block = os.urandom(1_000_000)
    with large.open("wb") as file:
        for _ in range(SIZE // len(block)):
            file.write(block)
    api = client.MlflowClient()
    run = api.create_run("0").info.run_id
    api.log_text(run, "small", "first.txt")  # what is loaded with the first file is not the file
    tracemalloc.start()
    try:
        api.log_artifacts(run, str(tmp_path / "out"), "files")
        _, up = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        down = Path(api.download_artifacts(run, "files/deep/weights.bin", str(tmp_path)))
        _, back = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(one.path, one.file_size) for one in api.list_artifacts(run, "files/deep")] == [
        ("files/deep/weights.bin", SIZE)
    ]
    assert digest(down) == digest(large)
    assert max(up, back) < BOUND, (up, back)
    client.artifacts.get_artifact_repository(api.get_run(run).info.artifact_uri).delete_artifacts("files")
    assert [one.path for one in api.list_artifacts(run)] == ["first.txt"]
