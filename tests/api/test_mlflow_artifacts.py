"""Files of runs: streamed in and out, each within the folder of its run; the same in a folder and in a bucket."""

import errno
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from config.settings import settings
from database.engine import snapshot, transaction
from jobs import tasks
from models import Experiment
from services.actor import SYSTEM
from services.experiments import details, editing
from tests.support import tracking
from tests.support.artifacts import FILES, fetch, listed, put
from tests.support.object_store import PREFIX, ObjectStore
from tests.support.tracking import Tracking

in_a_folder = pytest.mark.parametrize("everything", ["folder"], indirect=True)


@pytest.fixture(params=["folder", "bucket"], autouse=True)
def everything(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """A store of this test alone, by all that lies in it."""
    if request.param == "bucket":
        store: ObjectStore = request.getfixturevalue("bucket")
        return lambda: sorted(key.removeprefix(f"{PREFIX}/") for key in store.keys() + store.unfinished())
    monkeypatch.setattr(type(settings()), "artifacts_dir", property(lambda _: tmp_path / "artifacts"))

    def in_folder() -> list[str]:
        found = [path for path in settings().artifacts_dir.rglob("*") if not path.is_dir()]
        return sorted(path.relative_to(settings().artifacts_dir).as_posix() for path in found)

    return in_folder


@pytest.fixture
def api(dash_app: Any, sqlite: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


@pytest.fixture
def run(api: Tracking) -> str:
    return api.run()


def test_what_goes_in_comes_out(api: Tracking, run: str) -> None:
    data = os.urandom(3_000_000)
    assert put(api, run, "model/ä weights.bin", data).status_code == 200
    answer = fetch(api, run, "model/ä weights.bin")
    assert answer.data == data
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == "application/octet-stream"
    assert listed(api, run) == [("model", True)]
    assert listed(api, run, "model") == [("model/ä weights.bin", False)]


def test_a_second_file_of_a_name_takes_the_place_of_the_first(api: Tracking, run: str) -> None:
    put(api, run, "a", b"one")
    put(api, run, "a", b"two")
    assert fetch(api, run, "a").data == b"two"


def test_the_page_of_the_experiment_names_what_lies_at_the_top(api: Tracking, run: str) -> None:
    def named() -> list[str]:
        with snapshot() as session:
            number = session.scalar(select(Experiment.id).where(Experiment.source_id == run))
            return [path for _, path in details.detail(session, SYSTEM, number).paths]

    for path in ("model/a", "model/b", "c"):
        put(api, run, path)
    assert named() == ["model", "c"]
    for path, left in (("model/a", ["c", "model"]), ("model", ["c"]), ("c", [])):
        api.client.delete(f"{FILES}/0/{run}/artifacts/{path}", headers=api.headers)
        assert sorted(named()) == left
    put(api, run, "again")
    assert api.client.delete(f"{FILES}/0/{run}/artifacts/", headers=api.headers).status_code in {200, 404, 405}


def test_a_part_of_a_file_is_sent_where_that_is_asked_for(api: Tracking, run: str) -> None:
    data = os.urandom(5_000_000)
    put(api, run, "a", data)
    address, whole = f"{FILES}/0/{run}/artifacts/a", fetch(api, run, "a")
    assert (whole.headers["Accept-Ranges"], whole.content_length) == ("bytes", len(data))
    for asked, first, end in (("4999990-", 4_999_990, 5_000_000), ("10-19", 10, 20), ("-5", 4_999_995, 5_000_000)):
        part = api.client.get(address, headers=api.headers | {"Range": f"bytes={asked}"})
        assert (part.status_code, part.data) == (206, data[first:end])
        assert part.headers["Content-Range"] == f"bytes {first}-{end - 1}/5000000"
    assert api.client.get(address, headers=api.headers | {"Range": "bytes=5000000-"}).status_code == 416
    assert api.client.get(address, headers=api.headers | {"If-None-Match": whole.headers["ETag"]}).status_code == 304
    put(api, run, "a", data[:-1] + b"?")
    assert fetch(api, run, "a").headers["ETag"] != whole.headers["ETag"]


def test_an_empty_file_is_a_file(api: Tracking, run: str) -> None:
    assert put(api, run, "empty", b"").status_code == 200
    assert fetch(api, run, "empty").data == b""


def test_a_file_or_a_folder_goes(api: Tracking, run: str) -> None:
    put(api, run, "a/b")
    put(api, run, "c")
    for path in ("a", "c"):
        assert api.client.delete(f"{FILES}/0/{run}/artifacts/{path}", headers=api.headers).status_code == 200
    assert listed(api, run) == []
    assert fetch(api, run, "c").json["error_code"] == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "..%2f..%2fx",
        "%2e%2e/x",
        "a\\..\\x",
        "a%00b",
        "a%0ab",
        "./x",
        "x" * 256,
        "a/" * 1000 + "a",
        "%ff",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(
    api: Tracking, run: str, path: str, everything: Callable[[], list[str]]
) -> None:
    before = everything()
    answer = put(api, run, path)
    assert answer.status_code in {400, 404, 308}, answer.text
    assert everything() == before


@in_a_folder
@pytest.mark.parametrize("path", ["", "/etc/passwd", "0", "0/x", "x/y/artifacts", "../0/x/artifacts", "0/models/x"])
def test_a_place_that_is_no_runs_is_not_listed(api: Tracking, path: str) -> None:
    answer = api.client.get(FILES, query_string={"path": path}, headers=api.headers)
    assert answer.status_code in {400, 404}


@in_a_folder
def test_a_link_leads_nowhere(api: Tracking, run: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    put(api, run, "a")
    folder = settings().artifacts_dir / "runs" / run
    (folder / "link").symlink_to(tmp_path)
    (folder / "file").symlink_to(tmp_path / "secret")
    assert fetch(api, run, "link/secret").status_code == 400
    assert fetch(api, run, "file").status_code == 400
    assert put(api, run, "link/new").status_code == 400
    assert not (tmp_path / "new").exists()
    assert listed(api, run) == [("a", False)]


def test_a_file_is_no_folder(api: Tracking, run: str) -> None:
    put(api, run, "a")
    put(api, run, "d/e")
    for path in ("a/b", "d"):
        answer = put(api, run, path)
        assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_more_than_the_house_takes_is_refused_and_leaves_nothing(
    api: Tracking, run: str, chosen: Callable[..., None], everything: Callable[[], list[str]]
) -> None:
    chosen(PFD_ARTIFACT_BYTES=2_000_000)
    answer = put(api, run, "large", b"x" * 2_000_001)
    assert (answer.status_code, answer.json["error_code"]) == (413, "BAD_REQUEST")
    endless = api.client.put(
        f"{FILES}/0/{run}/artifacts/large",
        input_stream=io.BytesIO(b"x" * 3_000_000),
        headers=api.headers,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert endless.status_code == 413
    assert everything() == []
    assert put(api, run, "fits", b"x" * 2_000_000).status_code == 200


@pytest.mark.parametrize("come", [10, 9_000_000], ids=["at the beginning", "after a part was sent"])
def test_what_breaks_off_leaves_nothing(
    api: Tracking, run: str, come: int, everything: Callable[[], list[str]]
) -> None:
    answer = api.client.put(
        f"{FILES}/0/{run}/artifacts/half",
        input_stream=io.BytesIO(b"x" * come),
        headers=api.headers,
        environ_overrides={"CONTENT_LENGTH": "10000000"},
    )
    assert answer.status_code == 400
    assert listed(api, run) == []
    assert everything() == []


@in_a_folder
def test_a_full_disk_is_said_to_be_full(api: Tracking, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert put(api, run, "a").status_code == 507
    monkeypatch.undo()
    assert listed(api, run) == []


def test_a_run_of_somebody_else_takes_no_file(api: Tracking, run: str, dash_app: Any) -> None:
    other = Tracking(dash_app.server, tracking.key(name="somebody-else"))
    assert put(other, run, "a").json["error_code"] == "PERMISSION_DENIED"
    put(api, run, "a", b"seen")
    assert fetch(other, run, "a").data == b"seen"


def test_a_run_that_is_not_there_takes_no_file(api: Tracking) -> None:
    assert put(api, "f" * 32, "a").json["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_a_model_has_files_of_its_own(api: Tracking) -> None:
    model = api.post("logged-models", experiment_id="0", name="m").json["model"]["info"]
    address = f"/api/2.0/mlflow-artifacts/artifacts/0/models/{model['model_id']}/artifacts/MLmodel"
    assert model["artifact_uri"] == f"mlflow-artifacts:/0/models/{model['model_id']}/artifacts"
    assert api.client.put(address, data=b"flavors: {}", headers=api.headers).status_code == 200
    assert api.client.get(address, headers=api.headers).data == b"flavors: {}"


def test_files_go_with_their_run_and_not_before(api: Tracking, run: str, everything: Callable[[], list[str]]) -> None:
    kept = api.run()
    model = api.post("logged-models", experiment_id="0", name="m").json["model"]["info"]["model_id"]
    address = f"{FILES}/0/models/{model}/artifacts/a"
    for one in (run, kept):
        put(api, one, "a/b")
    api.client.put(address, data=b"x", headers=api.headers)
    api.post("runs/delete", run_id=run)
    assert tasks.purge_files() == 0
    with snapshot() as session:
        number = session.scalar(select(Experiment.id).where(Experiment.source_id == run))
    with transaction() as session:
        editing.remove(session, [number])
    assert tasks.purge_files() == 1
    assert everything() == [f"models/{model}/a", f"runs/{kept}/a/b"]
    assert api.client.get(address, headers=api.headers).data == b"x"


@in_a_folder
def test_what_broke_off_long_ago_goes(api: Tracking, run: str) -> None:
    put(api, run, "a")
    for name, age in (("new", 0), ("old", 90_000)):
        path = settings().artifacts_dir / ".coming" / name
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age,) * 2)
    tasks.purge_files()
    assert [path.name for path in (settings().artifacts_dir / ".coming").iterdir()] == ["new"]
