"""Files of runs in an object store: what only a store that is a network away can do to them."""

import io
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, select

from database.engine import transaction
from jobs import tasks
from models import Experiment
from services.experiments import editing
from services.storage import chosen as storage
from services.storage.errors import Away
from services.storage.store import At
from tests.support import tracking
from tests.support.artifacts import FILES, fetch, listed, noted, put, send
from tests.support.object_store import BUCKET, PREFIX, ObjectStore
from tests.support.tracking import Tracking

PART = 8 * 1024 * 1024


@pytest.fixture
def api(dash_app: Any, sqlite: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


@pytest.fixture
def run(api: Tracking) -> str:
    return api.run()


def every_request(api: Tracking, run: str) -> list[Any]:
    address = f"{FILES}/0/{run}/artifacts/a"
    return [
        put(api, run, "a"),
        fetch(api, run, "a"),
        api.client.delete(address, headers=api.headers),
        api.get("artifacts/list", run_id=run, path=""),
    ]


def test_nothing_is_there_before_the_last_byte_has_come(api: Tracking, run: str, bucket: ObjectStore) -> None:
    seen: list[list[str]] = []
    assert send(api, run, PART + 2_000_000, lambda _: seen.append(bucket.keys())).status_code == 200
    assert len(seen) > 9
    assert not any(seen)
    assert bucket.keys() == [f"{PREFIX}/runs/{run}/a"]


def test_a_second_upload_that_breaks_off_leaves_the_first(api: Tracking, run: str, bucket: ObjectStore) -> None:
    put(api, run, "a", b"first")
    api.client.put(
        f"{FILES}/0/{run}/artifacts/a",
        input_stream=io.BytesIO(b"x" * (PART + 5)),
        headers=api.headers,
        environ_overrides={"CONTENT_LENGTH": str(2 * PART)},
    )
    assert fetch(api, run, "a").data == b"first"
    assert bucket.unfinished() == []


@pytest.mark.parametrize("name", ["a+b %25 c%", "ü€", "a&b<c>'d\"", " begins", "ends.", "x=1;y,z", "a?b#c"])
def test_names_come_back_as_they_were(api: Tracking, run: str, bucket: ObjectStore, name: str) -> None:
    address = f"folder/{quote(name)}"
    assert put(api, run, address, b"data").status_code == 200
    assert fetch(api, run, address).data == b"data"
    assert listed(api, run, "folder") == [(f"folder/{name}", False)]


@pytest.mark.parametrize("path", ["a%3FversionId=1", "x" * 250 + "/" + ("y" * 250 + "/") * 3 + "z", "a/" * 31 + "a"])
def test_a_name_that_a_bucket_cannot_hold_is_refused(api: Tracking, run: str, bucket: ObjectStore, path: str) -> None:
    answer = put(api, run, path)
    assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert bucket.keys() == []


def test_what_others_have_left_there_disturbs_nobody_and_stays(api: Tracking, run: str, bucket: ObjectStore) -> None:
    others = ["elsewhere", f"{PREFIX}-too/runs/x/a", f"{PREFIX}/notes", f"{PREFIX}/runs/{run}0/a"]
    marks = [f"{PREFIX}/runs/{run}/", f"{PREFIX}/runs/{run}/d/", f"{PREFIX}/runs/{run}/d//odd"]
    for key in (*others, *marks):
        bucket.put(key)
    put(api, run, "d/a")
    assert listed(api, run) == [("d", True)]
    assert listed(api, run, "d") == [("d/a", False)]
    api.client.delete(f"{FILES}/0/{run}/artifacts/d", headers=api.headers)
    assert set(bucket.keys()) == {*others, marks[0]}


def test_long_lists_are_read_and_removed_page_by_page(
    api: Tracking, run: str, bucket: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.storage import bucket as module
    from services.tracking import artifacts

    monkeypatch.setattr(module, "PAGE", 2)
    for name in ("a", "b", "c", "d/x", "d/y", "e/z", "f"):
        put(api, run, name)
    assert [name for name, _ in listed(api, run)] == ["a", "b", "c", "d", "e", "f"]
    monkeypatch.setattr(artifacts, "MOST_LISTED", 3)
    assert [name for name, _ in listed(api, run)] == ["a", "b", "c"]
    assert list(storage.store().owners("runs")) == [run]
    storage.store().remove(At(f"runs/{run}"))
    assert bucket.keys() == []


def test_a_reader_who_hangs_up_asks_the_store_for_nothing_more(
    api: Tracking, run: str, bucket: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.storage.s3 import Bounded

    put(api, run, "a", b"x" * 12_000_000)
    asked, call = [], Bounded._call_s3
    monkeypatch.setattr(
        Bounded, "_call_s3", lambda self, method, *a, **k: asked.append(method) or call(self, method, *a, **k)
    )
    answer = fetch(api, run, "a")
    stream = answer.iter_encoded()
    assert len(next(stream)) > 0
    answer.close()
    assert asked == ["head_object", "get_object"]
    with pytest.raises(ValueError, match="closed"):
        list(stream)


def test_a_file_that_is_replaced_while_it_is_read_is_never_mixed(api: Tracking, run: str, bucket: ObjectStore) -> None:
    put(api, run, "a", b"x" * 12_000_000)
    stream = fetch(api, run, "a").iter_encoded()
    next(stream)
    put(api, run, "a", b"y" * 12_000_000)
    with pytest.raises(Away, match="replaced"):
        list(stream)


def test_a_store_that_is_away_is_told_and_leaves_nothing_half_noted(
    api: Tracking, run: str, bucket: ObjectStore
) -> None:
    put(api, run, "before")
    bucket.stop()
    try:
        for answer in every_request(api, run):
            assert (answer.status_code, answer.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
            assert answer.json["message"] == "The store of the files does not answer at the moment."
            assert answer.headers["Retry-After"] == "5"
        assert noted(run) == ["before"]
        assert tasks.purge_files() == 0  # which nobody hinders
    finally:
        bucket.start()
    assert put(api, run, "a", b"back").status_code == 200
    assert fetch(api, run, "a").data == b"back"
    assert noted(run) == ["before", "a"]


def test_a_removal_that_was_not_noted_is_noted_with_the_next_try(api: Tracking, run: str, bucket: ObjectStore) -> None:
    put(api, run, "a")
    bucket.client.delete_object(Bucket=BUCKET, Key=f"{PREFIX}/runs/{run}/a")  # as before the store went away
    answer = api.client.delete(f"{FILES}/0/{run}/artifacts/a", headers=api.headers)
    assert (answer.status_code, answer.json["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert noted(run) is None


def test_many_at_once_share_the_connections_of_a_process(bucket: ObjectStore) -> None:
    def there_and_back(number: int) -> bool:
        at, data = At("runs/r", (f"{number % 4}", f"{number}")), bytes([number]) * 300_000
        with storage.store().writing(at) as file:
            file.write(data)
        found = storage.store().open(at)
        with found.stream:
            return found.stream.read() == data

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(there_and_back, range(36)))
    assert len(bucket.keys()) == 36


def test_a_store_that_goes_away_in_the_middle_of_an_upload_is_cleaned_up_later(
    api: Tracking, run: str, bucket: ObjectStore
) -> None:
    stopped: list[bool] = []

    def stop(sent: int) -> None:
        if sent > PART + 2_000_000 and not stopped:
            stopped.append(True)
            bucket.stop()

    answer = send(api, run, 3 * PART, stop)
    assert stopped
    bucket.start()
    assert answer.status_code == 503
    assert noted(run) is None
    assert listed(api, run) == []
    assert bucket.unfinished() == [f"{PREFIX}/runs/{run}/a"]
    assert tasks.purge_files() == 1  # this server says of all parts that they are of 2010
    assert bucket.unfinished() == []


def test_a_bucket_that_is_not_there_is_not_an_empty_one(api: Tracking, run: str, bucket: ObjectStore) -> None:
    bucket.client.delete_bucket(Bucket=BUCKET)
    for answer in every_request(api, run):
        assert answer.status_code == 503
        assert "refuses this server" in answer.json["message"]


def test_a_folder_too_large_to_remove_at_once_is_said_to_be(
    api: Tracking, run: str, bucket: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.storage import bucket as module

    monkeypatch.setattr(module, "PAGE", 1)
    monkeypatch.setattr(module, "REMOVING", -1.0)
    for name in ("d/a", "d/b"):
        put(api, run, name)
    answer = api.client.delete(f"{FILES}/0/{run}/artifacts/d", headers=api.headers)
    assert (answer.status_code, "send the same request again" in answer.json["message"]) == (503, True)
    assert listed(api, run, "d") == [("d/b", False)]


def test_a_process_that_was_forked_asks_by_itself(bucket: ObjectStore) -> None:
    bucket.put(f"{PREFIX}/runs/r/a")
    assert storage.store().exists(At("runs/r", ("a",)))

    def ask() -> None:
        os._exit(0 if storage.store().exists(At("runs/r", ("a",))) else 1)

    child = multiprocessing.get_context("fork").Process(target=ask)
    child.start()
    child.join(120)
    assert child.exitcode == 0


def test_a_purge_removes_all_of_a_run_that_is_gone(api: Tracking, run: str, bucket: ObjectStore) -> None:
    for path in ("a", "b/c"):
        put(api, run, path)
    with transaction() as session:
        editing.remove(session, [session.scalar(select(Experiment.id).where(Experiment.source_id == run))])
    assert tasks.purge_files() == 1
    assert bucket.keys() == []
